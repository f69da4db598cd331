"""Spans to OTLP protobuf: the agent's own encoder, held to golden files.

A protobuf message is a row of fields, each a key (number and wire type) followed by a number, eight fixed
bytes, or a length and as many bytes. `ExportTraceServiceRequest` needs so few shapes that each is written
out here; fields go in the order of their numbers, as protobuf's own encoder writes them, and default values
are left out.

Speed comes from what repeats: whole attributes with short text or small numbers are remembered as bytes, as
are resource and scope. The protobuf library would bring 2 MB and five times the time.
"""

import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar, cast

from opentelemetry.trace import Link, SpanKind, Status

from weft.core import NO_DETAILS, Event, Scope
from weft.guard import guarded
from weft.resource import Resource
from weft.span import UNSET, Span
from weft.tracestate import EMPTY
from weft.values import Value

CONTENT_TYPE: Final = "application/x-protobuf"
MAX_REMEMBERED: Final = 4096
HAS_REMOTE: Final = 0x100
"""Flag bit: whether the parent is remote is known. `IS_REMOTE` says that it is."""
IS_REMOTE: Final = 0x200

_INT64: Final = range(-(2**63), 2**63)
_UINT64_MAX: Final = 2**64 - 1
_FLAGS: Final = tuple(
    b"\x85\x01" + (flags | HAS_REMOTE | (IS_REMOTE if remote else 0)).to_bytes(4, "little")
    for remote in (False, True)
    for flags in range(4)
)
"""The flags field of a span, by its trace flags, from the fifth on with a remote parent."""
_fixed64: Final = struct.Struct("<Q").pack
_double: Final = struct.Struct("<d").pack
_two_times: Final = struct.Struct("<BQBQ").pack
_SHORT: Final = tuple(bytes((n,)) for n in range(128))
_KINDS: Final[Mapping[object, bytes]] = {kind: bytes((0x30, kind.value + 1)) for kind in SpanKind}
_INTERNAL: Final = _KINDS[SpanKind.INTERNAL]
_SPAN_ATTRIBUTE: Final = b"\x4a"
_ATTRIBUTE_1: Final = b"\x0a"


def varint(number: int) -> bytes:
    """Return `number` (not negative) in base 128, low digits first."""
    if number < 128:
        return _SHORT[number]
    digits = bytearray()
    while number > 127:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def field(key: bytes, content: bytes) -> bytes:
    """Return a length-delimited field."""
    size = len(content)
    return key + (_SHORT[size] if size < 128 else varint(size)) + content


