"""Sending imported spans to the collector that runs, with patience."""

import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from weft_collector.cli.collector import Found
from weft_collector.cli.exits import CollectorRefused, NotReachable
from weft_collector.config import is_loopback

__all__ = ["Sender"]

_PATIENCE_SECONDS: Final = 120.0
_LONGEST_WAIT: Final = 30.0
_BUSY: Final = frozenset({429, 503})
_HEADERS: Final = {"content-type": "application/x-protobuf", "content-encoding": "zstd"}


class Sender:
    """Sends one request after the other, and sums up what became of them.

    Args:
        found: Where the collector is.
        sleep: Waits for some seconds.
        transport: What carries requests; the network by default.

    Attributes:
        sent: Spans sent.
        refused: Spans that the collector refused one by one, by reason.
    """

    def __init__(
        self,
        found: Found,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._found = found
        self._sleep = sleep
        local = is_loopback(urlsplit(found.url).hostname or "")
        self._client = httpx.Client(
            base_url=found.url, timeout=60.0, trust_env=not local, transport=transport
        )
        self.sent = 0
        self.refused = Counter[str]()

    @property
    def accepted(self) -> int:
        """Spans that the collector has, those included that it had before."""
        return self.sent - self.refused.total()

    def send(self, body: bytes) -> None:
        """Send a request in protobuf; waits where the collector asks to.

        Raises:
            NotReachable: Nobody answers.
            CollectorRefused: The collector refused it, or stayed busy too long.
        """
        packed = zstandard.compress(body, 1)
        waited = 0.0
        response = self._post(packed)
        while response.status_code in _BUSY and waited < _PATIENCE_SECONDS:
            pause = _pause(response)
            self._sleep(pause)
            waited += pause
            response = self._post(packed)
        if response.status_code != 200:
            raise CollectorRefused(f"{self._found.url} answered {response.status_code}: {_reason(response)}")
        self._count(body, response.content)

    def _post(self, packed: bytes) -> httpx.Response:
        try:
            return self._client.post("/v1/traces", content=packed, headers=_HEADERS)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise NotReachable(
                f"No collector answers at {self._found.url} (from {self._found.source}): {error}. "
                "Start one with `weft serve`, or name its address with --collector URL."
            ) from error
        except httpx.TransportError as error:
            raise CollectorRefused(
                f"{self._found.url} broke off: {error or type(error).__name__}. Import again: spans that are "
                "there already change nothing."
            ) from error

    def _count(self, body: bytes, answer: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        self.sent += sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans)
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
        reasons = re.findall(r"([a-z_]+): ([0-9]+)", partial.error_message)
        self.refused.update({reason: int(count) for reason, count in reasons})

    def close(self) -> None:
        """Close the connection; safe twice."""
        self._client.close()


def _pause(response: httpx.Response) -> float:
    """Seconds that the collector asks for."""
    asked = response.headers.get("retry-after", "1")
    return min(max(float(asked), 0.1), _LONGEST_WAIT) if asked.isdecimal() else 1.0


def _reason(response: httpx.Response) -> str:
    """The text of a google.rpc.Status in protobuf, as far as it can be read."""
    return (
        re.sub(r"[^ -~]+", " ", response.content[:500].decode(errors="replace")).strip() or "no reason given"
    )
