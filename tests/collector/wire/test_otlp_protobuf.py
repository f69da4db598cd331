"""The decoder around its kernels: what is kept, what is rejected, who owns the columns."""

import numpy as np
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from tests.collector.wire import otlp_factory
from tests.collector.wire.otlp_factory import (
    CLIENT,
    NOW,
    PRODUCER,
    SECOND,
    SERVER,
    attributes_of,
    request,
    resource_spans,
    span,
)
from tests.collector.wire.wire_bytes import IDS, message, span_body, text_attribute
from weft_collector.errors import BodyTooLarge, MalformedBody
from weft_collector.wire.columns import Resources, Scopes, Spans
from weft_collector.wire.limits import RULES, Limits
from weft_collector.wire.otlp_protobuf import Decoder

HOUR = 3600 * SECOND
LONGEST = 256 << 10


@pytest.fixture
def decoder() -> Decoder:
    return Decoder()


def column(decoder: Decoder, name: str, attributes, **more):
    """The one value of a column of a request with one span of these attributes."""
    decoded = decoder.decode(request([span(attributes=attributes, **more)]), NOW)
    (value,) = getattr(decoded.spans, name).tolist()
    return value if name in {"server_port", "http_status"} else decoder.strings.text(value)


def rejected(decoder: Decoder, *spans) -> dict[str, int]:
    decoded = decoder.decode(request(spans), NOW)
    assert len(decoded.spans.name) == 0
    return dict(decoded.rejected)


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("span_too_short", {"trace": b"", "name": "", "start": 0, "end": 0}),
        ("trace_id", {"trace": b"\0" * 16}),
        ("trace_id", {"trace": b"\1" * 15}),
        ("trace_id", {"trace": b"\1" * 17}),
        ("trace_id", {"trace": b""}),
        ("span_id", {"id": b"\0" * 8}),
        ("span_id", {"id": b"\1" * 7}),
        ("span_id", {"id": b"\1" * 16}),
        ("parent_id", {"parent": b"\1" * 7}),
        ("parent_id", {"parent": b"\1" * 16}),
        ("future_start", {"start": NOW + HOUR + 1}),
        ("future_start", {"start": 2**64 - 1, "end": 0}),
        ("too_many_attributes", {"attributes": [("k", i) for i in range(1025)]}),
        ("span_too_large", {"attributes": {"k": "v" * (1 << 20)}}),
        ("attribute_too_long", {"attributes": {"k": "v" * (LONGEST + 1)}}),
        ("attribute_too_long", {"attributes": {"a": 1, "k": b"v" * (LONGEST + 1), "b": 1}}),
        ("attribute_too_long", {"attributes": {"k": ["v" * (LONGEST - 7)]}}),
        ("attribute_too_long", {"attributes": {"k": {"v": "v" * LONGEST}}}),
        (
            "attribute_too_long",
            {"events": [Span.Event(attributes=attributes_of({"k": "v" * (LONGEST + 1)}))]},
        ),
        ("attribute_too_long", {"links": [Span.Link(attributes=attributes_of({"k": "v" * (LONGEST + 1)}))]}),
    ],
)
def test_a_span_that_cannot_be_kept_is_rejected_alone(decoder, reason, fault):
    assert rejected(decoder, span(**fault)) == {reason: 1}
    decoded = decoder.decode(request([span("before"), span(**fault), span("after")]), NOW)
    assert [decoder.strings.text(name) for name in decoded.spans.name.tolist()] == ["before", "after"]
    assert decoded.rejected == ((reason, 1),)


