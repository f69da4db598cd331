"""Generated requests, and the same requests in encodings that are allowed and rare."""

from collections.abc import Iterator
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tests.collector.wire import wire_bytes
from tests.collector.wire.otlp_factory import NOW
from weft_collector.wire.known_keys import ASIDE, FOLDED_KEYS, RESOURCE_KEYS, SPAN_KEYS

COLUMNS = (*SPAN_KEYS.values(), *FOLDED_KEYS.values(), *RESOURCE_KEYS.values())
KNOWN = list(dict.fromkeys([*(key for names in COLUMNS for key in names), *ASIDE]))
NEAR = [key[:-1] for key in KNOWN] + [key.upper() for key in KNOWN] + ["", "a", "url.path", "db.namf"]

texts = st.one_of(
    st.sampled_from(
        ["", "80", "0200", "-1", "99999", "4294967376", "99999999999", "a", "GET /", "größe", "日本語" * 4]
    ),
    st.sampled_from(
        [
            "https://u:p@Api.example:8443/x?y",
            "HTTP://h",
            "http://[::1]:80#",
            "http://[broken",
            "x://h:/",
            "h:65536",
            "api.Example",
            "//h",
            "http://a@b@c:1/",
            "http://h:12a",
            "OK",
            "not_found",
        ]
    ),
    st.text(max_size=20),
)
keys = st.one_of(st.sampled_from(KNOWN), st.sampled_from(NEAR), texts)
integers = st.one_of(
    st.integers(-2, 1000),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([65535, 65536, 2**31, 2**32 + 80]),
)
plain_values = st.one_of(
    st.builds(lambda value: AnyValue(string_value=value), texts),
    st.builds(lambda value: AnyValue(int_value=value), integers),
    st.builds(lambda value: AnyValue(bool_value=value), st.booleans()),
    st.builds(lambda value: AnyValue(double_value=value), st.floats(allow_nan=False)),
    st.builds(lambda value: AnyValue(bytes_value=value), st.binary(max_size=20)),
    st.builds(AnyValue),
)


def _nested(values: Any) -> Any:
    lists = st.lists(values, max_size=3).map(lambda items: AnyValue(array_value={"values": items}))
    pairs = st.builds(KeyValue, key=keys, value=values)
    return lists | st.lists(pairs, max_size=3).map(lambda items: AnyValue(kvlist_value={"values": items}))


values = st.recursive(plain_values, _nested, max_leaves=4)
attributes = st.lists(st.builds(KeyValue, key=keys, value=values), max_size=6)


def ids(size: int) -> Any:
    usual = st.binary(min_size=size, max_size=size)
    return usual | usual | usual | st.sampled_from([b"", b"\0" * size]) | st.binary(max_size=size + 2)


times = st.integers(NOW - 10**9, NOW + 10**9) | st.integers(0, 2**64 - 1) | st.just(NOW + 3_600_000_000_000)
entries = st.sampled_from(
    [
        "",
        "weft=0202020202020202;cart;cart-1",
        "a=b, weft=0202020202020202;c%2Frt;",
        "weft=0202020202020203;cart;1",
        "weft=;",
        "xweft=0202020202020202;cart;1",
    ]
)
events = st.builds(Span.Event, time_unix_nano=times, name=texts, attributes=attributes)
links = st.builds(Span.Link, trace_id=st.binary(max_size=17), trace_state=texts, attributes=attributes)
spans = st.builds(
    Span,
    trace_id=ids(16),
    span_id=ids(8),
    parent_span_id=ids(8) | st.just(b"\x02" * 8),
    trace_state=entries | texts,
    flags=st.integers(0, 2**32 - 1),
    name=texts,
    kind=st.integers(0, 7) | st.integers(-(2**31), 2**31 - 1),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=attributes,
    dropped_attributes_count=st.integers(0, 2**32 - 1),
    events=st.lists(events, max_size=2),
    links=st.lists(links, max_size=2),
    status=st.none() | st.builds(Status, code=st.integers(-1, 4), message=texts),
)
scopes = st.none() | st.builds(InstrumentationScope, name=texts, version=texts, attributes=attributes)
resources = st.none() | st.builds(Resource, attributes=attributes)
groups = st.builds(
    ResourceSpans,
    resource=resources,
    scope_spans=st.lists(
        st.builds(ScopeSpans, scope=scopes, spans=st.lists(spans, max_size=3), schema_url=texts), max_size=3
    ),
    schema_url=texts,
)


def requests() -> Any:
    """Requests of all shapes, with spans that are kept and spans that are not."""
    return st.builds(ExportTraceServiceRequest, resource_spans=st.lists(groups, max_size=3))


# ---- other encodings of the same message

_WIRE = {
    FieldDescriptor.TYPE_FIXED64: 1,
    FieldDescriptor.TYPE_DOUBLE: 1,
    FieldDescriptor.TYPE_FIXED32: 5,
    FieldDescriptor.TYPE_STRING: 2,
    FieldDescriptor.TYPE_BYTES: 2,
    FieldDescriptor.TYPE_MESSAGE: 2,
}


def _items(message: Message, random: Random) -> Iterator[tuple[FieldDescriptor, Any]]:
    """The fields in an order of their own; the order within a repeated field, and of a union, stays."""
    by_field = []
    for field, value in message.ListFields():
        by_field.append([(field, one) for one in (value if field.is_repeated else [value])])
    while by_field:
        queue = random.choice(by_field)
        yield queue.pop(0)
        by_field = [queue for queue in by_field if queue]


def _payload(field: FieldDescriptor, value: Any, random: Random) -> bytes:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return reencoded(value, random)
    return value.encode() if isinstance(value, str) else value


def _unknown(random: Random) -> bytes:
    """A field that OTLP does not have, or has with another wire type."""
    return random.choice(
        [
            b"",
            wire_bytes.number(29, random.getrandbits(64)),
            wire_bytes.message(500, b"\xff\x00"),
            wire_bytes.fixed64(30, 7),
            wire_bytes.fixed32(31, 7),
            wire_bytes.group(
                3000, wire_bytes.number(1, 1), wire_bytes.group(2, wire_bytes.message(1, b"\xff"))
            ),
            wire_bytes.fixed32(1, 9),
            wire_bytes.group(2, wire_bytes.fixed32(1, 9)),
        ]
    )


def reencoded(message: Message, random: Random) -> bytes:
    """The message with fields shuffled, unknown ones in between, long varints, and messages in pieces."""
    parts = []
    for field, value in _items(message, random):
        wire = _WIRE.get(field.type, 0)
        parts.append(_unknown(random))
        parts.append(wire_bytes.tag(field.number, wire, random.choice((0, 0, 2, 5))))
        if wire == 2:
            payload = _payload(field, value, random)
            parts.append(wire_bytes.varint(len(payload), random.choice((0, 0, 3, 5))) + payload)
            if field.type == FieldDescriptor.TYPE_MESSAGE and not field.is_repeated and random.random() < 0.3:
                parts.append(wire_bytes.message(field.number))  # a second, empty piece changes nothing
        elif wire == 0:
            parts.append(wire_bytes.varint(int(value), random.choice((0, 0, 4, 10))))
        else:
            canonical = type(message)()
            setattr(canonical, field.name, value)
            parts.append(
                canonical.SerializeToString()[-8 if wire == 1 else -4 :] or b"\0" * (8 if wire == 1 else 4)
            )
    return b"".join(parts)
