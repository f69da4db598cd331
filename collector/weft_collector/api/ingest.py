"""`POST /v1/traces`: OTLP over HTTP.

A raw ASGI endpoint inside the app: the body's bytes go to the intake as they are, past all that a framework
does to bodies. Success and refusals are protobuf, as OTLP wants it.
"""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from weft_collector.api.errors import MethodNotAllowed, TooSlow
from weft_collector.api.lifecycle import Lifecycle
from weft_collector.api.otlp_answers import accepted_response
from weft_collector.api.problems import PROTOBUF, answer
from weft_collector.api.receiving import Budget, Receiver, SenderGone
from weft_collector.errors import BodyTooLarge, CollectorError, IntakeFull, UnsupportedContentType
from weft_collector.intake import Intake
from weft_collector.store.ports import Transport
from weft_collector.telemetry import Telemetry

__all__ = ["TRANSPORTS", "Ingest"]

TRANSPORTS: Final = {PROTOBUF: Transport.HTTP_PROTOBUF}
"""Content types that are taken, and by which number the log remembers them."""
_REASONS: Final = {BodyTooLarge: "too_large", TooSlow: "too_slow", IntakeFull: "full"}


class Ingest:
    """The endpoint.

    Args:
        lifecycle: Says whether spans are taken now.
        intake: Takes whole bodies.
        receiver: Takes a body in.
        budget: Bounds all bodies together.
        telemetry: Counts what is refused before the intake sees it.
    """

    def __init__(
        self, lifecycle: Lifecycle, intake: Intake, receiver: Receiver, budget: Budget, telemetry: Telemetry
    ) -> None:
        self._lifecycle = lifecycle
        self._intake = intake
        self._receiver = receiver
        self._budget = budget
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; see ASGI."""
        headers = Headers(scope=scope)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            transport = self._admit(scope["method"], content_type)
            response = await self._take(headers, receive, transport)
        except SenderGone:
            self._telemetry.count("bodies_abandoned", "incomplete")
            return
        except CollectorError as error:
            response = answer(error, content_type)
        await response(scope, receive, send)

    def _admit(self, method: str, content_type: str) -> Transport:
        if method != "POST":
            raise self._refused(
                "method", MethodNotAllowed(f"{method} /v1/traces: spans come by POST.", "POST")
            )
        transport = TRANSPORTS.get(content_type)
        if transport is None:
            taken = ", ".join(TRANSPORTS)
            text = f"{content_type[:100]!r} is not taken here; send {taken}{_advice(content_type)}."
            raise self._refused("content_type", UnsupportedContentType(text))
        self._lifecycle.require_ready()
        return transport

    async def _take(self, headers: Headers, receive: Receive, transport: Transport) -> Response:
        with self._budget.share() as share:
            try:
                body = await self._receiver.body(headers, receive, share)
            except (BodyTooLarge, TooSlow, IntakeFull) as error:
                raise self._refused(_REASONS[type(error)], error) from None
            accepted = await self._intake.submit(body, headers.get("content-encoding"), transport)
        return Response(accepted_response(accepted), 200, media_type=PROTOBUF)

    def _refused(self, reason: str, error: CollectorError) -> CollectorError:
        self._telemetry.count("bodies_refused", reason)
        return error


def _advice(content_type: str) -> str:
    """What a sender of JSON must set: the variable that every OpenTelemetry SDK reads."""
    is_json = content_type == "application/json"
    return " (in an OpenTelemetry SDK: OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)" if is_json else ""
