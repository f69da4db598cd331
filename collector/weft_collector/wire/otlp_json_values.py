"""Attributes of OTLP JSON to protobuf.

Attributes are read lazily: the body's decoder leaves each KeyValue as the bytes it is, and the same bytes (most of
them, in a body of more than a few spans) are the same message, encoded once. Measured on bodies of 2,048
spans with ten attributes each: 3.0 us a span for splitting and looking up, against 4.7 us where each attribute
becomes objects first. What is remembered lives as long as the body's transcoding.

Each field is asked for by both its names, as proto3 JSON demands: lowerCamelCase, and the original.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import msgspec

from weft_collector.wire.json_reading import Number, WrongValue, base64, floating, read_part, whole
from weft_collector.wire.otlp_writer import (
    any_bool,
    any_bytes,
    any_double,
    any_int,
    any_text,
    enum,
    field,
    optional,
    varint,
)

__all__ = ["DEEPEST", "Attributes", "Text"]

#: Messages nest at most so deep below the request, as in protobuf bodies.
DEEPEST: Final = 100
_INT32: Final = 2**31
_INT64: Final = 2**63
# What is worth remembering: short KeyValues, and so many that memory stays bounded.
_LONGEST_KNOWN: Final = 256
_MOST_KNOWN: Final = 32_768

Text = str | None


class ArrayValue(msgspec.Struct, gc=False):
    """See OTLP."""

    values: "list[AnyValue] | None" = None


class KeyValueList(msgspec.Struct, gc=False):
    """See OTLP."""

    values: "list[KeyValue] | None" = None


class AnyValue(msgspec.Struct, gc=False, rename="camel"):
    """See OTLP. First all members of the union by one name, then by the other."""

    string_value: Text = None
    bool_value: bool | None = None
    int_value: Number = None
    double_value: Number = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None
    bytes_value: Text = None
    string_value_strindex: Number = None
    snake_string_value: Text = msgspec.field(default=None, name="string_value")
    snake_bool_value: bool | None = msgspec.field(default=None, name="bool_value")
    snake_int_value: Number = msgspec.field(default=None, name="int_value")
    snake_double_value: Number = msgspec.field(default=None, name="double_value")
    snake_array_value: ArrayValue | None = msgspec.field(default=None, name="array_value")
    snake_kvlist_value: KeyValueList | None = msgspec.field(default=None, name="kvlist_value")
    snake_bytes_value: Text = msgspec.field(default=None, name="bytes_value")
    snake_string_value_strindex: Number = msgspec.field(default=None, name="string_value_strindex")


class KeyValue(msgspec.Struct, gc=False, rename="camel"):
    """See OTLP."""

    key: Text = None
    value: AnyValue | None = None
    key_strindex: Number = None
    snake_key_strindex: Number = msgspec.field(default=None, name="key_strindex")


_KEY_VALUE: Final = msgspec.json.Decoder(KeyValue)
# A text without escapes, or a number, spelled as exporters spell it: needs no parser. That it is UTF-8 was seen
# when the body was read; what a parser might refuse in it does not match.
_PLAIN: Final = re.compile(
    rb'\{"key":"([^"\\\x00-\x1f]+)","value":\{'
    rb'(?:"stringValue":"([^"\\\x00-\x1f]*)"|"intValue":"?(-?(?:0|[1-9][0-9]{0,17}))"?)\}\}'
).fullmatch


def _array(value: ArrayValue, level: int) -> bytes:
    items = [
        field(b"\x0a", _at(f".values[{number}]", any_value, item, level + 2))
        for number, item in enumerate(value.values or ())
    ]
    return field(b"\x2a", b"".join(items))


def _kvlist(value: KeyValueList, level: int) -> bytes:
    items = [
        field(b"\x0a", _at(f".values[{number}]", key_value, item, level + 2))
        for number, item in enumerate(value.values or ())
    ]
    return field(b"\x32", b"".join(items))


def _at(step: str, write: Callable[[Any, int], bytes], item: Any, level: int) -> bytes:
    try:
        return write(item, level)
    except WrongValue as error:
        raise error.at(step) from None


def _text(value: Any, _level: int) -> bytes:
    return any_text(value)


def _flag(value: Any, _level: int) -> bytes:
    return any_bool(value)


def _int(value: Any, _level: int) -> bytes:
    return any_int(whole(value, -_INT64, _INT64 - 1))


def _double(value: Any, _level: int) -> bytes:
    return any_double(floating(value))


def _bytes(value: Any, _level: int) -> bytes:
    return any_bytes(base64(value))


def _index(value: Any, _level: int) -> bytes:
    number = whole(value, -_INT32, _INT32 - 1)
    return b"\x40" + varint(number if number >= 0 else number + 2**64)


class _Member(NamedTuple):
    """A member of AnyValue's union: its name, and how it is written at a level of nesting."""

    name: str
    write: Callable[[Any, int], bytes]


