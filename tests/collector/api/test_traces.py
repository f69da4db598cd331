import base64

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.collector.api import bodies

TRACE = bytes(range(1, 17))
SPAN = b"spanspan"


def rich(now):
    """A request whose span uses every field of OTLP that the collector keeps."""
    request = bodies.ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "cart"
    resource.resource.dropped_attributes_count = 2
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "lib", "1.2"
    span = scope.spans.add(
        trace_id=TRACE, span_id=SPAN, parent_span_id=b"parentid", kind=3, name="GET /ü\U0001f600"
    )
    span.start_time_unix_nano, span.end_time_unix_nano = now, now + 12_345_678
    span.trace_state, span.flags = "a=1,b=2", 0x101
    attribute = span.attributes.add(key="list").value.array_value.values
    attribute.add().int_value = 2**60 + 1
    attribute.add().bool_value = True
    attribute.add().double_value = 0.1
    attribute.add().bytes_value = b"\x00\xff"
    inner = attribute.add().kvlist_value.values.add(key="inner")
    inner.value.string_value = "x"
    event = span.events.add(time_unix_nano=now + 5, name="exception", dropped_attributes_count=1)
    event.attributes.add(key="exception.message").value.string_value = "no"
    link = span.links.add(trace_id=bytes(reversed(TRACE)), span_id=b"linklink", trace_state="c=3", flags=1)
    link.attributes.add(key="why").value.string_value = "batch"
    span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count = 3, 4, 5
    span.status.code, span.status.message = 2, "broken"
    return request


def as_protobuf(answer):
    """OTLP JSON read back with ids in base64, as protobuf's own JSON wants them."""
    for resource in answer["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for place in (span, *span.get("links", ())):
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in place:
                            place[name] = base64.b64encode(bytes.fromhex(place[name])).decode()
    return ParseDict(answer, TracesData())


def test_a_trace_comes_back_with_every_field(collector):
    request = rich(collector.clock())
    assert collector.post(request.SerializeToString()).status_code == 200
    answer = collector.get(f"/api/v1/traces/{TRACE.hex()}").json()
    assert as_protobuf(answer) == TracesData(resource_spans=request.resource_spans)


def test_ids_are_hex_times_are_texts_and_enums_are_numbers(collector):
    collector.post(rich(collector.clock()).SerializeToString())
    answer = collector.get(f"/api/v1/traces/{TRACE.hex()}").json()
    span = answer["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert (span["traceId"], span["spanId"]) == (TRACE.hex(), SPAN.hex())
    assert span["links"][0]["spanId"] == b"linklink".hex()
    assert span["startTimeUnixNano"] == str(collector.clock())
    assert (span["kind"], span["status"]["code"]) == (3, 2)


def test_the_low_half_of_an_id_finds_the_trace(collector):
    collector.post(rich(collector.clock()).SerializeToString())
    answer = collector.get(f"/api/v1/traces/{TRACE[8:].hex().upper()}")
    assert answer.status_code == 200


def test_spans_of_several_services_and_requests_make_one_trace(collector):
    call = bodies.Call("web", "cart", 1, collector.clock(), trace=77)
    other = bodies.Call("cart", "stock", 2, collector.clock(), trace=77)
    collector.post(bodies.body(call))
    collector.post(bodies.body(other))
    answer = collector.get(f"/api/v1/traces/{77:032x}").json()
    services = {
        resource["resource"]["attributes"][0]["value"]["stringValue"]: len(resource["scopeSpans"][0]["spans"])
        for resource in answer["resourceSpans"]
    }
    assert services == {"web": 1, "cart": 2, "stock": 1}


@pytest.mark.parametrize("trace_id", ["1", "zz" * 16, "0" * 32, "1" * 31, "1" * 33, "1" * 17, "%C3%BC" * 16])
def test_an_id_that_is_none_is_refused(collector, trace_id):
    response = collector.get(f"/api/v1/traces/{trace_id}")
    assert response.status_code == 400
    assert "hex digits" in response.json()["detail"]


def test_an_unknown_trace_is_a_problem(collector):
    response = collector.get(f"/api/v1/traces/{1:032x}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
