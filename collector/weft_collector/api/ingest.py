"""Where bodies come in over HTTP: `POST` to the doors of `doors.py`.

Raw ASGI endpoints inside the app: a body's bytes go to the intake as they are, past all that a framework does to
bodies. Inflating, transcoding and decoding are the intake's, in a thread of its own.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from weft_collector.api.doors import Door
from weft_collector.api.errors import MethodNotAllowed, TooSlow
from weft_collector.api.lifecycle import Lifecycle
from weft_collector.api.receiving import Budget, Receiver, SenderGone, Share
from weft_collector.errors import BodyTooLarge, CollectorError, IntakeFull, UnsupportedContentType
from weft_collector.intake import Intake
from weft_collector.store.ports import Transport
from weft_collector.telemetry import Telemetry

__all__ = ["Endpoint", "Ingest", "Receiving"]

_REASONS: Final = {BodyTooLarge: "too_large", TooSlow: "too_slow", IntakeFull: "full"}


@dataclass(frozen=True, slots=True)
class Receiving:
    """What all doors share.

    Attributes:
        lifecycle: Says whether bodies are taken now.
        intake: Takes whole bodies.
        receiver: Takes a body in.
        budget: Bounds all bodies together.
        telemetry: Counts what is refused before the intake sees it.
    """

    lifecycle: Lifecycle
    intake: Intake
    receiver: Receiver
    budget: Budget
    telemetry: Telemetry


class Endpoint(ABC):
    """A door's endpoint, up to a whole body; what becomes of it is said by the class below.

    Args:
        door: What is taken, and how refusals are told.
        receiving: What all doors share.
    """

    def __init__(self, door: Door, receiving: Receiving) -> None:
        self._door = door
        self._receiving = receiving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; see ASGI."""
        headers = Headers(scope=scope)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            transport = self._admit(scope["method"], content_type)
            with self._receiving.budget.share() as share:
                body = await self._body(headers, receive, share)
                response = await self._take(body, scope, transport, content_type)
        except SenderGone:
            self._receiving.telemetry.count("bodies_abandoned", "incomplete")
            return
        except CollectorError as error:
            response = self._door.refusal(error, content_type)
        await response(scope, receive, send)

    @abstractmethod
    async def _take(self, body: bytes, scope: Scope, transport: Transport, content_type: str) -> Response:
        """What is answered to a whole body.

        Raises:
            CollectorError: It is refused.
        """

    def _admit(self, method: str, content_type: str) -> Transport:
        door = self._door
        if method != "POST":
            error = MethodNotAllowed(f"{method} {door.path}: bodies come by POST.", "POST")
            raise self._refused("method", error)
        transport = door.transports.get(content_type)
        if transport is None:
            text = f"{content_type[:100]!r} is not taken here; send {' or '.join(door.transports)}."
            raise self._refused("content_type", UnsupportedContentType(text))
        self._receiving.lifecycle.require_ready()
        return transport

    async def _body(self, headers: Headers, receive: Receive, share: Share) -> bytes:
        try:
            return await self._receiving.receiver.body(headers, receive, share)
        except (BodyTooLarge, TooSlow, IntakeFull) as error:
            raise self._refused(_REASONS[type(error)], error) from None

    def _refused(self, reason: str, error: CollectorError) -> CollectorError:
        self._receiving.telemetry.count("bodies_refused", reason)
        return error


class Ingest(Endpoint):
    """The endpoint of a door for spans."""

    async def _take(self, body: bytes, scope: Scope, transport: Transport, content_type: str) -> Response:
        encoding = Headers(scope=scope).get("content-encoding")
        accepted = await self._receiving.intake.submit(body, encoding, transport)
        return self._door.success(accepted, content_type)
