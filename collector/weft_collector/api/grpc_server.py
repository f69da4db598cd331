"""The gRPC server: grpc.aio on the app's own event loop, with the methods of `grpc_methods`.

gRPC core speaks HTTP/2 and holds what comes within the limits of `_options`. Four things are not left to it:

* Inflating. Core would inflate gzip and deflate on its own, by one limit for a message as sent and inflated,
  and releases differ in whether they look at it before or after. Core is told to leave messages alone; the
  intake inflates them as it does those of HTTP: in its own thread, by two limits, counted, and with the
  faster library. (zstd over gRPC is refused by core itself: it does not know the name.)
* Receiving. A handler is called as soon as the headers are there and asks for the message itself (to core it
  is a stream of requests, on the wire there is no difference), so that a message has a deadline and a place
  (`grpc_reception`), and none is received that will be refused anyway.
* Statuses. Every CollectorError becomes the code that OTLP names for it. Where a sender is to try again,
  google.rpc.RetryInfo says when: without it OTLP forbids to retry RESOURCE_EXHAUSTED, with it any Unavailable
  is kept by the sender. Defects say nothing of the inside.
* The port. Core would share a port silently (SO_REUSEPORT); `cli/listening.py` holds it before.

Refused: threads (grpc's other server), since a message would cross two of them; generated stubs, since
decoding is the intake's work.

Browsers speak no HTTP/2 without TLS, so the guard of `security.py` has nothing to do here.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn

import grpc
from grpc import aio

from weft_collector.api.errors import CannotListen, ServerFailed, TooSlow
from weft_collector.api.grpc_methods import Message, Method, methods
from weft_collector.api.grpc_reception import Reception
from weft_collector.api.otlp_answers import retry_status, rpc_code
from weft_collector.api.parts import Parts, Surface
from weft_collector.api.receiving import Budget
from weft_collector.errors import BodyTooLarge, CollectorError, IntakeFull, Unavailable
from weft_collector.telemetry import Telemetry

__all__ = ["CONNECTIONS", "STREAMS", "GrpcServer"]

CONNECTIONS: Final = 2048
STREAMS: Final = 100
"""Calls at a time in one connection; a client that begins more before it knows is refused those."""
PLACES: Final = 32
"""Messages being received at a time, in all connections."""
STOP_SECONDS: Final = 3.0
_WINDOW: Final = 64 << 10
_METADATA: Final = 16 << 10
_HOUR_MS: Final = 3_600_000
_LONGEST_AGENT: Final = 200

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_REASONS: Final = {BodyTooLarge: "too_large", TooSlow: "too_slow", IntakeFull: "full"}
_log: Final = logging.getLogger(__name__)


def _options(surface: Surface) -> list[tuple[str, int]]:
    """What is asked of core; each keeps one thing that a client can make grow."""
    return [
        ("grpc.per_message_decompression", 0),
        ("grpc.max_receive_message_length", surface.body_bytes),
        ("grpc.max_concurrent_streams", STREAMS),
        ("grpc.max_allowed_incoming_connections", CONNECTIONS),
        ("grpc.max_metadata_size", _METADATA),
        ("grpc.absolute_max_metadata_size", _METADATA),
        # Bytes of a call that nobody has asked for yet; core would let it grow with the speed of the line.
        ("grpc.http2.lookahead_bytes", _WINDOW),
        ("grpc.http2.bdp_probe", 0),
        # Connections that do not speak, whose other end is gone, or that ping for nothing.
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.max_connection_idle_ms", 300_000),
        ("grpc.max_connection_age_ms", 12 * _HOUR_MS),
        ("grpc.max_connection_age_grace_ms", 30_000),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 2),
        ("grpc.so_reuseport", 1),  # the port is held by a socket that does not listen
    ]


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What bounds messages on their way in."""

    reception: Reception
    budget: Budget
    message_bytes: int


class GrpcServer:
    """The server; made for one start and one stop.

    Args:
        parts: What is served, and where.
        budget: Bounds all bodies together, those of HTTP included.
    """

    def __init__(self, parts: Parts, budget: Budget) -> None:
        self._surface = parts.surface
        reception = Reception(PLACES, parts.surface.body_seconds)
        bounds = _Bounds(reception, budget, parts.surface.body_bytes)
        self._calls = _Calls(methods(parts), bounds, parts.telemetry)
        self._server: aio.Server | None = None

    async def start(self) -> None:
        """Listen, if there is an address to listen on.

        Raises:
            CannotListen: The address cannot be listened on.
        """
        if not self._surface.grpc:
            return
        server = aio.server(options=_options(self._surface))
        server.add_generic_rpc_handlers((self._calls,))
        try:
            server.add_insecure_port(self._surface.grpc)
        except RuntimeError as error:
            raise CannotListen(f"{self._surface.grpc} cannot be listened on for gRPC: {error}.") from error
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Take no new calls, let those under way end, within STOP_SECONDS; safe twice, and without start."""
        if self._server is not None:
            await self._server.stop(STOP_SECONDS)
            self._server = None


class _Calls(grpc.GenericRpcHandler):
    """Serves calls by the table of methods."""

    def __init__(self, table: Mapping[str, Method], bounds: _Bounds, telemetry: Telemetry) -> None:
        self._handlers = {
            path: grpc.stream_unary_rpc_method_handler(partial(self._serve, method))
            for path, method in table.items()
        }
        self._bounds = bounds
        self._telemetry = telemetry

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """See grpc: the handler for a path, or None, which core answers with UNIMPLEMENTED."""
        handler = self._handlers.get(handler_call_details.method)
        if handler is None:
            self._telemetry.count("bodies_refused", "method")
        return handler

    async def _serve(self, method: Method, _requests: object, context: aio.ServicerContext) -> bytes:
        try:
            return await self._answer(method, context)
        except CollectorError as error:
            await _refuse(context, error)
        except Exception:  # noqa: BLE001 - the outermost handler; grpc would tell the client what it says
            _log.exception("a call over gRPC met a defect of the collector")
            await _refuse(context, ServerFailed("This is a defect of the collector, not of the message."))

    async def _answer(self, method: Method, context: aio.ServicerContext) -> bytes:
        method.admit()
        with self._bounds.budget.share() as share:
            try:
                message = await self._receive(context)
                share.take(len(message))
            except (BodyTooLarge, TooSlow, IntakeFull) as error:
                self._telemetry.count("bodies_refused", _REASONS[type(error)])
                raise
            return await method.answer(Message(message, _client(context)))

    async def _receive(self, context: aio.ServicerContext) -> bytes:
        try:
            message = await self._bounds.reception.take(context.read)
        except asyncio.CancelledError:
            self._telemetry.count("bodies_abandoned", "incomplete")
            raise
        if not isinstance(message, bytes):  # the end of the stream: core has refused the message
            raise BodyTooLarge(f"No message of at most {self._bounds.message_bytes} bytes came.")
        return message


def _client(context: aio.ServicerContext) -> tuple[str, ...]:
    """Address without the port, and user agent."""
    agent = next(
        (str(value) for key, value in context.invocation_metadata() or () if key == "user-agent"), ""
    )
    return context.peer().rpartition(":")[0], agent[:_LONGEST_AGENT]


async def _refuse(context: aio.ServicerContext, error: CollectorError) -> NoReturn:
    code = rpc_code(error.status)
    text = f"{error.title}: {error}".encode(errors="replace").decode()
    if isinstance(error, Unavailable):
        details = retry_status(code, text, error.retry_after)
        context.set_trailing_metadata((("grpc-status-details-bin", details),))
    await context.abort(_CODES[code], text)
