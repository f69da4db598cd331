"""Search over HTTP: what is asked, what is answered, what is refused."""

import asyncio
import threading
from itertools import count

import pytest

from tests.collector.api import bodies
from weft_collector.api import schemas
from weft_collector.query.caller import Caller
from weft_collector.query.queries import Queries, QueryLimits, Searched
from weft_collector.store.tokens import tokens_of


@pytest.fixture
def shop(collector):
    collector.ingest_shop()
    return collector


def test_traces_are_found_by_what_a_span_of_theirs_is(shop):
    answer = shop.get("/api/v1/traces", service="cart", status="error").json()
    assert [trace["trace_id"] for trace in answer["traces"]] == [f"{11:032x}"]
    assert answer["traces"][0]["root"]["service"] == "web"
    assert {row["service"] for row in answer["traces"][0]["services"]} == {"web", "cart"}
    assert (answer["complete"], answer["cursor"]) == (True, None)


def test_answers_have_the_documented_shapes(shop):
    for path, shape in (
        ("traces", schemas.FoundTraces), ("spans", schemas.FoundSpans), ("services", schemas.Services),
        ("services/cart/operations", schemas.Operations), ("attributes", schemas.Attributes),
        ("attributes/service.name/values", schemas.Values),
    ):  # fmt: skip
        answer = shop.get(f"/api/v1/{path}")
        assert answer.status_code == 200
        shape.model_validate(answer.json())


def test_names_are_listed(shop):
    assert shop.get("/api/v1/services").json()["services"] == ["auth", "cart", "web"]
    assert shop.get("/api/v1/services/cart/operations").json() == {
        "operations": ["GET /cart"],
        "complete": True,
    }
    assert shop.get("/api/v1/attributes/service.instance.id/values").json()["values"] == [
        "auth-1",
        "cart-1",
        "web-1",
    ]


def test_pages_follow_each_other_though_time_goes_on(shop):
    first = shop.get("/api/v1/spans", limit=15, window="5m").json()
    shop.clock.advance(3600)
    second = shop.get("/api/v1/spans", limit=15, window="5m", cursor=first["cursor"]).json()
    ids = [(span["trace_id"], span["span_id"]) for page in (first, second) for span in page["spans"]]
    assert len(ids) == len(set(ids)) == 19
    assert second["cursor"] is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kind": "client"}, 7), ({"kind": "SERVER", "service": "web"}, 5), ({"operation": "GET /cart"}, 19),
        ({"min_duration": "8ms"}, 7), ({"max_duration": "5ms", "service": "auth"}, 3), ({"status": "error"}, 2),
        ({"attribute": "service.instance.id=cart-1"}, 4), ({"attribute": "no.such=1"}, 0), ({"window": "30s"}, 0),
        ({"start": "2026-11-23T10:06:30Z", "end": "2026-11-23T10:06:30.001Z"}, 2),
    ],
)  # fmt: skip
def test_each_parameter_asks(shop, asked, found):
    assert len(shop.get("/api/v1/spans", limit=100, **asked).json()["spans"]) == found


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"kind": "sideways"}, "kind"), ({"status": "bad"}, "status"), ({"sort": "name"}, "sort"),
        ({"min_duration": "5"}, "250ms"), ({"max_duration": "x"}, "max_duration"), ({"limit": 0}, "limit"),
        ({"limit": 5000}, "limit"), ({"attribute": "novalue"}, "key=value"), ({"attribute": ["a=b"] * 17}, "16"),
        ({"attribute": "http.status_code=OK"}, "whole number"), ({"cursor": "x"}, "cursor"), ({"window": "1"}, "window"),
        ({"window": "1h", "start": "2026-01-01"}, "not both"), ({"start": "yesterday"}, "start"),
        ({"start": "2026-01-02", "end": "2026-01-01"}, "empty"), ({"id": "zz"}, "hex digits"),
        ({"id": ["1" * 32] * 101}, "100"), ({"id": "1" * 32, "service": "cart"}, "service"),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_read_is_refused_with_its_name(shop, asked, word):
    response = shop.get("/api/v1/traces", **asked)
    assert response.status_code == 400
    assert word in response.json()["detail"]


def test_several_traces_come_in_one_answer(shop):
    ids = [f"{number:032x}" for number in (11, 12, 99)]
    document = shop.get("/api/v1/traces", id=ids).json()
    found = {
        span["traceId"]
        for resource in document["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]
    }  # fmt: skip
    assert found == set(ids[:2])


def test_a_trace_comes_as_protobuf_where_that_is_accepted(shop):
    headers = {"accept": "application/x-protobuf"}
    answer = shop.request("GET", f"/api/v1/traces/{11:032x}", headers=headers)
    assert answer.headers["content-type"] == "application/x-protobuf"
    request = bodies.ExportTraceServiceRequest.FromString(answer.content)
    assert sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans) == 2


def test_too_many_searches_at_once_are_told_to_come_later(shop):
    limits = QueryLimits(seconds=0.01, at_once=1)
    queries = queries_of(shop, limits=limits)
    with queries.budget(Caller()):
        response = shop.get("/api/v1/spans")
    assert response.status_code == 503
    assert "Retry-After" in response.headers
    assert shop.parts.telemetry.value("searches_ended", "busy") == 1


def queries_of(shop, clock=lambda: 0.0, limits=None):
    """The shop's searches with another clock or other limits."""
    searched = Searched(shop.parts.queries.catalog, shop.parts.log, tokens_of)
    queries = Queries(searched, shop.parts.telemetry, clock, limits)
    object.__setattr__(shop.parts, "queries", queries)
    return queries


def test_a_search_that_is_out_of_time_is_counted(shop):
    queries_of(shop, count().__next__, QueryLimits(seconds=1))
    assert shop.get("/api/v1/spans", window="1h").json()["complete"] is False
    assert shop.parts.telemetry.value("searches_ended", "out_of_time") == 1


class Leaving:
    """A clock that stands still, and by which the client leaves once a search looks at it."""

    def __init__(self):
        self.left = asyncio.Event()
        self.told = threading.Event()
        self.loop = None
        self.looks = 0

    def __call__(self):
        self.looks += 1
        if self.looks == 2:
            self.loop.call_soon_threadsafe(self.left.set)
            self.told.wait(10)
        return 0.0


@pytest.mark.parametrize("path", ["/api/v1/spans", "/api/v1/traces", "/api/v1/services"])
def test_a_search_ends_when_its_client_has_gone(shop, path, monkeypatch):
    clock = Leaving()
    leave = Caller.leave
    monkeypatch.setattr(Caller, "leave", lambda caller: leave(caller) or clock.told.set())
    queries_of(shop, clock)
    if path.endswith("services"):
        tables = shop.parts.queries.catalog.tables()
        monkeypatch.setattr(shop.parts.derived, "tables", lambda: [*tables] * 3)
    asyncio.run(ask_and_leave(shop.app, path, clock))
    assert clock.looks == 2
    assert shop.parts.telemetry.value("searches_ended", "caller_gone") == 1


async def ask_and_leave(app, path, clock):
    """One request over ASGI whose client goes once the clock says so."""
    clock.loop = asyncio.get_running_loop()
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive():
        if message := next(messages, None):
            return message
        await clock.left.wait()
        return {"type": "http.disconnect"}

    async def send(_message):
        pass

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"window=1h",
        "headers": [(b"host", b"127.0.0.1:4318")], "http_version": "1.1", "scheme": "http",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 4318), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
