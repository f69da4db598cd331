import asyncio

import httpx
import pytest
from fastapi import FastAPI, HTTPException, WebSocket
from opentelemetry import baggage, trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse

import weft
from tests.agent.test_headers import PARENT, S, T
from weft import guard
from weft.agent import Agent
from weft.context import Process
from weft.hooks.asgi import Middleware
from weft.testing import RecordingReporter


def scope(**changes):
    return {
        "type": "http", "method": "GET", "scheme": "http",
        "path": "/x", "raw_path": b"/x", "query_string": b"a=1",
        "headers": [], "client": ("10.0.0.7", 5000), "server": ("127.0.0.1", 8000), **changes,
    }  # fmt: skip


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


def serve(app, request=None):
    """Run one request; the messages that the application sent."""
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope() if request is None else request, receive, send))
    return sent


def answering(status=200, before=lambda: None, after=lambda: None):
    async def app(_scope, _receive, send):
        before()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})
        after()

    return app


def test_a_request_to_a_bare_application(agent, reporter):
    sent = serve(agent.asgi(answering()))
    (span,) = reporter.spans
    assert len(sent) == 3
    assert (span.name, span.kind, span.parent) == ("GET", SpanKind.SERVER, None)
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "url.path": "/x",
        "url.scheme": "http",
        "client.address": "10.0.0.7",
        "server.address": "127.0.0.1",
        "server.port": 8000,
        "http.response.status_code": 200,
    }
    assert not guard.failures


@pytest.mark.parametrize(
    ("status", "code"), [(404, StatusCode.UNSET), (500, StatusCode.ERROR), (503, StatusCode.ERROR)]
)
def test_server_errors_are_errors_and_client_errors_are_not(agent, reporter, status, code):
    serve(agent.asgi(answering(status)))
    assert reporter.spans[0].status.status_code is code
    assert reporter.spans[0].attributes.get("error.type") == (str(status) if status >= 500 else None)


def test_the_remote_parent_the_caller_entry_and_the_baggage_come_in(agent, reporter):
    seen = []
    headers = [
        (b"traceparent", PARENT.encode()),
        (b"tracestate", b"weft=x;y;z"),
        (b"tracestate", b"v=1"),
        (b"baggage", b"a=b"),
    ]
    serve(agent.asgi(answering(before=lambda: seen.append(baggage.get_all()))), scope(headers=headers))
    (span,) = reporter.spans
    assert (span.parent.trace_id, span.parent.span_id, span.parent.is_remote) == (T, S, True)
    assert span.state.to_header() == "weft=x;y;z,v=1"
    assert span.context.trace_state.to_header() == "v=1"
    assert seen == [{"a": "b"}]


def test_two_traceparents_make_a_new_trace(agent, reporter):
    serve(agent.asgi(answering()), scope(headers=[(b"traceparent", PARENT.encode())] * 2))
    assert reporter.spans[0].parent is None


def test_an_unsampled_request_is_not_recorded_and_passed_on(agent, reporter):
    seen = []
    headers = [(b"traceparent", PARENT[:-2].encode() + b"00")]
    app = answering(before=lambda: seen.append(trace.get_current_span().get_span_context()))
    serve(agent.asgi(app), scope(headers=headers))
    assert reporter.spans == []
    assert (seen[0].trace_id, seen[0].trace_flags) == (T, 0)


def test_an_exception_is_recorded_and_raised(agent, reporter):
    async def app(*_):
        raise KeyError("x")

    with pytest.raises(KeyError):
        serve(agent.asgi(app))
    (span,) = reporter.spans
    assert span.attributes["error.type"] == "KeyError"
    assert "http.response.status_code" not in span.attributes
    assert span.status.status_code is StatusCode.ERROR
    assert span.events[0].attributes["exception.type"] == "KeyError"
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_cancelled_request_ends_its_span(agent, reporter):
    async def app(*_):
        await asyncio.Event().wait()

    async def main():
        async with asyncio.timeout(0.01):
            await agent.asgi(app)(scope(), receive, None)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert reporter.spans[0].attributes["error.type"] == "asyncio.exceptions.CancelledError"


def test_the_span_ends_with_the_answer_and_not_with_the_work_behind_it(agent, reporter, clock):
    serve(agent.asgi(answering(before=lambda: clock.advance(5), after=lambda: clock.advance(100))))
    assert reporter.spans[0].end_time - reporter.spans[0].start_time == 5


