"""Zipkin v2 spans as OTLP; the table in docs/wire.md says the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.collector.wire.otlp_factory import NOW
from tests.collector.wire.test_equal_to_upb import SAMPLE
from weft_collector.errors import MalformedBody
from weft_collector.wire.otlp_protobuf import Decoder
from weft_collector.wire.zipkin_json import transcode

US = 1_760_000_000_000_000
IDS = {"traceId": "463ac35c9f6413ad48485a3953bb6124", "id": "a2fb4a1d1a96d312"}
CLIENT, SERVER, PRODUCER, CONSUMER = 3, 2, 4, 5


def message(*spans, raw=None):
    body = json.dumps(list(spans)).encode() if raw is None else raw
    return ExportTraceServiceRequest.FromString(transcode(body))


def only(**fields):
    (group,) = message({**IDS, **fields}).resource_spans
    return group.scope_spans[0].spans[0]


def plain(value: AnyValue):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    return getattr(value, kind)


def attributes(holder):
    return {one.key: plain(one.value) for one in holder.attributes}


def refusal(body):
    with pytest.raises(MalformedBody) as raised:
        transcode(body if isinstance(body, bytes) else json.dumps(body).encode())
    return str(raised.value)


@pytest.mark.parametrize("body", [b"", b"  ", b"[]", b" [ ] "])
def test_nothing_is_a_list_without_spans(body):
    assert transcode(body) == b""


def test_ids_of_64_and_128_bits_are_padded_on_the_left():
    found = only(traceId="48485a3953bb6124", parentId="1")
    assert found.trace_id.hex() == "000000000000000048485a3953bb6124"
    assert found.span_id.hex() == "a2fb4a1d1a96d312"
    assert found.parent_span_id.hex() == "0000000000000001"


@pytest.mark.parametrize("parent", ["a2fb4a1d1a96d312", "0000000000000000", "0", "", None])
def test_a_parent_that_is_none_is_none(parent):
    assert only(parentId=parent).parent_span_id == b""


@pytest.mark.parametrize(
    ("name", "kind"),
    [("CLIENT", CLIENT), ("SERVER", SERVER), ("PRODUCER", PRODUCER), ("CONSUMER", CONSUMER), (None, 0)],
)
def test_kinds(name, kind):
    assert only(kind=name).kind == kind


def test_times_are_microseconds():
    found = only(timestamp=US, duration=207_000)
    assert found.start_time_unix_nano == 1000 * US
    assert found.end_time_unix_nano == 1000 * (US + 207_000)


def test_without_a_timestamp_the_first_annotation_is_the_start():
    notes = [{"timestamp": US + 5, "value": "b"}, {"timestamp": US, "value": "a"}]
    assert only(annotations=notes).start_time_unix_nano == 1000 * US
    assert only(annotations=notes, duration=7).end_time_unix_nano == 1000 * (US + 7)


def test_without_any_time_a_span_stands_at_the_epoch_and_without_a_duration_it_ends_as_it_starts():
    assert (only().start_time_unix_nano, only().end_time_unix_nano) == (0, 0)
    assert only(timestamp=US).end_time_unix_nano == 1000 * US


def test_the_local_endpoint_is_the_resource_and_spans_are_grouped_by_it():
    here = {"serviceName": "Cart", "ipv4": "10.0.0.1", "ipv6": "2001:db8::1", "port": 8080}
    there = {"serviceName": "Cart", "ipv4": "10.0.0.2"}
    spans = [
        {**IDS, "id": f"{n + 1:x}", "localEndpoint": {**here, "port": 1000 + n} if n % 2 else there}
        for n in range(10)
    ]
    groups = message(*spans).resource_spans
    assert [attributes(group.resource) for group in groups] == [
        {"service.name": "Cart", "host.ip": ["10.0.0.2"]},
        {"service.name": "Cart", "host.ip": ["10.0.0.1", "2001:db8::1"]},
    ]
    assert [len(group.scope_spans[0].spans) for group in groups] == [5, 5]
    assert attributes(groups[1].scope_spans[0].spans[0]) == {"network.local.port": 1001}


@pytest.mark.parametrize(
    ("kind", "side"),
    [
        ("CLIENT", "server"),
        ("PRODUCER", "server"),
        ("CONSUMER", "server"),
        ("SERVER", "client"),
        (None, "network.peer"),
    ],
)
def test_the_remote_endpoint_is_named_by_the_side_of_the_span(kind, side):
    remote = {"serviceName": "auth", "ipv4": "10.0.0.9", "port": 443}
    found = attributes(only(kind=kind, remoteEndpoint=remote))
    assert found == {"peer.service": "auth", f"{side}.address": "10.0.0.9", f"{side}.port": 443}


def test_both_remote_addresses_are_kept():
    found = attributes(only(kind="CLIENT", remoteEndpoint={"ipv4": "10.0.0.9", "ipv6": "2001:db8::9"}))
    assert found == {"server.address": "10.0.0.9", "zipkin.remote.ipv6": "2001:db8::9"}
    assert attributes(only(remoteEndpoint={"ipv6": "2001:db8::9"})) == {"network.peer.address": "2001:db8::9"}


def test_tags_are_texts_and_say_more_than_endpoints():
    tags = {"http.path": "/api", "http.status_code": "200", "peer.service": "tagged", "n": 5, "t": True}
    found = attributes(only(kind="CLIENT", tags=tags, remoteEndpoint={"serviceName": "endpoint"}))
    assert found == {
        "http.path": "/api",
        "http.status_code": "200",
        "peer.service": "tagged",
        "n": "5",
        "t": "true",
    }


def test_annotations_are_events():
    found = only(annotations=[{"timestamp": US, "value": "wire send"}])
    assert [(event.time_unix_nano, event.name) for event in found.events] == [(1000 * US, "wire send")]


@pytest.mark.parametrize(
    ("tags", "code", "text"),
    [
        ({"error": ""}, 2, ""),
        ({"error": "true"}, 2, ""),
        ({"error": "timeout"}, 2, "timeout"),
        ({"otel.status_code": "OK"}, 1, ""),
        ({"otel.status_code": "ERROR", "otel.status_description": "why"}, 2, "why"),
        ({"otel.status_code": "OK", "error": "x"}, 2, "x"),
        ({}, 0, ""),
    ],
)
def test_the_status_comes_from_the_error_tag(tags, code, text):
    status = only(tags=tags).status
    assert (status.code, status.message) == (code, text)


def test_the_error_tag_stays_an_attribute():
    assert attributes(only(tags={"error": "timeout"})) == {"error": "timeout"}


def test_shared_and_debug_are_attributes():
    assert attributes(only(shared=True, debug=True)) == {"zipkin.shared": True, "zipkin.debug": True}
    assert attributes(only(shared=False, debug=False)) == {}


def test_what_an_opentelemetry_exporter_put_into_tags_goes_back():
    tags = {"otel.scope.name": "lib", "otel.scope.version": "2", "w3c.tracestate": "a=b", "x": "y"}
    (group,) = message({**IDS, "tags": tags}).resource_spans
    (scoped,) = group.scope_spans
    assert (scoped.scope.name, scoped.scope.version) == ("lib", "2")
    assert scoped.spans[0].trace_state == "a=b"
    assert attributes(scoped.spans[0]) == {"x": "y"}


@pytest.mark.parametrize(
    "span",
    [
        {"annotations": [{"timestamp": US, "value": "cs", "endpoint": {"serviceName": "a"}}]},
        {"binaryAnnotations": [{"key": "lc", "value": ""}]},
        {"binaryAnnotations": []},
    ],
)
def test_v1_is_refused_by_name(span):
    text = refusal([{**IDS, "name": "get", **span}])
    assert "v1" in text
    assert "v2" in text


@pytest.mark.parametrize(
    ("span", "path"),
    [
        ({"id": "1"}, "[1].traceId"),
        ({"traceId": "1"}, "[1].id"),
        ({**IDS, "traceId": "x"}, "[1].traceId"),
        ({**IDS, "traceId": "1" * 33}, "[1].traceId"),
        ({**IDS, "id": "1" * 17}, "[1].id"),
        ({**IDS, "parentId": "x"}, "[1].parentId"),
        ({**IDS, "kind": "client"}, "[1].kind"),
        ({**IDS, "timestamp": -1}, "[1].timestamp"),
        ({**IDS, "timestamp": 2**60}, "[1].timestamp"),
        ({**IDS, "duration": 1.5}, "[1].duration"),
        ({**IDS, "localEndpoint": {"port": 65_536}}, "[1].localEndpoint.port"),
        ({**IDS, "annotations": [{"timestamp": "x"}]}, "[1].annotations"),
        ({**IDS, "tags": {"a": []}}, "[1].tags"),
        ({**IDS, "name": 5}, "[1].name"),
    ],
)
def test_a_wrong_value_is_refused_with_the_path_to_it(span, path):
    assert f"${path}" in refusal([IDS, span])


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"[", b"[null]", b'[{"name":"\xff"}]', b"[" * 100_000])
def test_what_is_no_list_of_spans_is_refused(body):
    assert refusal(body).startswith("No Zipkin v2 JSON")


endpoints = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "serviceName": st.text(max_size=8),
        "ipv4": st.just("10.0.0.1"),
        "ipv6": st.just("::1"),
        "port": st.integers(0, 65_535),
    },
)
spans = st.fixed_dictionaries(
    {
        "traceId": st.text("0123456789abcdef", min_size=1, max_size=32),
        "id": st.text("123456789abcdef", min_size=1, max_size=16),
    },
    optional={
        "parentId": st.text("0123456789abcdef", max_size=16),
        "kind": st.sampled_from(["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]),
        "name": st.text(max_size=8),
        "timestamp": st.integers(0, 2 * US),
        "duration": st.integers(0, US),
        "shared": st.booleans(),
        "localEndpoint": endpoints,
        "remoteEndpoint": endpoints,
        "tags": st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=4),
        "annotations": st.lists(
            st.fixed_dictionaries({"timestamp": st.integers(0, US), "value": st.text(max_size=6)}), max_size=3
        ),
    },
)


@SAMPLE
@given(st.lists(spans, max_size=6))
def test_any_spans_become_as_many_that_the_decoder_takes(sent):
    found = message(*sent)
    kept = [span for group in found.resource_spans for scoped in group.scope_spans for span in scoped.spans]
    assert sorted(span.span_id.hex() for span in kept) == sorted(one["id"].zfill(16) for one in sent)
    for span in kept:
        assert span.end_time_unix_nano >= span.start_time_unix_nano
    decoded = Decoder().decode(found.SerializeToString(), NOW)
    refused = sum(count for _, count in decoded.rejected)
    assert len(decoded.spans.span_id) + refused == len(sent)
    resources = {json.dumps(one.get("localEndpoint") or {}, sort_keys=True) for one in sent}
    assert len(found.resource_spans) <= max(len(resources), 1)