@pytest.mark.parametrize(
    "good",
    [
        {"parent": b"\0" * 8},
        {"parent": b""},
        {"start": NOW + HOUR},
        {"start": 0, "end": 0},
        {"attributes": [("k", i) for i in range(1024)]},
        {"attributes": {"a": "v" * LONGEST, "b": b"v" * LONGEST, "c": ["v" * (LONGEST - 8)]}},
        {"attributes": {"k" * 300_000: "v"}, "name": "n" * 300_000},
        {"links": [Span.Link(trace_id=b"short", span_id=b""), Span.Link(trace_id=b"\0" * 16)]},
    ],
)
def test_the_limits_themselves_are_kept(decoder, good):
    assert len(decoder.decode(request([span(**good)]), NOW).spans.name) == 1


def test_a_body_is_decoded_by_the_rules_that_it_was_accepted_by(decoder):
    body = request([span(attributes={"k": "v" * (LONGEST + 1)})])
    assert len(decoder.decode(body, NOW, 1).spans.name) == 1
    assert decoder.decode(body, NOW, RULES).rejected == (("attribute_too_long", 1),)


def test_schema_urls_are_those_around_the_spans(decoder):
    groups = [resource_spans([span(), span()], "cart"), resource_spans([span()], "shop")]
    groups[0].schema_url, groups[0].scope_spans[0].schema_url = "urn:a", "urn:b"
    groups[0].scope_spans.add(spans=[span()])
    decoded = decoder.decode(otlp_factory.body(groups), NOW)
    resources, scopes = decoded.resources.schema.tolist(), decoded.scopes.schema.tolist()
    assert [decoder.strings.text(id_) for id_ in resources] == ["urn:a", ""]
    assert [decoder.strings.text(id_) for id_ in scopes] == ["urn:b", "", ""]


def test_of_several_schema_urls_the_last_one_wins(decoder):
    scope = message(2, message(3, b"first"), message(2, IDS), message(3, b"last"))
    decoded = decoder.decode(message(1, message(3, b"one"), scope, message(3, b"two"), message(3)), NOW)
    assert decoder.strings.text(int(decoded.scopes.schema[0])) == "last"
    assert decoder.strings.text(int(decoded.resources.schema[0])) == ""


def test_rejections_are_counted_by_reason(decoder):
    spans = [span(trace=b""), span(id=b""), span(trace=b"x"), span(), span(parent=b"1")]
    decoded = decoder.decode(request(spans), NOW)
    assert decoded.rejected == (("trace_id", 2), ("span_id", 1), ("parent_id", 1))


def test_a_rejected_span_leaves_nothing_in_the_next_row(decoder):
    full = span(
        id=b"", attributes={"server.address": "a", "server.port": 1, "http.response.status_code": 200}
    )
    decoded = decoder.decode(request([full, span()]), NOW)
    for name in ("server_address", "server_port", "http_status", "caller", "caller_stale"):
        assert getattr(decoded.spans, name).tolist() == [0]


@pytest.mark.parametrize(
    ("attributes", "host", "port"),
    [
        ({"url.full": "https://me:secret@API.example/pay?x=/@y"}, "api.example", 443),
        ({"http.url": "http://[fe80::1%25eth0]:8080/"}, "fe80::1%25eth0", 8080),
        ({"http.url": "ws://h", "server.port": 9}, "h", 9),
        ({"http.url": "HTTP://h#"}, "h", 80),
        ({"http.url": "//h", "network.peer.address": "10.0.0.7"}, "10.0.0.7", 0),
        ({"url.full": "http://[broken/", "http.url": "https://h:/"}, "h", 443),
        ({"url.full": "https://a b/", "net.peer.ip": "10.0.0.7", "net.peer.port": "80"}, "10.0.0.7", 80),
        ({"http.host": "H:81", "url.full": "https://x/"}, "h", 81),
        ({"http.host": "H", "url.full": "https://x/"}, "h", 443),
        ({"http.host": "h:x", "url.full": "https://y:65536/"}, "", 0),
        ({"http.host": "h" * 255}, "h" * 255, 0),
        ({"http.host": "h" * 256}, "", 0),
        ({"server.address": "a", "http.url": "http://h"}, "", 0),
        (
            {"network.peer.address": "r", "net.peer.ip": "s", "net.sock.peer.port": 5, "net.peer.port": 6},
            "r",
            5,
        ),
    ],
)
def test_a_host_that_is_not_named_plainly(decoder, attributes, host, port):
    spans = decoder.decode(
        request([span(kind=kind, attributes=attributes) for kind in (CLIENT, PRODUCER, SERVER)]), NOW
    ).spans
    assert [decoder.strings.text(word) for word in spans.peer_address.tolist()] == [host, host, ""]
    assert spans.peer_port.tolist() == [port, port, 0]