def test_unknown_methods_keep_names_few(agent, reporter):
    serve(agent.asgi(answering()), scope(method="BREW"))
    assert (reporter.spans[0].name, reporter.spans[0].attributes["http.request.method"]) == ("HTTP", "_OTHER")


def test_lifespan_passes_through(agent, reporter):
    seen = []

    async def app(scope_, receive_, send_):
        seen.append((scope_, receive_, send_))

    async def send(message):
        """Take a message."""

    given = {"type": "lifespan"}
    asyncio.run(agent.asgi(app)(given, receive, send))
    assert seen == [(given, receive, send)]
    assert given == {"type": "lifespan"}
    assert reporter.spans == []


def fastapi_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{item}")
    async def item(item: int):
        if item == 4:
            raise HTTPException(404)
        if item == 5:
            raise ZeroDivisionError
        return {"item": item}

    @app.get("/stream")
    def stream():
        return StreamingResponse(iter([b"a", b"b"]), background=BackgroundTask(lambda: None))

    @app.websocket("/ws/{room}")
    async def room(websocket: WebSocket, room: str):
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    sub = FastAPI()

    @sub.get("/leaf/{n}")
    def leaf(n: int):
        return n

    app.mount("/sub", sub)
    return app


def get(app, path: str) -> httpx.Response:
    async def run():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://cart") as client:
            return await client.get(path)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [
        ("/items/1", "GET /items/{item}", 200),
        ("/items/4", "GET /items/{item}", 404),
        ("/items/5", "GET /items/{item}", 500),
        ("/items/x", "GET /items/{item}", 422),
        ("/stream", "GET /stream", 200),
        ("/nowhere", "GET", 404),
        ("/sub/leaf/3", "GET /sub/leaf/{n}", 200),
    ],
)
def test_fastapi_routes(agent, reporter, path, name, status):
    assert get(agent.asgi(fastapi_app()), path).status_code == status
    (span,) = reporter.spans
    assert (span.name, span.attributes["http.response.status_code"]) == (name, status)
    assert span.attributes.get("http.route") == (name.partition(" ")[2] or None)
    assert span.status.status_code is (StatusCode.ERROR if status >= 500 else StatusCode.UNSET)
    assert not guard.failures


def test_a_websocket_is_one_span(agent, reporter):
    incoming = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}])
    sent = []

    async def take():
        return next(incoming)

    async def send(message):
        sent.append(message["type"])

    changes = {"type": "websocket", "path": "/ws/a", "scheme": "ws", "subprotocols": [], "query_string": b""}
    asyncio.run(agent.asgi(fastapi_app())(scope(**changes), take, send))
    assert sent == ["websocket.accept", "websocket.send", "websocket.close"]
    (span,) = reporter.spans
    assert (span.name, span.kind) == ("WEBSOCKET /ws/{room}", SpanKind.SERVER)
    assert span.attributes["url.scheme"] == "ws"
    assert "http.request.method" not in span.attributes


def test_as_a_middleware_of_the_framework(agent, reporter):
    app = fastapi_app()
    app.add_middleware(Middleware, agent=agent)
    get(app, "/items/1")
    assert served(reporter) == ["GET /items/{item}"]


def served(reporter: RecordingReporter) -> list[str]:
    return [span.name for span in reporter.spans if span.kind is SpanKind.SERVER]


def test_fastapis_own_spans_and_ours_are_never_both_made(reporter):
    default = weft.init(service="cart", parts=reporter.parts(), hooks=())
    bare, inside = fastapi_app(), fastapi_app()
    inside.add_middleware(Middleware)
    for app in (bare, inside, weft.asgi(fastapi_app()), default.asgi(fastapi_app())):
        reporter.spans.clear()
        get(app, "/items/1")
        assert served(reporter) == ["GET /items/{item}"]
    assert len(reporter.spans) == 1  # around it, ours is the only one
    assert weft.shutdown()


def test_never_recorded_twice(agent, reporter):
    serve(agent.asgi(agent.asgi(answering())))
    serve(Middleware(agent.asgi(answering()), agent, automatic=True))
    assert len(reporter.spans) == 2


