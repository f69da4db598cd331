"""Writing OTLP protobuf: what the transcoders share.

Messages are joined from byte strings, fields in the order of their numbers, default values left out: the bytes
that protobuf's own encoder would write. Keys are given as bytes, `key(number, wire type)`.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = [
    "CLIENT",
    "CONSUMER",
    "ERROR",
    "INTERNAL",
    "OK",
    "PRODUCER",
    "SERVER",
    "Groups",
    "add_span",
    "any_bool",
    "any_bytes",
    "any_double",
    "any_int",
    "any_list",
    "any_text",
    "attribute",
    "count",
    "enum",
    "field",
    "fixed32",
    "key",
    "moment",
    "optional",
    "request",
    "varint",
]

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(1, 6)
OK, ERROR = 1, 2

# Lengths that occur all the time.
_SHORT: Final = (
    *(bytes((n,)) for n in range(128)),
    *(bytes((n & 0x7F | 0x80, n >> 7)) for n in range(128, 2048)),
)
_fixed64: Final = struct.Struct("<Q").pack
_fixed32: Final = struct.Struct("<I").pack
_double: Final = struct.Struct("<d").pack


def varint(number: int) -> bytes:
    """`number` (not negative) in base 128, low digits first."""
    if number < 2048:
        return _SHORT[number]
    digits = bytearray()
    while number > 127:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def key(number: int, wire: int = 2) -> bytes:
    """What stands before a field: its number and wire type (0 varint, 1 eight bytes, 2 length, 5 four bytes)."""
    return varint(number << 3 | wire)


def field(before: bytes, content: bytes) -> bytes:
    """A length-delimited field."""
    size = len(content)
    return before + (_SHORT[size] if size < 2048 else varint(size)) + content


def optional(before: bytes, text: str | None) -> bytes:
    """A text field, or nothing for an empty text."""
    return field(before, text.encode()) if text else b""


def count(before: bytes, number: int) -> bytes:
    """A varint field, or nothing for 0."""
    return before + varint(number) if number else b""


def enum(before: bytes, number: int) -> bytes:
    """A field of an enum or a signed number, or nothing for 0."""
    return count(before, number if number >= 0 else number + 2**64)


def moment(before: bytes, nanoseconds: int) -> bytes:
    """A time as eight fixed bytes, or nothing for 0."""
    return before + _fixed64(nanoseconds) if nanoseconds else b""


def fixed32(before: bytes, number: int) -> bytes:
    """Four fixed bytes, or nothing for 0."""
    return before + _fixed32(number) if number else b""


# ---- AnyValue: a member of its union is written even if it is empty


def any_text(text: str) -> bytes:
    """An AnyValue that holds a text."""
    return field(b"\x0a", text.encode())


def any_bool(flag: bool) -> bytes:
    """An AnyValue that holds true or false."""
    return b"\x10\x01" if flag else b"\x10\x00"


def any_int(number: int) -> bytes:
    """An AnyValue that holds a signed number of 64 bits."""
    return b"\x18" + varint(number if number >= 0 else number + 2**64)


def any_double(number: float) -> bytes:
    """An AnyValue that holds a floating-point number."""
    return b"\x21" + _double(number)


def any_bytes(content: bytes) -> bytes:
    """An AnyValue that holds bytes."""
    return field(b"\x3a", content)


def any_list(values: Iterable[bytes]) -> bytes:
    """An AnyValue that holds a list of AnyValues."""
    return field(b"\x2a", b"".join([field(b"\x0a", value) for value in values]))


def attribute(before: bytes, name: str, value: bytes) -> bytes:
    """A KeyValue field with an AnyValue."""
    return field(before, optional(b"\x0a", name) + field(b"\x12", value))


# ---- the upper levels


Groups = dict[bytes, dict[tuple[str, str], list[bytes]]]
"""Span messages by the content of their Resource message, then by name and version of their scope."""


def add_span(groups: Groups, resource: bytes, scope: tuple[str, str], span: bytes) -> None:
    """Put a Span message where it belongs."""
    groups.setdefault(resource, {}).setdefault(scope, []).append(span)


def request(groups: Groups) -> bytes:
    """An ExportTraceServiceRequest."""
    return b"".join([field(b"\x0a", _resource_spans(*group)) for group in groups.items()])


def _resource_spans(resource: bytes, scopes: Mapping[tuple[str, str], list[bytes]]) -> bytes:
    written = [field(b"\x12", _scope_spans(*scope)) for scope in scopes.items()]
    return field(b"\x0a", resource) + b"".join(written)


def _scope_spans(scope: tuple[str, str], spans: Iterable[bytes]) -> bytes:
    name, version = scope
    content = optional(b"\x0a", name) + optional(b"\x12", version)
    return field(b"\x0a", content) + b"".join([field(b"\x12", span) for span in spans])