@pytest.mark.parametrize(
    ("said", "count"),
    [
        (0, -1),
        ("0", -1),
        (20, 20),
        ("0020", 20),
        (1 << 40, 0),
        (1 << 30, 1 << 20),
        (-1, 0),
        ("", 0),
        (True, 0),
    ],
)
def test_messages_are_counted_up_to_a_million_and_none_is_told_from_absent(decoder, said, count):
    decoded = decoder.decode(request([span(attributes={"messaging.batch.message_count": said})]), NOW)
    assert decoded.spans.message_count.tolist() == [count]


def test_a_bad_span_that_would_be_rejected_still_spoils_the_body(decoder):
    with pytest.raises(MalformedBody):
        decoder.decode(message(1, message(2, message(2, message(5, b"\xff")))), NOW)


def test_limits_are_the_constructors():
    decoder = Decoder(Limits(span_attributes=1, span_bytes=200, future_ns=5))
    decoded = decoder.decode(
        request(
            [span(attributes={"a": 1, "b": 2}), span("x" * 300), span(start=NOW + 6), span(start=NOW + 5)]
        ),
        NOW,
    )
    assert dict(decoded.rejected) == {"too_many_attributes": 1, "span_too_large": 1, "future_start": 1}
    assert len(decoded.spans.name) == 1


def test_a_body_over_the_limit_is_refused():
    decoder = Decoder(Limits(inflated_bytes=100))
    with pytest.raises(BodyTooLarge):
        decoder.decode(b"\0" * 101, NOW)


def test_ids_are_big_endian_numbers(decoder):
    decoded = decoder.decode(request([span(trace=(7 << 64) | 9, id=2**63 + 5, parent=6)]), NOW)
    assert [decoded.spans.trace_hi[0], decoded.spans.trace_lo[0]] == [7, 9]
    assert [decoded.spans.span_id[0], decoded.spans.parent_id[0]] == [2**63 + 5, 6]


def test_an_end_beyond_64_signed_bits_is_the_largest(decoder):
    decoded = decoder.decode(request([span(end=2**64 - 1)]), NOW)
    assert decoded.spans.end.tolist() == [2**63 - 1]


