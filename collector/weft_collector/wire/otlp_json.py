"""OTLP JSON to OTLP protobuf: what a client that speaks `application/json` means, in the log's own language.

The rules are those of proto3 JSON, with OTLP's exception: ids are hexadecimal, not base64. Names may be
lowerCamelCase or the original ones, numbers may be texts, enums may be names, null is absent, unknown names are
passed over. Ids of a wrong length go through as they are: the decoder refuses the span alone, as it does
for protobuf. Whatever else is wrong refuses the body, with the path to it.

The result holds everything: it is byte for byte what protobuf's own encoder makes of the same request (but for
values that JSON gives twice, of which the last counts). Refused: decoding JSON into columns of its own, which
would double the rules; and json_format, which takes 100 times as long.
"""

import struct
from binascii import unhexlify
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from weft_collector.wire.json_reading import UINT32, Number, WrongValue, hex_id, inside, read, whole
from weft_collector.wire.otlp_json_values import Attributes, Text
from weft_collector.wire.otlp_writer import count, enum, field, fixed32, moment, optional
from weft_collector.wire.weight import HEAVIEST_SPANS, check_json

__all__ = ["transcode"]

_WHAT: Final = "OTLP JSON"
_INT32: Final = 2**31
_two_times: Final = struct.Struct("<BQBQ").pack
Raws = list[msgspec.Raw] | None
T = TypeVar("T")


class _Base(msgspec.Struct, gc=False, rename="camel"):
    """A message; a field that has another name in the protocol file occurs a second time as `snake_...`."""


class _Status(_Base):
    message: Text = None
    code: Number = None


class _Link(_Base):
    trace_id: Text = None
    span_id: Text = None
    trace_state: Text = None
    attributes: Raws = None
    dropped_attributes_count: Number = None
    flags: Number = None
    snake_trace_id: Text = msgspec.field(default=None, name="trace_id")
    snake_span_id: Text = msgspec.field(default=None, name="span_id")
    snake_trace_state: Text = msgspec.field(default=None, name="trace_state")
    snake_dropped_attributes_count: Number = msgspec.field(default=None, name="dropped_attributes_count")


class _Event(_Base):
    time_unix_nano: Number = None
    name: Text = None
    attributes: Raws = None
    dropped_attributes_count: Number = None
    snake_time_unix_nano: Number = msgspec.field(default=None, name="time_unix_nano")
    snake_dropped_attributes_count: Number = msgspec.field(default=None, name="dropped_attributes_count")


class _Span(_Base):
    trace_id: Text = None
    span_id: Text = None
    trace_state: Text = None
    parent_span_id: Text = None
    name: Text = None
    kind: Number = None
    start_time_unix_nano: Number = None
    end_time_unix_nano: Number = None
    attributes: Raws = None
    dropped_attributes_count: Number = None
    events: list[_Event] | None = None
    dropped_events_count: Number = None
    links: list[_Link] | None = None
    dropped_links_count: Number = None
    status: _Status | None = None
    flags: Number = None
    snake_trace_id: Text = msgspec.field(default=None, name="trace_id")
    snake_span_id: Text = msgspec.field(default=None, name="span_id")
    snake_trace_state: Text = msgspec.field(default=None, name="trace_state")
    snake_parent_span_id: Text = msgspec.field(default=None, name="parent_span_id")
    snake_start_time_unix_nano: Number = msgspec.field(default=None, name="start_time_unix_nano")
    snake_end_time_unix_nano: Number = msgspec.field(default=None, name="end_time_unix_nano")
    snake_dropped_attributes_count: Number = msgspec.field(default=None, name="dropped_attributes_count")
    snake_dropped_events_count: Number = msgspec.field(default=None, name="dropped_events_count")
    snake_dropped_links_count: Number = msgspec.field(default=None, name="dropped_links_count")


class _Scope(_Base):
    name: Text = None
    version: Text = None
    attributes: Raws = None
    dropped_attributes_count: Number = None
    snake_dropped_attributes_count: Number = msgspec.field(default=None, name="dropped_attributes_count")


class _ScopeSpans(_Base):
    scope: _Scope | None = None
    spans: list[_Span] | None = None
    schema_url: Text = None
    snake_schema_url: Text = msgspec.field(default=None, name="schema_url")


class _EntityRef(_Base):
    schema_url: Text = None
    type: Text = None
    id_keys: list[str] | None = None
    description_keys: list[str] | None = None
    snake_schema_url: Text = msgspec.field(default=None, name="schema_url")
    snake_id_keys: list[str] | None = msgspec.field(default=None, name="id_keys")
    snake_description_keys: list[str] | None = msgspec.field(default=None, name="description_keys")


class _Resource(_Base):
    attributes: Raws = None
    dropped_attributes_count: Number = None
    entity_refs: list[_EntityRef] | None = None
    snake_dropped_attributes_count: Number = msgspec.field(default=None, name="dropped_attributes_count")
    snake_entity_refs: list[_EntityRef] | None = msgspec.field(default=None, name="entity_refs")


