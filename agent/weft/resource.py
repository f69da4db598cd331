"""Who a span comes from: the resource, and the caller entry made of the same names."""

import os
import platform
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast
from uuid import uuid4

from weft import __version__
from weft.settings import Settings

SDK: Mapping[str, str] = {
    "telemetry.sdk.name": "weft",
    "telemetry.sdk.language": "python",
    "telemetry.sdk.version": __version__,
}


class Resource:
    """The attributes of one service instance: one object per agent, a new one in a fork."""

    __slots__ = ("attributes", "encoded", "schema_url")

    def __init__(self, attributes: Mapping[str, str | int], schema_url: str = "") -> None:
        self.attributes: Mapping[str, str | int] = MappingProxyType(dict(attributes))
        self.schema_url = schema_url
        self.encoded: bytes | None = None
        """The OTLP Resource message, kept by the encoder after its first use."""

    @property
    def service(self) -> str:
        """The name of the service."""
        return cast("str", self.attributes["service.name"])

    @property
    def instance(self) -> str:
        """The name of this running instance of the service."""
        return cast("str", self.attributes["service.instance.id"])


def describe(settings: Settings) -> Resource:
    """Return the resource of this process under `settings`, with a new instance id unless one is set."""
    found: dict[str, str | int] = {
        "service.name": unknown_service(),
        "service.instance.id": str(uuid4()),
        "host.name": platform.node() or "localhost",
        "process.pid": os.getpid(),
        **settings.resource,
        **SDK,
    }
    if settings.service:
        found["service.name"] = settings.service
    return Resource(found)


def forked(parent: Resource) -> Resource:
    """Return the resource of a child process made by fork: an instance of its own."""
    own: dict[str, str | int] = {"service.instance.id": str(uuid4()), "process.pid": os.getpid()}
    return Resource({**parent.attributes, **own}, parent.schema_url)


def unknown_service() -> str:
    """Return the name that OpenTelemetry gives a service that has none."""
    program = os.path.basename(sys.argv[0] if sys.argv and sys.argv[0] else sys.executable)  # noqa: PTH119 - pathlib costs import time
    return f"unknown_service:{program or 'python'}"