@pytest.mark.parametrize(
    ("attributes", "name", "value"),
    [
        ({"peer.service": "old"}, "peer_service", "old"),
        ({"service.peer.name": "new", "peer.service": "old"}, "peer_service", "new"),
        ({"peer.service": "old", "service.peer.name": "new"}, "peer_service", "new"),
        ({"net.sock.peer.addr": "c", "net.peer.name": "b"}, "server_address", "b"),
        ({"net.sock.peer.addr": "c"}, "server_address", ""),
        ({"k8s.pod.uid": "p"}, "db_namespace", ""),
        ({"db.redis.database_index": 0}, "db_namespace", "0"),
        ({"db.redis.database_index": "3", "db.name": "o"}, "db_namespace", "o"),
        ({"db.redis.database_index": (1 << 20) + 1}, "db_namespace", ""),
        ({"messaging.destination.temporary": True}, "messaging_template", "(temporary)"),
        ({"messaging.temp_destination": False}, "messaging_template", ""),
        (
            {"messaging.destination.anonymous": True, "messaging.destination.template": "t"},
            "messaging_template",
            "t",
        ),
        ({"rpc.grpc.status_code": 16}, "rpc_code", "UNAUTHENTICATED"),
        ({"rpc.grpc.status_code": 0, "rpc.status_code": "OK"}, "rpc_code", "OK"),
        ({"rpc.grpc.status_code": 17}, "rpc_code", ""),
        ({"http.host": "h"}, "server_address", ""),
        ({"db.name": "old", "db.namespace": "new"}, "db_namespace", "new"),
        ({"db.system": "old"}, "db_system", "old"),
        ({"db.system.name": "", "db.system": "old"}, "db_system", "old"),
        ({"db.system.name": 5, "db.system": "old"}, "db_system", "old"),
        ({"messaging.destination": "q"}, "messaging_destination", "q"),
        ({"messaging.system": "kafka"}, "messaging_system", "kafka"),
        ({"rpc.system": "grpc"}, "rpc_system", "grpc"),
        ({"error.type": "timeout"}, "error_type", "timeout"),
        ([("error.type", "a"), ("error.type", "b")], "error_type", "b"),
        ({"server.port": 443}, "server_port", 443),
        ({"server.port": "443"}, "server_port", 443),
        ({"server.port": "0443"}, "server_port", 443),
        ({"net.peer.port": "443", "server.port": 80}, "server_port", 80),
        ({"server.port": 65_535}, "server_port", 65_535),
        ({"server.port": 65_536}, "server_port", 0),
        ({"server.port": -1}, "server_port", 0),
        ({"server.port": "-1"}, "server_port", 0),
        ({"server.port": " 80"}, "server_port", 0),
        ({"server.port": "80a"}, "server_port", 0),
        ({"server.port": "99999999999"}, "server_port", 0),
        ({"server.port": True}, "server_port", 0),
        ({"server.port": 80.0}, "server_port", 0),
        ({"server.port": "x", "net.peer.port": 81}, "server_port", 81),
        ({"http.response.status_code": 404}, "http_status", 404),
        ({"http.status_code": "503"}, "http_status", 503),
        ({"http.status_code": 1000}, "http_status", 0),
        ({"http.status_code": 200, "http.response.status_code": "500"}, "http_status", 500),
    ],
)
def test_attributes_become_columns(decoder, attributes, name, value):
    assert column(decoder, name, attributes) == value


def test_resource_attributes_become_columns(decoder):
    attributes = {
        "service.instance.id": "cart-1",
        "service.namespace": "shop",
        "deployment.environment": "old",
        "deployment.environment.name": "prod",
        "service.version": "1.2",
        "host.name": "h1",
        "process.pid": 4711,
        "server.address": "not a resource's",
    }
    decoded = decoder.decode(request([span()], "cart", attributes), NOW)
    texts = [decoder.strings.text(int(values[0])) for values in decoded.resources[:6]]
    assert texts == ["cart", "cart-1", "shop", "prod", "1.2", "h1"]
    assert decoded.resources.pid.tolist() == [4711]
    assert decoded.spans.server_address.tolist() == [0]


def test_a_span_cannot_name_its_service(decoder):
    decoded = decoder.decode(
        request([span(attributes={"service.name": "evil", "host.name": "evil"})], "cart"), NOW
    )
    assert decoder.strings.text(int(decoded.resources.service[0])) == "cart"


def test_resources_and_scopes_without_listed_spans_have_no_row(decoder):
    groups = [
        resource_spans([], "empty"),
        resource_spans([span()], "full"),
        ResourceSpans(),
    ]
    groups[1].scope_spans.add().scope.name = "no spans"
    groups[1].scope_spans.add(spans=[span("second")]).scope.name = "second"
    decoded = decoder.decode(otlp_factory.body(groups), NOW)
    assert [decoder.strings.text(id_) for id_ in decoded.resources.service.tolist()] == ["full"]
    assert len(decoded.scopes.offset) == 2
    assert decoded.spans.resource.tolist() == [0, 0]
    assert decoded.spans.scope.tolist() == [0, 1]


