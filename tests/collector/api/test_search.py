"""Search over HTTP: what is asked, what is answered, what is refused."""

import pytest

from tests.collector.api import bodies
from weft_collector.api import schemas
from weft_collector.query.queries import Queries, QueryLimits


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
    queries = Queries(shop.parts.queries.catalog, shop.parts.log, lambda *_: [], lambda: 0.0, limits)
    object.__setattr__(shop.parts, "queries", queries)
    with queries.budget():
        response = shop.get("/api/v1/spans")
    assert response.status_code == 503
    assert "Retry-After" in response.headers
