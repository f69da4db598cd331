"""`POST /v1/metrics` and `/v1/logs`: the doors over HTTP for what `signals.py` takes."""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from weft_collector.api.doors import TRACES, otlp_response
from weft_collector.api.ingest import Endpoint, Receiving
from weft_collector.api.signals import Sent, Signal, SignalIntake
from weft_collector.store.ports import Transport

__all__ = ["SignalDoor"]

_LONGEST_AGENT: Final = 200


class SignalDoor(Endpoint):
    """The endpoint of one signal.

    Args:
        signal: Which.
        receiving: What it shares with the doors for spans.
        intake: Takes its bodies.
    """

    def __init__(self, signal: Signal, receiving: Receiving, intake: SignalIntake) -> None:
        super().__init__(TRACES._replace(path=f"/v1/{signal.name}"), receiving)
        self._signal = signal
        self._intake = intake

    async def _take(self, body: bytes, scope: Scope, transport: Transport, content_type: str) -> Response:
        headers = Headers(scope=scope)
        sent = Sent(body, headers.get("content-encoding"), transport, _client(scope, headers))
        told = await self._intake.take(self._signal, sent)
        return otlp_response(told.rejected, told.message, self._signal.counted, content_type)


def _client(scope: Scope, headers: Headers) -> tuple[str, ...]:
    address = scope.get("client") or ("", 0)
    return address[0], headers.get("user-agent", "")[:_LONGEST_AGENT]