class _ResourceSpans(_Base):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None
    schema_url: Text = None
    snake_scope_spans: list[_ScopeSpans] | None = msgspec.field(default=None, name="scope_spans")
    snake_schema_url: Text = msgspec.field(default=None, name="schema_url")


class _Request(_Base):
    resource_spans: list[_ResourceSpans] | None = None
    snake_resource_spans: list[_ResourceSpans] | None = msgspec.field(default=None, name="resource_spans")


_REQUEST: Final = msgspec.json.Decoder(_Request)

_KINDS: Final = {
    f"SPAN_KIND_{name}": number
    for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_SHORT_KINDS: Final[dict[Number, bytes]] = {
    key: bytes((0x30, number)) for name, number in _KINDS.items() if number for key in (name, number)
}
_CODES: Final = {f"STATUS_CODE_{name}": number for number, name in enumerate(("UNSET", "OK", "ERROR"))}


def transcode(body: bytes) -> bytes:
    """An ExportTraceServiceRequest (or TracesData) in JSON as the same message in protobuf.

    Raises:
        MalformedBody: It is not OTLP JSON.
        BodyTooLarge: It has too many parts.
    """
    check_json(body, HEAVIEST_SPANS)
    request = read(_REQUEST, body, _WHAT)
    try:
        return _Writer().request(request)
    except WrongValue as error:
        raise inside(_WHAT, error) from None


class _Writer:
    """Writes one body; remembers the attributes that repeat in it."""

    def __init__(self) -> None:
        self._of_resources = Attributes(b"\x0a", 3)
        self._of_scopes = Attributes(b"\x1a", 4)
        self._of_spans = Attributes(b"\x4a", 4)
        self._of_events = Attributes(b"\x1a", 5)
        self._of_links = Attributes(b"\x22", 5)

    def request(self, request: _Request) -> bytes:
        groups = _either(request.resource_spans, request.snake_resource_spans)
        return b"".join(_each(b"\x0a", self._resource_spans, groups, "resourceSpans"))

    def _resource_spans(self, group: _ResourceSpans) -> bytes:
        parts: list[bytes] = []
        if group.resource is not None:
            parts.append(field(b"\x0a", _at(".resource", self._resource, group.resource)))
        scopes = _either(group.scope_spans, group.snake_scope_spans)
        parts += _each(b"\x12", self._scope_spans, scopes, "scopeSpans")
        parts.append(optional(b"\x1a", group.schema_url or group.snake_schema_url))
        return b"".join(parts)

    def _resource(self, resource: _Resource) -> bytes:
        parts: list[bytes] = []
        self._of_resources.add(resource.attributes or [], parts)
        parts.append(_dropped(b"\x10", resource))
        entities = _either(resource.entity_refs, resource.snake_entity_refs)
        parts += _each(b"\x1a", _entity_ref, entities, "entityRefs")
        return b"".join(parts)

    def _scope_spans(self, group: _ScopeSpans) -> bytes:
        parts: list[bytes] = []
        if group.scope is not None:
            parts.append(field(b"\x0a", _at(".scope", self._scope, group.scope)))
        parts += _each(b"\x12", self._span, group.spans, "spans")
        parts.append(optional(b"\x1a", group.schema_url or group.snake_schema_url))
        return b"".join(parts)

    def _scope(self, scope: _Scope) -> bytes:
        parts = [optional(b"\x0a", scope.name), optional(b"\x12", scope.version)]
        self._of_scopes.add(scope.attributes or [], parts)
        parts.append(_dropped(b"\x20", scope))
        return b"".join(parts)

    def _span(self, span: _Span) -> bytes:
        parts = [_usual_ids(span) or _ids(span)]
        if span.trace_state or span.snake_trace_state:
            parts.append(optional(b"\x1a", span.trace_state or span.snake_trace_state))
        parent = span.parent_span_id or span.snake_parent_span_id
        if parent:
            parts.append(_id(b"\x22", parent, ".parentSpanId"))
        if span.name:
            parts.append(field(b"\x2a", span.name.encode()))
        if span.kind:
            parts.append(_SHORT_KINDS.get(span.kind) or enum(b"\x30", _at(".kind", _kind, span.kind)))
        parts.append(_usual_times(span) or _times(span))
        if span.attributes is not None:
            self._of_spans.add(span.attributes, parts)
        if span.dropped_attributes_count or span.snake_dropped_attributes_count:
            parts.append(_dropped(b"\x50", span))
        if span.events or span.links or _dropped_details(span):
            self._add_details(span, parts)
        if span.status is not None:
            parts.append(field(b"\x7a", _at(".status", _status, span.status)))
        if span.flags:
            parts.append(fixed32(b"\x85\x01", _at(".flags", _uint32, span.flags)))
        return b"".join(parts)

    def _add_details(self, span: _Span, parts: list[bytes]) -> None:
        parts += _each(b"\x5a", self._event, span.events, "events")
        dropped = _either(span.dropped_events_count, span.snake_dropped_events_count)
        parts.append(count(b"\x60", _at(".droppedEventsCount", _uint32, dropped)))
        parts += _each(b"\x6a", self._link, span.links, "links")
        dropped = _either(span.dropped_links_count, span.snake_dropped_links_count)
        parts.append(count(b"\x70", _at(".droppedLinksCount", _uint32, dropped)))

    def _event(self, event: _Event) -> bytes:
        time = _either(event.time_unix_nano, event.snake_time_unix_nano)
        parts = [moment(b"\x09", _at(".timeUnixNano", whole, time)), optional(b"\x12", event.name)]
        self._of_events.add(event.attributes or [], parts)
        parts.append(_dropped(b"\x20", event))
        return b"".join(parts)

    def _link(self, link: _Link) -> bytes:
        parts = [
            _id(b"\x0a", link.trace_id or link.snake_trace_id, ".traceId"),
            _id(b"\x12", link.span_id or link.snake_span_id, ".spanId"),
            optional(b"\x1a", link.trace_state or link.snake_trace_state),
        ]
        self._of_links.add(link.attributes or [], parts)
        parts += (_dropped(b"\x28", link), fixed32(b"\x35", _at(".flags", _uint32, link.flags)))
        return b"".join(parts)


def _usual_ids(span: _Span) -> bytes | None:
    """The two ids of most spans; None for others, which `_ids` looks at closely."""
    trace, own = span.trace_id, span.span_id
    if trace is None or own is None or len(trace) != 32 or len(own) != 16:
        return None
    try:
        return b"\x0a\x10" + unhexlify(trace) + b"\x12\x08" + unhexlify(own)
    except ValueError:
        return None


def _ids(span: _Span) -> bytes:
    return _id(b"\x0a", span.trace_id or span.snake_trace_id, ".traceId") + _id(
        b"\x12", span.span_id or span.snake_span_id, ".spanId"
    )


def _usual_times(span: _Span) -> bytes | None:
    """The two times of most spans, as texts of today; None for others, which `_times` looks at closely."""
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if type(start) is not str or type(end) is not str or len(start) != 19 or len(end) != 19:
        return None
    both = start + end
    if not both.isascii() or not both.isdecimal() or start[0] == "0" or end[0] == "0":
        return None
    return _two_times(0x39, int(start), 0x41, int(end))


def _times(span: _Span) -> bytes:
    start = _either(span.start_time_unix_nano, span.snake_start_time_unix_nano)
    end = _either(span.end_time_unix_nano, span.snake_end_time_unix_nano)
    return moment(b"\x39", _at(".startTimeUnixNano", whole, start)) + moment(
        b"\x41", _at(".endTimeUnixNano", whole, end)
    )


def _dropped_details(span: _Span) -> bool:
    return bool(
        span.dropped_events_count
        or span.dropped_links_count
        or span.snake_dropped_events_count
        or span.snake_dropped_links_count
    )


def _status(status: _Status) -> bytes:
    code = enum(b"\x18", _at(".code", _code, status.code))
    return optional(b"\x12", status.message) + code


def _entity_ref(entity: _EntityRef) -> bytes:
    parts = [
        optional(b"\x0a", entity.schema_url or entity.snake_schema_url),
        optional(b"\x12", entity.type),
    ]
    parts += [field(b"\x1a", name.encode()) for name in entity.id_keys or entity.snake_id_keys or ()]
    keys = entity.description_keys or entity.snake_description_keys or ()
    parts += [field(b"\x22", name.encode()) for name in keys]
    return b"".join(parts)


# ---- single values


def _either(camel: T | None, snake: T | None) -> T | None:
    """A field by the name that is there."""
    return snake if camel is None else camel


def _kind(value: Number) -> int:
    return _named(_KINDS, value)


def _code(value: Number) -> int:
    return _named(_CODES, value)


def _named(names: dict[str, int], value: Number) -> int:
    known = names.get(value) if isinstance(value, str) else None
    return whole(value, -_INT32, _INT32 - 1) if known is None else known


def _uint32(value: Number) -> int:
    return whole(value, 0, UINT32)


def _dropped(before: bytes, message: "_Resource | _Scope | _Span | _Event | _Link") -> bytes:
    value = _either(message.dropped_attributes_count, message.snake_dropped_attributes_count)
    return count(before, _at(".droppedAttributesCount", _uint32, value)) if value else b""


def _id(before: bytes, text: str | None, step: str) -> bytes:
    return field(before, _at(step, hex_id, text)) if text else b""


# ---- where something stood


def _at(step: str, write: Callable[[Any], T], value: Any) -> T:
    try:
        return write(value)
    except WrongValue as error:
        raise error.at(step) from None


def _each(before: bytes, write: Callable[[T], bytes], items: Sequence[T] | None, name: str) -> list[bytes]:
    """A field for each item."""
    parts: list[bytes] = []
    try:
        for item in items or ():
            parts.append(field(before, write(item)))  # noqa: PERF401 - how many are written says where it failed
    except WrongValue as error:
        raise error.at(f".{name}[{len(parts)}]") from None
    return parts