_MEMBERS: Final = (
    _Member("stringValue", _text),
    _Member("boolValue", _flag),
    _Member("intValue", _int),
    _Member("doubleValue", _double),
    _Member("arrayValue", _array),
    _Member("kvlistValue", _kvlist),
    _Member("bytesValue", _bytes),
    _Member("stringValueStrindex", _index),
)
_ABSENT: Final = 2 * len(_MEMBERS)


def any_value(value: AnyValue, level: int) -> bytes:
    """The content of an AnyValue message at a level of nesting.

    Raises:
        WrongValue: It is more than one value, one that cannot be, or nested too deeply.
    """
    if level > DEEPEST:
        raise WrongValue(f"messages are nested more than {DEEPEST} levels deep")
    if value.string_value is not None:
        return _single(value, 0, level)
    given = msgspec.structs.astuple(value)
    first = next((number for number, one in enumerate(given) if one is not None), None)
    return b"" if first is None else _single(value, first, level)


def _single(value: AnyValue, number: int, level: int) -> bytes:
    given = msgspec.structs.astuple(value)
    if given.count(None) != _ABSENT - 1:
        raise WrongValue("one value at a time")
    member = _MEMBERS[number % len(_MEMBERS)]
    return _at(f".{member.name}", member.write, given[number], level)


def key_value(pair: KeyValue, level: int) -> bytes:
    """The content of a KeyValue message at a level of nesting."""
    name = optional(b"\x0a", pair.key)
    value = b"" if pair.value is None else field(b"\x12", _at(".value", any_value, pair.value, level + 1))
    index = pair.key_strindex if pair.key_strindex is not None else pair.snake_key_strindex
    return name + value + enum(b"\x18", whole(index, -_INT32, _INT32 - 1))


class Attributes:
    """The attributes of one kind of message in one body.

    Args:
        before: Number and wire type of the field that holds them.
        level: Nesting of their KeyValue messages.
    """

    def __init__(self, before: bytes, level: int) -> None:
        self._before = before
        self._level = level
        self._known: dict[bytes, bytes] = {}

    def add(self, raw: list[msgspec.Raw], parts: list[bytes]) -> None:
        """Write attributes.

        Args:
            raw: Each as it stands in the body.
            parts: Where their fields go.

        Raises:
            WrongValue: One is not what it should be.
        """
        texts = [*map(bytes, raw)]
        written = [*map(self._known.get, texts)]
        if None in written:
            for number, text in enumerate(texts):
                if written[number] is None:
                    written[number] = self._write(text, number)
        parts += cast("list[bytes]", written)

    def _write(self, text: bytes, number: int) -> bytes:
        plain = _PLAIN(text)
        if plain:
            written = _plain(self._before, plain)
        else:
            written = field(self._before, _at(f".attributes[{number}]", _careful, text, self._level))
        if len(text) <= _LONGEST_KNOWN and len(self._known) < _MOST_KNOWN:
            self._known[text] = written
        return written


def _careful(text: bytes, level: int) -> bytes:
    return key_value(read_part(_KEY_VALUE, text), level)


def _plain(before: bytes, plain: re.Match[bytes]) -> bytes:
    name, text, digits = plain.groups()
    value = field(b"\x0a", text) if digits is None else any_int(int(digits))
    return field(before, field(b"\x0a", name) + field(b"\x12", value))