def test_the_default_agent_is_looked_up_at_each_request(agent, reporter, monkeypatch):
    app = weft.asgi(answering())
    serve(app)
    monkeypatch.setattr(Process, "default", agent)
    serve(app)
    assert len(reporter.spans) == 1


@pytest.fixture
def theirs():
    return RecordingReporter()


@pytest.fixture
def other(theirs):
    return Agent("other", parts=theirs.parts())


def test_a_service_mounted_in_a_service_is_called_by_it(agent, reporter, other, theirs):
    serve(agent.asgi(other.asgi(answering())), scope(headers=[(b"traceparent", PARENT.encode())]))
    assert reporter.spans[0].parent.span_id == S
    assert theirs.spans[0].parent == reporter.spans[0].context


def test_an_automatic_middleware_steps_back_for_an_explicit_one(agent, reporter, other, theirs):
    serve(
        Middleware(other.asgi(answering()), agent, automatic=True),
        scope(headers=[(b"traceparent", PARENT.encode())]),
    )
    assert reporter.spans == []
    assert theirs.spans[0].parent.span_id == S


def test_what_proxies_headers_changed_is_read_at_the_end(agent, reporter):
    async def proxied(scope_, receive_, send_):
        scope_["client"], scope_["scheme"] = ("203.0.113.9", 0), "https"
        await answering()(scope_, receive_, send_)

    serve(agent.asgi(proxied))
    assert reporter.spans[0].attributes["client.address"] == "203.0.113.9"
    assert reporter.spans[0].attributes["url.scheme"] == "https"


def test_a_unix_socket_has_no_port(agent, reporter):
    serve(agent.asgi(answering()), scope(client=None, server=("/run/app.sock", None)))
    assert "server.port" not in reporter.spans[0].attributes
    assert "client.address" not in reporter.spans[0].attributes


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError("hostile")

    __str__ = __repr__ = __bool__ = __len__ = __iter__ = lambda self: self.broken


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": Hostile()},
        {"headers": [(b"traceparent", b"\xff" * 100), (b"tracestate", b"\x00"), (b"baggage", b"\xff=%zz")]},
        {"route": Hostile()},
        {"client": Hostile()},
        {"path": Hostile()},
        {"method": Hostile()},
        {"root_path": 3, "route": type("Route", (), {"path": "/x"})},
    ],
)
def test_a_hostile_scope_never_reaches_the_host(agent, changes):
    assert len(serve(agent.asgi(answering()), scope(**changes))) == 3
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_hostile_message_passes_as_it_is(agent):
    async def app(_scope, _receive, send):
        await send({"no": "type"})

    assert serve(agent.asgi(app)) == [{"no": "type"}]


def test_the_tree_of_a_chain_of_services(agent, reporter, other, theirs):
    """shop -> cart -> stock in one process over httpx: parents, the caller's entries, identities."""
    stock = httpx.ASGITransport(other.asgi(PlainTextResponse("stock")))

    async def cart(scope_, receive_, send_):
        async with httpx.AsyncClient(transport=stock) as inner:
            answer = await inner.get("http://stock/items")
        await PlainTextResponse(answer.text)(scope_, receive_, send_)

    async def main():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(agent.asgi(cart))) as outer:
            return (await outer.get("http://cart/")).text

    shop_spans = RecordingReporter()
    shop = Agent("shop", parts=shop_spans.parts())
    with shop.provider.get_tracer("t").start_as_current_span("buy"):
        assert asyncio.run(main()) == "stock"
    (call, buy), (inner_call, served), (leaf,) = shop_spans.spans, reporter.spans, theirs.spans
    assert [span.kind.name for span in (buy, call, served, inner_call, leaf)] == [
        "INTERNAL", "CLIENT", "SERVER", "CLIENT", "SERVER",
    ]  # fmt: skip
    assert [span.parent_id for span in (call, served, inner_call, leaf)] == [
        span.span_id for span in (buy, call, served, inner_call)
    ]
    assert len({span.trace_id for span in (buy, call, served, inner_call, leaf)}) == 1
    assert served.state["weft"] == f"{call.span_id:016x};shop;{shop.instance}"
    assert leaf.state["weft"] == f"{inner_call.span_id:016x};cart;{agent.instance}"
    assert "weft" not in inner_call.state
    assert served.parent.is_remote
    assert leaf.parent.is_remote
