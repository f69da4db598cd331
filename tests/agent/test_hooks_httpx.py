import asyncio
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as otel
from opentelemetry.trace import SpanKind, StatusCode

from weft import context, guard
from weft.context import Process
from weft.hooks import install


@pytest.fixture(autouse=True)
def default(agent, monkeypatch):
    monkeypatch.setattr(Process, "default", agent)


class Server(ThreadingHTTPServer):
    seen: list[dict[str, str]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        status, location = (
            (302, "/end")
            if self.path == "/redirect"
            else (int(self.path[-3:]), None)
            if self.path[-3:].isdigit()
            else (200, None)
        )
        self.send_response(status)
        if location:
            self.send_header("location", location)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    made = Server(("127.0.0.1", 0), Handler)
    made.seen = []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def get_sync(url, **options):
    with httpx.Client(follow_redirects=True) as client:
        return client.get(url, **options)


def get_async(url, **options):
    async def get():
        async with httpx.AsyncClient(follow_redirects=True) as client:
            return await client.get(url, **options)

    return asyncio.run(get())


both = pytest.mark.parametrize("get", [get_sync, get_async])


@both
def test_a_real_call_becomes_a_client_span_with_its_headers(get, server, reporter, agent):
    port = server.server_address[1]
    assert get(f"http://127.0.0.1:{port}/cart?token=secret&page=2").status_code == 200
    (span,) = reporter.spans
    assert (span.name, span.kind, span.status.status_code) == ("GET", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "url.full": f"http://127.0.0.1:{port}/cart?token=REDACTED&page=REDACTED",
        "server.address": "127.0.0.1",
        "server.port": port,
        "http.response.status_code": 200,
    }
    (headers,) = server.seen
    assert headers["traceparent"] == f"00-{span.trace_id:032x}-{span.span_id:016x}-03"
    assert headers["tracestate"] == f"weft={span.span_id:016x};cart;{agent.instance}"
    assert not guard.failures


@both
def test_each_request_of_a_redirect_is_a_call_of_its_own(get, server, reporter):
    get(f"http://127.0.0.1:{server.server_address[1]}/redirect")
    assert [span.attributes["http.response.status_code"] for span in reporter.spans] == [302, 200]
    assert len({headers["traceparent"] for headers in server.seen}) == 2


@both
@pytest.mark.parametrize(
    ("status", "code"), [(399, StatusCode.UNSET), (404, StatusCode.ERROR), (503, StatusCode.ERROR)]
)
def test_status_codes(get, server, reporter, status, code):
    get(f"http://127.0.0.1:{server.server_address[1]}/{status}")
    (span,) = reporter.spans
    assert span.status.status_code is code
    assert span.attributes.get("error.type") == (str(status) if code is StatusCode.ERROR else None)


@both
def test_a_failed_call_is_recorded_and_its_exception_is_the_hosts(get, reporter):
    with pytest.raises(httpx.ConnectError):
        get("http://127.0.0.1:9/")
    (span,) = reporter.spans
    assert span.attributes["error.type"] == "httpx.ConnectError"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ConnectError")
    assert span.events[0].attributes["exception.type"] == "httpx.ConnectError"


@both
def test_the_call_is_a_child_of_the_current_span_and_current_itself(get, server, reporter, agent):
    with agent.provider.get_tracer("t").start_as_current_span("work") as work:
        get(f"http://127.0.0.1:{server.server_address[1]}/")
        assert trace.get_current_span() is work
    call = reporter.spans[0]
    assert call.parent == work.context


def test_a_cancelled_call_ends_as_an_error(reporter):
    async def never(request):
        await asyncio.Event().wait()

    async def main():
        async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as client:
            async with asyncio.timeout(0.01):
                await client.get("http://cart/")

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    (span,) = reporter.spans
    assert span.attributes["error.type"] == "asyncio.exceptions.CancelledError"
    assert span.status.status_code is StatusCode.ERROR


def mock(handler=lambda request: httpx.Response(200)) -> tuple[httpx.Client, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handle(request):
        seen.append(request)
        return handler(request)

    return httpx.Client(transport=httpx.MockTransport(handle)), seen


def test_credentials_and_odd_addresses(reporter):
    client, _ = mock()
    for url in (
        "http://user:pass@cart/x",
        "https://cart/?a",
        "http://[::1]:8000/",
        "http://cart/?=1&a b=2",
        "http://cart/%FF?",
    ):
        client.get(url)
    assert [span.attributes["url.full"] for span in reporter.spans] == [
        "http://cart/x", "https://cart/?a=REDACTED", "http://[::1]:8000/", "http://cart/?_=REDACTED&_=REDACTED",
        "http://cart/%FF?",
    ]  # fmt: skip
    assert [span.attributes["server.port"] for span in reporter.spans] == [80, 443, 8000, 80, 80]
    assert "pass" not in str([dict(span.attributes) for span in reporter.spans])


def test_many_parameters_cost_no_time():
    from weft.hooks.http import redacted_query

    assert redacted_query("&".join("a=1" for _ in range(10_000))) == "REDACTED"
    assert redacted_query("&") == "REDACTED"


def test_unknown_methods_keep_names_few(reporter):
    client, _ = mock()
    client.request("BREW", "http://cart/")
    assert (reporter.spans[0].name, reporter.spans[0].attributes["http.request.method"]) == ("HTTP", "_OTHER")


def test_strangers_are_told_neither_the_caller_nor_the_baggage():
    client, seen = mock()
    token = otel.attach(baggage.set_baggage("user", "1"))
    client.get("http://cart/")
    client.get("http://example.com/")
    otel.detach(token)
    assert seen[0].headers.keys() >= {"traceparent", "tracestate", "baggage"}
    assert seen[1].headers.keys() & {"traceparent", "tracestate", "baggage"} == {"traceparent"}


def test_a_request_that_is_sent_again_carries_new_headers_once():
    client, seen = mock()
    request = client.build_request("GET", "http://cart/")
    client.send(request)
    first = request.headers["traceparent"]
    client.send(request)
    assert len(request.headers.get_list("traceparent")) == 1
    assert request.headers["traceparent"] != first
    assert len(seen) == 2


def test_an_unsampled_call_carries_the_decision(reporter, monkeypatch):
    from weft.agent import Agent

    monkeypatch.setattr(Process, "default", Agent("off", sampler="always_off", parts=reporter.parts()))
    client, seen = mock()
    client.get("http://cart/")
    assert reporter.spans == []
    assert seen[0].headers["traceparent"].endswith("-02")


def test_suppressed_calls_are_left_alone(reporter):
    client, seen = mock()
    token = context.suppress()
    client.get("http://cart/")
    context.detach(token)
    assert reporter.spans == []
    assert "traceparent" not in seen[0].headers


def test_without_an_agent_calls_are_left_alone(monkeypatch):
    monkeypatch.setattr(Process, "default", None)
    client, seen = mock()
    client.get("http://cart/")
    assert "traceparent" not in seen[0].headers


def test_a_call_belongs_to_the_agent_of_the_current_span(reporter):
    from weft.agent import Agent
    from weft.testing import RecordingReporter

    theirs = RecordingReporter()
    other = Agent("other", parts=theirs.parts())
    client, seen = mock()
    with other.provider.get_tracer("t").start_as_current_span("work"):
        client.get("http://cart/")
    client.get("http://cart/")
    assert [span.resource.service for span in theirs.spans] == ["other", "other"]
    assert [span.resource.service for span in reporter.spans] == ["cart"]
    assert [request.headers["tracestate"].split(";")[1] for request in seen] == ["other", "cart"]


def test_a_hook_that_breaks_leaves_the_call_alone(monkeypatch):
    from weft.hooks import httpx as hook

    def broken(*_):
        raise RuntimeError("a bug of ours")

    client, _ = mock()
    for name in ("call_headers", "describe", "exchange_failed"):
        with monkeypatch.context() as patch:
            patch.setattr(hook, name, broken)
            assert client.get("http://cart/").status_code == 200
    assert sum(guard.failures.values()) == 3
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_the_hook_is_put_on_once_and_taken_off():
    before = httpx.HTTPTransport.handle_request
    install.install(["httpx"])
    assert httpx.HTTPTransport.handle_request is before
    install.remove()
    assert not hasattr(httpx.HTTPTransport.handle_request, "__wrapped__")
    assert not hasattr(httpx.MockTransport.handle_async_request, "__wrapped__")
    assert not hasattr(httpx.MockTransport.handle_request, "__wrapped__")


def test_no_warning_comes_of_it(server):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        get_sync(f"http://127.0.0.1:{server.server_address[1]}/")