def utf8(value: str) -> bytes:
    """Return `value` as UTF-8; what cannot be written so (lone surrogates) becomes a question mark."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        return value.encode(errors="replace")


# -- attribute values


def _text(value: Value) -> bytes:
    return field(b"\x0a", utf8(cast("str", value)))


def _bool(value: Value) -> bytes:
    return b"\x10\x01" if value else b"\x10\x00"


def _int(value: Value) -> bytes:
    number = cast("int", value)
    if number not in _INT64:
        return _text(str(number)) if number.bit_length() < 4096 else _text("<integer>")
    return b"\x18" + varint(number if number >= 0 else number + 2**64)


def _float(value: Value) -> bytes:
    return b"\x21" + _double(cast("float", value))


def _array(value: Value) -> bytes:
    return field(
        b"\x2a", b"".join(field(b"\x0a", any_value(item)) for item in cast("tuple[Value, ...]", value))
    )


def _map(value: Value) -> bytes:
    return field(b"\x32", attributes(_ATTRIBUTE_1, cast("dict[str, Value]", value)))


def _bytes(value: Value) -> bytes:
    return field(b"\x3a", cast("bytes", value))


def _none(_value: Value) -> bytes:
    return b""


_VALUES: Final[Mapping[type, Callable[[Value], bytes]]] = {
    str: _text,
    bool: _bool,
    int: _int,
    float: _float,
    tuple: _array,
    dict: _map,
    bytes: _bytes,
    type(None): _none,
}


def any_value(value: Value) -> bytes:
    """Return the AnyValue message of a cleaned attribute value."""
    return _VALUES[type(value)](value)


def attributes(key: bytes, values: Mapping[str, Value]) -> bytes:
    """Return the KeyValue messages of `values`, each as a field with `key`."""
    pairs = [(optional(b"\x0a", name), field(b"\x12", any_value(value))) for name, value in values.items()]
    return b"".join([field(key, name + value) for name, value in pairs])


class Encoder:
    """Turns batches of finished spans into request bodies. For one thread; remembers what repeats."""

    def __init__(self) -> None:
        self._remembered: dict[tuple[str, Value], bytes] = {}
        self._names: dict[tuple[str, int], bytes] = {}
        self._scopes: dict[int, tuple[Scope, bytes]] = {}
        self.dropped: Counter[str] = Counter()
        """Spans that could not be encoded, by reason."""

    def encode(self, spans: Iterable[Span]) -> bytes:
        """Return an ExportTraceServiceRequest, grouped by resource and scope as they first occur."""
        groups: dict[Resource, dict[int, list[bytes]]] = {}
        for span in spans:
            encoded = self._guarded_span(span)
            if encoded is None:
                self.dropped["unencodable"] += 1
                continue
            scopes = groups.setdefault(span.core.resource, {})
            scopes.setdefault(self._scope(span.instrumentation_scope), []).append(encoded)
        return b"".join([field(b"\x0a", self._resource_spans(*group)) for group in groups.items()])

    def _resource_spans(self, resource: Resource, scopes: Mapping[int, Sequence[bytes]]) -> bytes:
        parts = [resource_message(resource)]
        parts += [field(b"\x12", self._scope_spans(*group)) for group in scopes.items()]
        return b"".join(parts) + optional(b"\x1a", resource.schema_url)

    def _scope_spans(self, scope_id: int, spans: Sequence[bytes]) -> bytes:
        scope, encoded = self._scopes[scope_id]
        return b"".join([encoded, *spans, optional(b"\x1a", scope.schema_url)])

    def _scope(self, scope: Scope) -> int:
        """Remember a scope by its identity: its attributes cannot be hashed, and it lives as long."""
        identity = id(scope)
        if identity not in self._scopes:
            if len(self._scopes) >= MAX_REMEMBERED:
                self._scopes.clear()
            self._scopes[identity] = (scope, scope_message(scope))
        return identity

    @guarded
    def _guarded_span(self, span: Span) -> bytes:
        return field(b"\x12", self.span(span))

    def span(self, span: Span) -> bytes:
        """Return the Span message of a finished span."""
        parts = [b"\x0a\x10", span.trace_id.to_bytes(16, "big"), b"\x12\x08", span.span_id.to_bytes(8, "big")]
        if span.state is not EMPTY:
            parts.append(optional(b"\x1a", span.state.to_header()))
        if span.parent_id:
            parts += (b"\x22\x08", span.parent_id.to_bytes(8, "big"))
        parts += (self._name_and_kind(span), times(span.start_time, span.end_time or 0))
        self._add_attributes(span.attributes, parts)
        if span.details is not NO_DETAILS:
            parts.append(_details(span))
        if span.status is not UNSET:
            parts.append(status(span.status))
        parts.append(_FLAGS[span.flags + 4 * span.from_remote])
        return b"".join(parts)

    def _name_and_kind(self, span: Span) -> bytes:
        key = (span.name, id(span.kind))
        encoded = self._names.get(key)
        if encoded is None:
            encoded = optional(b"\x2a", span.name) + _KINDS.get(span.kind, _INTERNAL)
            _bounded(self._names)[key] = encoded
        return encoded

    def _add_attributes(self, values: Mapping[str, Value], parts: list[bytes]) -> None:
        remembered = self._remembered.get
        for name, value in values.items():
            kind = type(value)
            if kind is str or kind is int:
                parts.append(remembered((name, value)) or self._remember(name, value))
            else:
                parts.append(attributes(_SPAN_ATTRIBUTE, {name: value}))

    def _remember(self, name: str, value: Value) -> bytes:
        encoded = attributes(_SPAN_ATTRIBUTE, {name: value})
        if len(encoded) <= 128:
            _bounded(self._remembered)[name, value] = encoded
        return encoded


V = TypeVar("V")


def _bounded(remembered: dict[V, bytes]) -> dict[V, bytes]:
    """Return a memory with room for one more: everything is forgotten when it is full."""
    if len(remembered) >= MAX_REMEMBERED:
        remembered.clear()
    return remembered


def times(start: int, end: int) -> bytes:
    """Return the two time fields of a span, which does not end before it starts."""
    try:
        return _two_times(0x39, start, 0x41, max(start, end))
    except struct.error:  # a time given by the host that is none
        return _two_times(0x39, 0, 0x41, 0)


def _moment(nanoseconds: int) -> int:
    return min(max(nanoseconds, 0), _UINT64_MAX)


def optional(key: bytes, value: str | None) -> bytes:
    """Return a text field, or nothing for an empty text."""
    return field(key, utf8(value)) if value else b""


def count(key: bytes, number: int) -> bytes:
    """Return a number field, or nothing for zero."""
    return key + varint(number) if number else b""


def _details(span: Span) -> bytes:
    parts = [count(b"\x50", span.dropped_attributes)]
    parts += [field(b"\x5a", _event(event)) for event in span.events]
    parts.append(count(b"\x60", span.dropped_events))
    parts += [field(b"\x6a", _link(link)) for link in span.links]
    parts.append(count(b"\x70", span.dropped_links))
    return b"".join(parts)


def _event(event: Event) -> bytes:
    return (
        b"\x09"
        + _fixed64(_moment(event.timestamp))
        + optional(b"\x12", event.name)
        + attributes(b"\x1a", event.attributes)
    )


def _link(link: Link) -> bytes:
    context = link.context
    ids = (
        b"\x0a\x10" + context.trace_id.to_bytes(16, "big") + b"\x12\x08" + context.span_id.to_bytes(8, "big")
    )
    header = optional(b"\x1a", context.trace_state.to_header())
    flags = (context.trace_flags & 0xFF) | HAS_REMOTE | (IS_REMOTE if context.is_remote else 0)
    values = attributes(b"\x22", cast("Mapping[str, Value]", link.attributes))
    return ids + header + values + b"\x35" + flags.to_bytes(4, "little")


def status(outcome: Status) -> bytes:
    """Return the status field of a span whose outcome was set."""
    return field(b"\x7a", optional(b"\x12", outcome.description) + bytes((0x18, outcome.status_code.value)))


def resource_message(resource: Resource) -> bytes:
    """Return the resource field of a ResourceSpans message."""
    if resource.encoded is None:
        resource.encoded = field(b"\x0a", attributes(_ATTRIBUTE_1, resource.attributes))
    return resource.encoded


def scope_message(scope: Scope) -> bytes:
    """Return the scope field of a ScopeSpans message."""
    name = optional(b"\x0a", scope.name) + optional(b"\x12", scope.version)
    return field(b"\x0a", name + attributes(b"\x1a", scope.attributes))
