"""Jaeger UI downloads as OTLP, as the OpenTelemetry Collector translates Jaeger's model."""

import base64
import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.wire.test_zipkin_json import attributes
from weft_collector.errors import MalformedBody
from weft_collector.wire.jaeger_json import transcode

US = 1_760_000_000_000_000
TRACE = "463ac35c9f6413ad48485a3953bb6124"
SPAN = {"traceID": TRACE, "spanID": "a2fb4a1d1a96d312", "processID": "p1"}
PROCESSES = {"p1": {"serviceName": "cart", "tags": []}}


def tag(key, value, type_="string"):
    return {"key": key, "type": type_, "value": value}


def message(*spans, processes=None):
    trace = {
        "traceID": TRACE,
        "spans": list(spans),
        "processes": PROCESSES if processes is None else processes,
    }
    body = {"data": [trace], "total": 0, "limit": 0, "offset": 0, "errors": None}
    return ExportTraceServiceRequest.FromString(transcode(json.dumps(body).encode()))


def only(*tags, **fields):
    return message({**SPAN, "tags": list(tags), **fields}).resource_spans[0].scope_spans[0].spans[0]


def refusal(body):
    with pytest.raises(MalformedBody) as raised:
        transcode(json.dumps(body).encode())
    return str(raised.value)


def reference(span, trace=TRACE, kind="CHILD_OF"):
    return {"refType": kind, "traceID": trace, "spanID": span}


def test_ids_names_and_times():
    found = only(operationName="GET /", startTime=US, duration=5, flags=3)
    assert found.trace_id.hex() == TRACE
    assert found.span_id.hex() == "a2fb4a1d1a96d312"
    assert found.name == "GET /"
    assert (found.start_time_unix_nano, found.end_time_unix_nano) == (1000 * US, 1000 * (US + 5))
    assert found.flags == 1


def test_short_ids_are_padded():
    found = only(traceID="abc", spanID="d")
    assert (int.from_bytes(found.trace_id, "big"), int.from_bytes(found.span_id, "big")) == (0xABC, 0xD)


def test_tags_keep_their_types():
    raw = base64.b64encode(b"\xff\x00").decode()
    found = only(
        tag("s", "x"), tag("b", False, "bool"), tag("i", 5, "int64"), tag("big", str(2**60), "int64"),
        tag("f", 1, "float64"), tag("raw", raw, "binary"), {"key": "untyped", "value": 7}, tag("odd", 1, "uuid"),
    )  # fmt: skip
    assert attributes(found) == {
        "s": "x", "b": False, "i": 5, "big": 2**60, "f": 1.0, "raw": b"\xff\x00", "untyped": 7, "odd": "1",
    }  # fmt: skip
    assert isinstance(attributes(found)["f"], float)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("internal", 1), ("server", 2), ("client", 3), ("producer", 4), ("consumer", 5), ("?", 0)],
)
def test_the_kind_is_a_tag(name, kind):
    found = only(tag("span.kind", name))
    assert found.kind == kind
    assert not found.attributes


@pytest.mark.parametrize(
    ("tags", "code", "text", "left"),
    [
        ([tag("error", True, "bool")], 2, "", {}),
        ([tag("error", "true")], 2, "", {}),
        ([tag("error", False, "bool")], 0, "", {"error": False}),
        ([tag("error", True, "bool"), tag("otel.status_code", "OK")], 2, "", {}),
        ([tag("otel.status_code", "OK")], 1, "", {}),
        ([tag("otel.status_code", "error"), tag("otel.status_description", "why")], 2, "why", {}),
        ([tag("http.status_code", 500, "int64")], 0, "", {"http.status_code": 500}),
    ],
)
def test_the_status_comes_from_tags(tags, code, text, left):
    found = only(*tags)
    assert (found.status.code, found.status.message) == (code, text)
    assert attributes(found) == left


