"""Where the value of one attribute stands, for many messages at once.

The bytes are those of Span or Resource messages that were checked when they came in. They are walked again
with bounds all the same: pointers come out of derived files, and a wrong one must not become a stray read.
Each position is compared with the end of its message before it is read, and each message with the buffer.

Of the same key twice the last one counts, as everywhere in Weft. Scalars are settled here. Whatever is rare
(lists, maps, bytes, a value in several pieces, a broken message) is left to the reference parser, marked
OTHER. Refused: filling a table of all attributes of a span; a search asks for one or two keys, and most
spans have ten.
"""

from typing import NamedTuple

from weft_collector.kernel import ZERO, inline, kernel, load8, load64, number, routine, store64
from weft_collector.wire.protobuf_reader import (
    DELIMITED,
    FIXED64,
    VARINT,
    read_short_delimited,
    read_short_varint,
    read_tag,
    skip_field,
)

__all__ = ["ABSENT", "BOOL", "DOUBLE", "EMPTY", "INT", "OTHER", "TEXT", "Asked", "find_values"]

#: What `find_values` found: no such key, a value of nothing, a scalar, or something for the reference parser.
ABSENT, EMPTY, TEXT, INT, BOOL, DOUBLE, OTHER = map(number, range(7))

_KEY, _VALUE = 1 << 3 | DELIMITED, 2 << 3 | DELIMITED
_STRING, _BOOL, _INT, _DOUBLE = 1 << 3 | DELIMITED, 2 << 3 | VARINT, 3 << 3 | VARINT, 4 << 3 | FIXED64
_LIST, _MAP, _BYTES, _STRING_INDEX = 5 << 3 | DELIMITED, 6 << 3 | DELIMITED, 7 << 3 | DELIMITED, 8 << 3
_RARE = (_LIST, _MAP, _BYTES, _STRING_INDEX)
_ONE = number(1)


class Asked(NamedTuple):
    """Which messages are walked for which key, and where the answer goes: addresses and numbers.

    Attributes:
        base: the buffer.
        size: its bytes.
        offsets: of the messages in the buffer, 64-bit.
        lengths: of the messages, 64-bit; a negative one is a message that is not there.
        messages: how many messages.
        tag: of the attributes in the message: field number * 8 + 2.
        key: the key's bytes.
        key_length: how many bytes.
        found: three rows of `messages` 64-bit numbers: one of the codes above; where a text begins in the
            buffer, or the value (a double's bits); where a text ends.
        scratch: SCRATCH_BYTES of memory.
    """

    base: int
    size: int
    offsets: int
    lengths: int
    messages: int
    tag: int
    key: int
    key_length: int
    found: int
    scratch: int


@inline
def _same(p: int, end: int, key: int, length: int) -> bool:
    """Whether the bytes at `p..end` are those at `key`."""
    if end - p != length:
        return False
    at = ZERO
    while length - at >= 8:
        if load64(p + at) != load64(key + at):
            return False
        at += 8
    while at < length:
        if load8(p + at) != load8(key + at):
            return False
        at += 1
    return True


@routine
def _read_value(p: int, end: int, scratch: int) -> tuple[int, int, int]:
    """What an AnyValue holds: code, start or value, end. A broken one is OTHER."""
    kind, first, last = EMPTY, ZERO, ZERO
    while p < end:
        tag, p = read_tag(p, end)
        if p < 0:
            return OTHER, ZERO, ZERO
        if tag == _STRING:
            first, p = read_short_delimited(p, end)
            kind, last = TEXT, p
        elif tag in (_INT, _BOOL):
            first, p = read_short_varint(p, end)
            kind = INT if tag == _INT else BOOL
        elif tag == _DOUBLE:
            if end - p < 8:
                return OTHER, ZERO, ZERO
            kind, first = DOUBLE, load64(p)
            p += 8
        elif tag in _RARE:
            return OTHER, ZERO, ZERO
        else:
            p = skip_field(tag, p, end, _ONE, scratch)
        if p < 0:
            return OTHER, ZERO, ZERO
    return kind, first, last


@inline
def _read_pair(p: int, end: int, asked: Asked) -> tuple[int, int, int]:
    """What a KeyValue holds if its key is the one asked for, else ABSENT."""
    mine = asked.key_length == 0  # protobuf leaves an empty key out
    values, value, value_end = ZERO, ZERO, ZERO
    while p < end:
        tag, p = read_tag(p, end)
        if p < 0:
            return OTHER, ZERO, ZERO
        if tag == _KEY:
            start, p = read_short_delimited(p, end)
            mine = p >= 0 and _same(start, p, asked.key, asked.key_length)
        elif tag == _VALUE:
            value, p = read_short_delimited(p, end)
            value_end = p
            values += 1
        else:
            p = skip_field(tag, p, end, _ONE, asked.scratch)
        if p < 0:
            return OTHER, ZERO, ZERO
    if not mine:
        return ABSENT, ZERO, ZERO
    if values > 1:
        return OTHER, ZERO, ZERO
    return _read_value(value, value_end, asked.scratch)


@kernel
def find_values(asked: Asked) -> None:
    """Fill `asked.found` for every message."""
    for i in range(asked.messages):
        offset, length = load64(asked.offsets + 8 * i), load64(asked.lengths + 8 * i)
        kind, first, last = ABSENT, ZERO, ZERO
        inside = offset >= 0 and length >= 0 and offset <= asked.size and length <= asked.size - offset
        p = asked.base + offset
        end = p + length
        while inside and p < end:
            tag, p = read_tag(p, end)
            if p >= 0 and tag == asked.tag:
                start, p = read_short_delimited(p, end)
                if p >= 0:
                    held, held_first, held_last = _read_pair(start, p, asked)
                    if held != ABSENT:
                        kind, first, last = held, held_first, held_last
            elif p >= 0:
                p = skip_field(tag, p, end, ZERO, asked.scratch)
            if p < 0:
                kind, first, last, p = OTHER, ZERO, ZERO, end
        if kind == TEXT:
            first -= asked.base
            last -= asked.base
        store64(asked.found + 8 * i, kind)
        store64(asked.found + 8 * (asked.messages + i), first)
        store64(asked.found + 8 * (2 * asked.messages + i), last)
