"""Requests served by ASGI applications: one SERVER span each, nothing per message.

The span runs from the request's arrival until the last part of the answer is handed to the server;
background work that a framework does behind it is not the caller's waiting time. `http.route` is what the
framework leaves in the scope; what proxies' headers change there (client, scheme) is read at the end too.

A request that several of our middlewares see gets one span. The exception is a service inside another
service, an application of agent B mounted in one of agent A: there B's span is a child of A's. A middleware
that was put around a server's application *automatically* knows less than one written into the code, so it
steps back: its span is dropped when an explicit one of another agent follows.

FastAPI records requests by itself where a global provider is set: one server span and three more for each
request. Where our middleware is around it, FastAPI is told that this is done; where it is inside, ours is.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode

from weft import __version__, context
from weft.context import SPAN_KEY, Process
from weft.core import Core, Scope
from weft.failure import type_name
from weft.guard import guarded
from weft.headers import Headers, read, with_baggage
from weft.hooks.http import exchange_failed, method_name, span_name
from weft.provider import Parent, Recorded, parent_in, start
from weft.span import Span
from weft.values import text

if TYPE_CHECKING:
    from weft.agent import Agent

ASGIScope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[ASGIScope, Receive, Send], Awaitable[None]]

SCOPE: Final = Scope("weft.asgi", __version__)
EXCHANGE: Final = "weft.exchange"
"""Where the exchange is kept in the ASGI scope, for the middlewares further in."""
KINDS: Final = frozenset({"http", "websocket"})
"""The kinds of connection that are recorded; `lifespan` is none."""
FASTAPI: Final = "fastapi.telemetry"
"""FastAPI keeps its own record of a request here, and makes none where the key is there already."""
_CARRIERS: Final = {b"traceparent": 0, b"tracestate": 1, b"baggage": 2}


class Middleware:
    """Records the requests that an ASGI application serves.

    Args:
        app: the application.
        agent: whose service it is; None means the default agent at the time of each request.
        automatic: whether nobody asked for this middleware in the code.
    """

    def __init__(self, app: ASGIApp, agent: "Agent | None" = None, *, automatic: bool = False) -> None:
        self.app = app
        self.automatic = automatic
        self._agent = agent

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        exchange = self._open(scope)
        if exchange is None:
            await self.app(scope, receive, send)
            return
        token = context.attach(exchange.context)
        try:
            await self.app(scope, receive, exchange.watch(send))
        except BaseException as error:
            exchange.failed(error)
            raise
        finally:
            context.detach(token)
            exchange.close()

    @guarded
    def _open(self, scope: ASGIScope) -> "Exchange | None":
        agent = self._agent or Process.default
        around = context.current()
        if agent is None or scope["type"] not in KINDS or context.suppressed(around):
            return None
        outer: Exchange | None = scope.get(EXCHANGE)
        if outer is None and _recorded_by_framework(scope, agent.core, around):
            return None
        if outer is not None:
            if outer.core is agent.core or self.automatic:
                return None
            if not outer.automatic:
                return self._begin(agent.core, scope, parent_in(around), around)
            outer.dropped = True
        arrival = read(_carried(scope["headers"]))
        return self._begin(agent.core, scope, arrival.parent, with_baggage(arrival.baggage, around))

    def _begin(self, core: Core, scope: ASGIScope, parent: Parent, around: Context) -> "Exchange":
        span = start(core, SCOPE, span_name(_method(scope)), SpanKind.SERVER, parent)
        exchange = scope[EXCHANGE] = Exchange(span, scope, automatic=self.automatic)
        scope.setdefault(FASTAPI, None)
        exchange.context = context.with_span(span, around)
        return exchange


def _recorded_by_framework(scope: ASGIScope, core: Core, around: Context) -> bool:
    """Whether FastAPI, around this middleware, has made a server span for this service already."""
    current = around.get(SPAN_KEY)
    ours = type(current) is Span and current.core is core and current.kind is SpanKind.SERVER
    return ours and scope.get(FASTAPI) is not None


def _carried(headers: list[tuple[bytes, bytes]]) -> Headers:
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    for name, value in headers:
        place = _CARRIERS.get(name)
        if place is not None:
            found[place].append(value.decode("latin-1"))
    return Headers(*found)


def _method(scope: ASGIScope) -> str:
    return method_name(scope["method"]) if scope["type"] == "http" else "WEBSOCKET"


class Exchange:
    """One request and its answer, or one WebSocket connection."""

    __slots__ = ("_ended", "_scope", "_status", "automatic", "context", "core", "dropped", "span")

    context: Context

    def __init__(self, span: Recorded, scope: ASGIScope, *, automatic: bool) -> None:
        self.span = span
        self.core = span.core
        self.automatic = automatic
        self.dropped = False
        self._scope = scope
        self._status = 0
        self._ended: int | None = None

    def watch(self, send: Send) -> Send:
        """Return `send` with an eye on the messages that tell how the exchange went."""

        def watched(message: Message) -> Awaitable[None]:
            self._note(message)
            return send(message)

        return cast("Send", watched)

    @guarded
    def _note(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            self._status = message["status"]
        elif kind == "http.response.body" and not message.get("more_body"):
            self._ended = self.core.clock()

    @guarded
    def failed(self, error: BaseException) -> None:
        """Note that the application raised; a task cancelled behind the whole answer did its work."""
        if self._ended is None or isinstance(error, Exception):
            self.span.set_attribute("error.type", type_name(error))
            self.span.set_status(StatusCode.ERROR, type(error).__name__)
            self.span.record_exception(error)

    @guarded
    def close(self) -> None:
        """End the span."""
        span = self.span
        if type(span) is Span and not self.dropped:
            describe(span, self._scope, self._status)
            span.end(self._ended)


def describe(span: Span, scope: ASGIScope, status: int) -> None:
    """Write what the finished exchange shows."""
    method, route = _method(scope), route_of(scope)
    found = {"url.path": scope["path"], "url.scheme": scope.get("scheme", "http"), **_addresses(scope)}
    if scope["type"] == "http":
        found["http.request.method"] = method
    if route:
        found["http.route"] = route
        span.update_name(span_name(method, route))
    if status:
        found["http.response.status_code"] = status
    span.fill(found)
    if exchange_failed(status, server=True) and "error.type" not in span.attributes:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def _addresses(scope: ASGIScope) -> dict[str, Any]:
    client, server = scope.get("client"), scope.get("server")
    found = {"client.address": client[0]} if client else {}
    if server:
        found["server.address"] = server[0]
        if server[1] is not None:
            found["server.port"] = server[1]
    return found


def route_of(scope: ASGIScope) -> str | None:
    """Return the pattern of the route that served the request, if the framework left it in the scope."""
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    return text(scope.get("root_path", "") + path, 1024) if isinstance(path, str) else None