def test_the_parent_is_the_first_child_of_reference_within_the_trace():
    found = only(
        references=[
            reference("1", "f" * 32),
            reference("2", kind="FOLLOWS_FROM"),
            reference("3"),
            reference("4"),
        ]
    )
    assert found.parent_span_id.hex() == "0000000000000003"
    links = [
        (link.trace_id.hex(), int.from_bytes(link.span_id, "big"), attributes(link)) for link in found.links
    ]
    assert links == [
        ("f" * 32, 1, {"opentracing.ref_type": "child_of"}),
        (TRACE, 2, {"opentracing.ref_type": "follows_from"}),
        (TRACE, 4, {"opentracing.ref_type": "child_of"}),
    ]


def test_else_the_first_follows_from_reference_is_parent_and_link():
    found = only(references=[reference("2", kind="FOLLOWS_FROM")])
    assert found.parent_span_id.hex() == "0000000000000002"
    assert len(found.links) == 1


def test_a_reference_into_another_trace_is_no_parent():
    found = only(references=[reference("1", "f" * 32)])
    assert found.parent_span_id == b""
    assert len(found.links) == 1


def test_old_files_name_the_parent_alone():
    assert only(parentSpanID="7").parent_span_id.hex() == "0000000000000007"


def test_logs_are_events_named_by_their_field_event():
    found = only(
        logs=[{"timestamp": US, "fields": [tag("event", "retry"), tag("n", 2, "int64")]}, {"timestamp": 1}]
    )
    assert [(one.time_unix_nano, one.name, attributes(one)) for one in found.events] == [
        (1000 * US, "retry", {"n": 2}),
        (1000, "", {}),
    ]


def test_a_process_is_a_resource():
    processes = {"p1": {"serviceName": "cart", "tags": [tag("hostname", "h1"), tag("pid", 5, "int64")]}}
    (group,) = message(SPAN, {**SPAN, "spanID": "2"}, processes=processes).resource_spans
    assert attributes(group.resource) == {"service.name": "cart", "pid": 5, "host.name": "h1"}
    assert len(group.scope_spans[0].spans) == 2


def test_scope_and_trace_state_are_tags():
    tags = [tag("otel.scope.name", "lib"), tag("otel.scope.version", "2"), tag("w3c.tracestate", "a=b")]
    (scoped,) = message({**SPAN, "tags": tags}).resource_spans[0].scope_spans
    assert (scoped.scope.name, scoped.scope.version) == ("lib", "2")
    assert scoped.spans[0].trace_state == "a=b"
    assert not scoped.spans[0].attributes


def test_one_trace_alone_and_a_span_with_its_process_inside_are_read_too():
    inside = {**SPAN, "processID": None, "process": {"serviceName": "auth"}}
    found = ExportTraceServiceRequest.FromString(transcode(json.dumps({"spans": [inside]}).encode()))
    assert attributes(found.resource_spans[0].resource) == {"service.name": "auth"}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"traceID": None}, ".traceID"),
        ({"spanID": "x"}, ".spanID"),
        ({"spanID": "1" * 17}, ".spanID"),
        ({"startTime": -1}, ".startTime"),
        ({"duration": "x"}, ".duration"),
        ({"references": [reference("x")]}, ".references[0].spanID"),
        ({"tags": [tag("a", "x", "int64")]}, ".tags[0].value"),
        ({"tags": [tag("a", True, "int64")]}, ".tags[0].value"),
        ({"tags": [tag("a", "x", "bool")]}, ".tags[0].value"),
        ({"tags": [tag("a", "*", "binary")]}, ".tags[0].value"),
        ({"logs": [{"timestamp": 1}, {"timestamp": -1}]}, ".logs[1].timestamp"),
        ({"logs": [{"fields": [tag("a", "x", "float64")]}]}, ".logs[0].tags[0].value"),
        ({"tags": [{"key": 1}]}, ".tags[0].key"),
    ],
)
def test_a_wrong_value_is_refused_with_the_path_to_it(fields, path):
    body = {
        "data": [
            {"spans": [], "processes": {}},
            {"spans": [SPAN, {**SPAN, **fields}], "processes": PROCESSES},
        ]
    }
    assert f"$.data[1].spans[1]{path}" in refusal(body)