def test_the_exact_bytes_are_found_by_offset_and_length(decoder):
    group = resource_spans([span("one"), span("two")], "cart")
    body = otlp_factory.body([group])
    decoded = decoder.decode(body, NOW)

    def cut(columns, row):
        offset, length = int(columns.offset[row]), int(columns.length[row])
        return body[offset : offset + length]

    assert cut(decoded.spans, 1) == group.scope_spans[0].spans[1].SerializeToString()
    assert cut(decoded.resources, 0) == group.resource.SerializeToString()
    assert cut(decoded.scopes, 0) == group.scope_spans[0].scope.SerializeToString()


def test_of_a_resource_in_pieces_the_last_one_is_shown(decoder):
    first, last = text_attribute(1, "service.name", "a"), text_attribute(1, "host.name", "h")
    body = message(1, message(1, first), message(2, message(2, IDS)), message(1, last))
    decoded = decoder.decode(body, NOW)
    offset, length = int(decoded.resources.offset[0]), int(decoded.resources.length[0])
    assert body[offset : offset + length] == last
    assert decoder.strings.text(int(decoded.resources.service[0])) == "a"


def test_a_body_without_resource_and_scope_has_empty_ones(decoder):
    decoded = decoder.decode(span_body(), NOW)
    assert [values.tolist() for values in decoded.resources] == [[0]] * len(Resources._fields)
    assert [values.tolist() for values in decoded.scopes] == [[0]] * len(Scopes._fields)


def test_more_spans_than_ever_before_are_no_matter(decoder):
    body = request([span()] * 40_000)
    assert len(decoder.decode(body, NOW).spans.name) == 40_000
    assert len(decoder.decode(request([span()]), NOW).spans.name) == 1


def test_many_tiny_spans_cost_no_columns(decoder):
    body = message(1, message(2, b"\x12\x00" * 500_000), message(2, message(2, IDS)))
    decoded = decoder.decode(body, NOW)
    assert decoded.rejected == (("span_too_short", 500_000),)
    assert decoded.spans.name.base is not None
    assert decoded.spans.name.base.size < 100


def test_no_later_decode_touches_the_columns(decoder):
    body = request([span("kept", attributes={"server.address": "a"})], "cart", {"host.name": "h"})
    decoded = decoder.decode(body, NOW)
    before = [values.tolist() for group in decoded[:3] for values in group]
    for other in otlp_factory.realistic(3, 200):
        decoder.decode(other, NOW)
    assert [values.tolist() for group in decoded[:3] for values in group] == before


@pytest.mark.parametrize("columns", [Spans, Resources, Scopes])
def test_the_columns_have_the_types_of_the_contract(decoder, columns):
    decoded = decoder.decode(request([span()]), NOW)
    found = next(group for group in decoded if isinstance(group, columns))
    wide = {"trace_hi": np.uint64, "trace_lo": np.uint64, "span_id": np.uint64, "parent_id": np.uint64}
    narrow = {
        "start": np.int64,
        "end": np.int64,
        "kind": np.uint8,
        "status": np.uint8,
        "caller_stale": np.uint8,
    }
    for name, values in zip(found._fields, found, strict=True):
        assert values.dtype == (wide | narrow).get(name, np.int32), name
        assert values.shape == (1,)
        assert values.flags.c_contiguous


def test_the_same_text_has_the_same_id_in_all_columns_and_bodies(decoder):
    first = decoder.decode(request([span("cart")], "cart"), NOW)
    second = decoder.decode(request([span(attributes={"peer.service": "cart"})]), NOW)
    assert first.spans.name[0] == first.resources.service[0] == second.spans.peer_service[0]


def test_attributes_of_events_are_not_the_spans(decoder):
    with_event = span()
    with_event.events.add().attributes.extend(attributes_of({"error.type": "in event"}))
    decoded = decoder.decode(request([with_event]), NOW)
    assert decoded.spans.error_type.tolist() == [0]
