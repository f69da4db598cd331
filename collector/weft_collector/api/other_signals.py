"""`POST /v1/metrics` and `/v1/logs`: for clients that send every signal to one endpoint.

Weft keeps traces. An answer of 404 would fill such a client's log, silence would hide a misunderstanding; so a
body is acknowledged, and the partial success says that nothing of it is kept: to each client (address and user
agent) at most once in ten minutes, in between it is a plain success.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from weft_collector.api.doors import TRACES, otlp_refusal, otlp_response
from weft_collector.api.errors import MethodNotAllowed, TooSlow
from weft_collector.api.ingest import Receiving
from weft_collector.api.problems import JSON
from weft_collector.api.receiving import SenderGone
from weft_collector.errors import (
    BodyTooLarge,
    CollectorError,
    IntakeFull,
    RefusedBody,
    UnsupportedContentType,
)
from weft_collector.wire.compression import inflate
from weft_collector.wire.other_signals import COUNTERS

__all__ = ["SIGNALS", "NotKept", "Reminder", "Signal"]

_QUIET_NS: Final = 600_000_000_000
_CLIENTS: Final = 4096
_LONGEST_AGENT: Final = 200


class Signal(NamedTuple):
    """A signal that is not kept.

    Attributes:
        name: As in its path and in the counter.
        counted: The JSON name of the number of its refused parts.
    """

    name: str
    counted: str


SIGNALS: Final = (Signal("metrics", "rejectedDataPoints"), Signal("logs", "rejectedLogRecords"))


class Reminder:
    """Who was told within the last ten minutes; of very many clients the one told longest ago is forgotten.

    Args:
        clock_ns: The time in ns since the epoch.
    """

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._told: OrderedDict[tuple[str, ...], int] = OrderedDict()

    def is_due(self, client: tuple[str, ...]) -> bool:
        """Whether a client is to be told; if so, it counts as told from now on."""
        now = self._clock_ns()
        told = self._told.get(client)
        if told is not None and 0 <= now - told < _QUIET_NS:
            return False
        self._told[client] = now
        self._told.move_to_end(client)
        if len(self._told) > _CLIENTS:
            self._told.popitem(last=False)
        return True


class NotKept:
    """The endpoint of one signal.

    Args:
        signal: Which.
        receiving: What it shares with the doors for spans.
        reminder: Who was told; one for all signals.
        inflated_bytes: Largest body after decompression.
    """

    def __init__(self, signal: Signal, receiving: Receiving, reminder: Reminder, inflated_bytes: int) -> None:
        self._signal = signal
        self._receiving = receiving
        self._reminder = reminder
        self._inflated_bytes = inflated_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; see ASGI."""
        headers = Headers(scope=scope)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            count = await self._count(scope["method"], content_type, headers, receive)
            response = self._answer(count, content_type, self._client(scope, headers))
        except SenderGone:
            self._receiving.telemetry.count("bodies_abandoned", "incomplete")
            return
        except CollectorError as error:
            response = otlp_refusal(error, content_type)
        await response(scope, receive, send)

    async def _count(self, method: str, content_type: str, headers: Headers, receive: Receive) -> int:
        self._admit(method, content_type)
        encoding, is_json = headers.get("content-encoding"), content_type == JSON
        with self._receiving.budget.share() as share:
            try:
                body = await self._receiving.receiver.body(headers, receive, share)
                return await asyncio.to_thread(self._parts_of, body, encoding, is_json)
            except (RefusedBody, IntakeFull) as error:
                raise self._refused(_REASONS.get(type(error), "malformed"), error) from None

    def _admit(self, method: str, content_type: str) -> None:
        path = f"/v1/{self._signal.name}"
        if method != "POST":
            error = MethodNotAllowed(f"{method} {path}: bodies come by POST.", "POST")
            raise self._refused("method", error)
        if content_type not in TRACES.transports:
            text = f"{content_type[:100]!r} is not taken here; send {' or '.join(TRACES.transports)}."
            raise self._refused("content_type", UnsupportedContentType(text))
        self._receiving.lifecycle.require_ready()

    def _parts_of(self, body: bytes, encoding: str | None, is_json: bool) -> int:
        inflated = inflate(body, encoding, self._inflated_bytes)
        return COUNTERS[self._signal.name](inflated, is_json=is_json)

    def _client(self, scope: Scope, headers: Headers) -> tuple[str, ...]:
        address = scope.get("client") or ("", 0)
        return address[0], headers.get("user-agent", "")[:_LONGEST_AGENT], self._signal.name

    def _answer(self, count: int, content_type: str, client: tuple[str, ...]) -> Response:
        self._receiving.telemetry.count("parts_not_kept", self._signal.name, count)
        told = count if count and self._reminder.is_due(client) else 0
        text = f"Weft keeps traces, not {self._signal.name}; this is said once in ten minutes."
        return otlp_response(told, text, self._signal.counted, content_type)

    def _refused(self, reason: str, error: CollectorError) -> CollectorError:
        self._receiving.telemetry.count("bodies_refused", reason)
        return error


_REASONS: Final[dict[type[CollectorError], str]] = {
    BodyTooLarge: "too_large",
    TooSlow: "too_slow",
    IntakeFull: "full",
}
