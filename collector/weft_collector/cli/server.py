"""uvicorn, with what a collector needs beyond it.

* A protocol with deadlines, limits and fewer copies (`http_protocol`).
* A word before the connections are closed: open event streams must end for the server to stop.
"""

import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Final, Protocol, cast

import uvicorn
from starlette.types import ASGIApp

from weft_collector.cli.http_protocol import DeadlineProtocol, Shared

__all__ = ["STOP_SECONDS", "Hooks", "Server", "Serves", "connections", "server_for"]

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than exporters' usual interval of 5 s: a connection closed as a batch is sent would lose it."""
STOP_SECONDS: Final = 10
CONNECTIONS: Final = 4096
_OTHER_FILES: Final = 2048 + 512  # connections of gRPC, and the store's files
_CLOSING: Final = 64  # connections that are being closed
_LEAST: Final = 64


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told.

    Attributes:
        started: Called when connections are accepted.
        stopping: Called when a signal asks to stop, before connections are closed.
    """

    started: Callable[[], None]
    stopping: Callable[[], None]


class Serves(Protocol):
    """A server made for one run."""

    def run(self, sockets: list[socket.socket]) -> None:
        """Serve on the sockets until a signal comes, or `stop` is called."""
        ...

    def stop(self) -> None:
        """End `run`; from any thread."""
        ...


class Server(uvicorn.Server):
    """A uvicorn server with hooks."""

    def __init__(self, config: uvicorn.Config, hooks: Hooks) -> None:
        super().__init__(config)
        self._hooks = hooks

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        self._hooks.started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        self._hooks.stopping()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """See Serves."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn; the signal is not raised again at the end, since stopping on demand is success."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def server_for(app: ASGIApp, hooks: Hooks) -> Server:
    """A server for the app; sockets are given to its `run`."""
    most = connections()
    config = uvicorn.Config(
        app, http=cast("type[DeadlineProtocol]", partial(DeadlineProtocol, Shared(most))), ws="none",
        lifespan="on", log_config=None, log_level="error",
        access_log=False, server_header=False, timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS, limit_concurrency=most + _CLOSING,
    )  # fmt: skip
    return Server(config, hooks)


def connections() -> int:
    """How many connections may be open: CONNECTIONS, or what the system's limit of files leaves us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return CONNECTIONS
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return max(_LEAST, min(CONNECTIONS, soft // 2))
