"""The doors for JSON: OTLP on /v1/traces, Zipkin v2 on /api/v2/spans."""

import gzip
import json
import zlib

import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.api import bodies
from tests.collector.wire import json_oracle
from weft_collector.store.ports import RecordKind, Transport
from weft_collector.wire.zipkin_json import transcode

MINUTE = 60_000_000_000
CODECS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress, None: bytes}


def otlp(collector):
    message = ExportTraceServiceRequest.FromString(bodies.shop(collector.clock() - MINUTE))
    return json_oracle.to_json(message)


def post(collector, path, content, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items() if value}
    return collector.request(
        "POST", path, content=content, headers={"content-type": "application/json", **named}
    )


def zipkin(collector):
    """web calls cart: both sides."""
    start = (collector.clock() - MINUTE) // 1000
    call = {"traceId": "a" * 16, "timestamp": start, "duration": 100, "name": "get"}
    return [
        {**call, "id": "1", "kind": "CLIENT", "localEndpoint": {"serviceName": "web"}},
        {**call, "id": "2", "parentId": "1", "kind": "SERVER", "localEndpoint": {"serviceName": "cart"}},
    ]


def edges(collector):
    return {edge["id"]: edge["calls"] for edge in collector.get("/api/v1/graph").json()["edges"]}


@pytest.mark.parametrize("codec", CODECS)
def test_otlp_json_gives_the_graph_that_protobuf_gives(collector, codec):
    response = post(collector, "/v1/traces", CODECS[codec](otlp(collector)), content_encoding=codec)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {}
    assert edges(collector) == {name: calls for name, (calls, _) in bodies.SHOP_EDGES.items()}


def test_the_same_spans_in_protobuf_and_json_count_once(collector):
    post(collector, "/v1/traces", otlp(collector))
    collector.ingest_shop()
    assert edges(collector) == {name: calls for name, (calls, _) in bodies.SHOP_EDGES.items()}


def test_the_log_holds_protobuf_and_the_door(collector):
    post(collector, "/v1/traces", otlp(collector))
    post(collector, "/api/v2/spans", json.dumps(zipkin(collector)).encode())
    records = [record for _, record in collector.parts.log.replay()]
    assert [record.kind for record in records] == [RecordKind.SPANS] * 2
    assert [record.transport for record in records] == [Transport.HTTP_JSON, Transport.ZIPKIN_JSON]
    assert records[0].body == bodies.shop(collector.clock() - MINUTE)
    assert records[1].body == transcode(json.dumps(zipkin(collector)).encode())


def test_rejected_spans_are_a_partial_success_in_json(collector):
    message = ExportTraceServiceRequest.FromString(bodies.shop(collector.clock()))
    message.resource_spans[0].scope_spans[0].spans[0].trace_id = b"\1" * 15
    response = post(collector, "/v1/traces", json_oracle.to_json(message))
    assert response.status_code == 200
    assert response.json()["partialSuccess"] == {"rejectedSpans": "1", "errorMessage": "trace_id: 1"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x"}]}]}]}']
)
def test_a_malformed_body_is_refused_as_a_status_in_json(collector, body):
    response = post(collector, "/v1/traces", body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.json()["code"] == 3
    assert "No OTLP JSON" in response.json()["message"]
    assert collector.parts.telemetry.value("bodies_refused", "malformed") == 1


def test_a_bomb_is_refused_in_json(make_collector):
    collector = make_collector(inflated_bytes=1 << 16)
    response = post(collector, "/v1/traces", gzip.compress(b" " * (1 << 20)), content_encoding="gzip")
    assert response.status_code == 413
    assert response.json()["code"] == 8


def test_a_collector_that_is_not_ready_asks_json_senders_to_come_back(make_collector):
    collector = make_collector(start=False)
    response = post(collector, "/v1/traces", b"{}")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["code"] == 14


@pytest.mark.parametrize("codec", CODECS)
def test_zipkin_spans_become_the_graph(collector, codec):
    body = CODECS[codec](json.dumps(zipkin(collector)).encode())
    response = post(collector, "/api/v2/spans", body, content_encoding=codec)
    assert (response.status_code, response.content) == (202, b"")
    assert edges(collector)["service:web->service:cart"] == 1
    assert collector.parts.telemetry.value("spans_accepted", "zipkin_json") == 2


@pytest.mark.parametrize("body", [b"", b"[]"])
def test_zipkin_takes_nothing_for_an_answer(collector, body):
    assert post(collector, "/api/v2/spans", body).status_code == 202


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{}", "No Zipkin v2 JSON"),
        (b'[{"traceId":"1","id":"1","binaryAnnotations":[]}]', "v1"),
        (b'[{"traceId":"1","id":"z"}]', "$[0].id"),
    ],
)
def test_a_malformed_zipkin_body_is_a_problem(collector, body, says):
    response = post(collector, "/api/v2/spans", body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert says in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["application/x-thrift", "application/x-protobuf", "text/plain"])
def test_zipkin_in_other_encodings_is_refused_with_the_one_that_is_taken(collector, content_type):
    response = post(collector, "/api/v2/spans", b"x", content_type=content_type)
    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/traces", "/api/v2/spans"])
def test_listed_pages_may_send_to_the_doors(make_collector, path):
    page = "https://shop.example"
    collector = make_collector(allowed_origins=page)
    asks = {"origin": page, "access-control-request-method": "POST"}
    assert collector.request("OPTIONS", path, headers=asks).headers["access-control-allow-origin"] == page
    sent = post(collector, path, b"[]" if path.endswith("spans") else b"{}", origin=page)
    assert sent.is_success
    assert sent.headers["access-control-allow-origin"] == page
    assert post(collector, path, b"{}", origin="https://evil.example").status_code == 403


def test_the_document_names_all_doors(collector):
    paths = collector.get("/openapi.json").json()["paths"]
    assert {"/v1/traces", "/api/v2/spans"} <= set(paths)
