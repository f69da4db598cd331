"""`POST /v1/metrics` and `/v1/logs`: the doors over HTTP for what `signals.py` takes."""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from weft_collector.api.doors import TRACES, otlp_refusal, otlp_response
from weft_collector.api.errors import MethodNotAllowed, TooSlow
from weft_collector.api.ingest import Receiving
from weft_collector.api.receiving import SenderGone
from weft_collector.api.signals import Sent, Signal, SignalIntake
from weft_collector.errors import BodyTooLarge, CollectorError, IntakeFull, UnsupportedContentType
from weft_collector.store.ports import Transport

__all__ = ["SignalDoor"]

_LONGEST_AGENT: Final = 200
_REASONS: Final = {BodyTooLarge: "too_large", TooSlow: "too_slow", IntakeFull: "full"}


class SignalDoor:
    """The endpoint of one signal.

    Args:
        signal: Which.
        receiving: What it shares with the doors for spans.
        intake: Takes its bodies.
    """

    def __init__(self, signal: Signal, receiving: Receiving, intake: SignalIntake) -> None:
        self._signal = signal
        self._receiving = receiving
        self._intake = intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; see ASGI."""
        headers = Headers(scope=scope)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            transport = self._admit(scope["method"], content_type)
            response = await self._take(scope, receive, transport)
        except SenderGone:
            self._receiving.telemetry.count("bodies_abandoned", "incomplete")
            return
        except CollectorError as error:
            response = otlp_refusal(error, content_type)
        await response(scope, receive, send)

    def _admit(self, method: str, content_type: str) -> Transport:
        path = f"/v1/{self._signal.name}"
        if method != "POST":
            error = MethodNotAllowed(f"{method} {path}: bodies come by POST.", "POST")
            raise self._refused("method", error)
        transport = TRACES.transports.get(content_type)
        if transport is None:
            text = f"{content_type[:100]!r} is not taken here; send {' or '.join(TRACES.transports)}."
            raise self._refused("content_type", UnsupportedContentType(text))
        self._receiving.lifecycle.require_ready()
        return transport

    async def _take(self, scope: Scope, receive: Receive, transport: Transport) -> Response:
        headers = Headers(scope=scope)
        with self._receiving.budget.share() as share:
            try:
                body = await self._receiving.receiver.body(headers, receive, share)
            except (BodyTooLarge, TooSlow, IntakeFull) as error:
                raise self._refused(_REASONS[type(error)], error) from None
            sent = Sent(body, headers.get("content-encoding"), transport, _client(scope, headers))
            told = await self._intake.take(self._signal, sent)
        content_type = next(kind for kind, number in TRACES.transports.items() if number is transport)
        return otlp_response(told.rejected, told.message, self._signal.counted, content_type)

    def _refused(self, reason: str, error: CollectorError) -> CollectorError:
        self._receiving.telemetry.count("bodies_refused", reason)
        return error


def _client(scope: Scope, headers: Headers) -> tuple[str, ...]:
    address = scope.get("client") or ("", 0)
    return address[0], headers.get("user-agent", "")[:_LONGEST_AGENT]
