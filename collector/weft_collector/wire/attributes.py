"""Reading attributes: a KeyValue to its column.

A value that the column cannot hold (another type, a number out of range, an empty text) is as if it were
absent. A number may come as an integer or as a text of digits.
"""

from typing import NamedTuple

from weft_collector.kernel import ZERO, inline, load8, number, routine, store32
from weft_collector.wire.known_keys import KEY_COLUMN, KEY_LARGEST, KEY_MESSAGE, KEY_RANK, KEYS, find_key
from weft_collector.wire.message_check import ARRAY_VALUE, KEY_VALUE_LIST, check_message, check_text
from weft_collector.wire.protobuf_reader import (
    DELIMITED,
    FIXED64,
    VARINT,
    read_delimited,
    read_short_delimited,
    read_short_varint,
    read_tag,
    skip_field,
)
from weft_collector.wire.strings import intern


class Target(NamedTuple):
    """Where the attributes of one span or resource go.

    Attributes:
        row: address of its number in the first column.
        stride: bytes from one column to the next.
        message: SPAN_MESSAGE or RESOURCE_MESSAGE: whose keys count.
        level: nesting of its KeyValue messages.
        reserve: share of the table of texts that they leave free.
        strings: the table of texts.
        scratch: SCRATCH_BYTES of memory.
    """

    row: int
    stride: int
    message: int
    level: int
    reserve: int
    strings: int
    scratch: int


_KEY_TAG, _VALUE_TAG = 1 << 3 | DELIMITED, 2 << 3 | DELIMITED
_STRING_VALUE, _INT_VALUE = 1 << 3 | DELIMITED, 3 << 3 | VARINT
_ARRAY_VALUE, _KVLIST_VALUE = 5 << 3 | DELIMITED, 6 << 3 | DELIMITED
# All other members of the union, lists included: bool, double, list, map, bytes, index of a string.
_OTHER_VALUES = (
    2 << 3 | VARINT,
    4 << 3 | FIXED64,
    _ARRAY_VALUE,
    _KVLIST_VALUE,
    7 << 3 | DELIMITED,
    8 << 3 | VARINT,
)

_OTHER_VALUE, _TEXT_VALUE, _NUMBER_VALUE = map(number, range(3))


@routine
def _digits(p: int, end: int) -> int:
    """The number that a text of at most ten digits spells, or 0."""
    value = 0
    if end - p > 10:
        return 0
    while p < end:
        digit = load8(p) - 48
        if digit < 0 or digit > 9:
            return 0
        value = 10 * value + digit
        p += 1
    return value


@routine
def _skip_other(tag: int, p: int, end: int, level: int, scratch: int) -> int:
    """Behind a field of an AnyValue that no column takes; lists are checked."""
    if tag not in (_ARRAY_VALUE, _KVLIST_VALUE):
        return skip_field(tag, p, end, level, scratch)
    start, stop = read_delimited(p, end)
    if stop < 0:
        return stop
    return check_message(
        ARRAY_VALUE if tag == _ARRAY_VALUE else KEY_VALUE_LIST, start, stop, level + 1, scratch
    )


@inline
def _keep(key: tuple[int, int], kind: int, value: tuple[int, int], target: Target, ranks: int) -> int:
    """Write a value to its column unless a better key has; the new `ranks`."""
    slot = find_key(key[0], key[1])
    if slot < 0 or KEYS[slot, KEY_MESSAGE] != target.message:
        return ranks
    column: int = KEYS[slot, KEY_COLUMN]
    rank: int = KEYS[slot, KEY_RANK]
    largest: int = KEYS[slot, KEY_LARGEST]
    if (ranks >> 4 * column) & 15 > rank:
        return ranks
    if largest > 0:
        word = value[0] if kind == _NUMBER_VALUE else _digits(value[0], value[1])
        word = word if word <= largest else 0
    elif kind == _TEXT_VALUE:
        word = intern(value[0], value[1], target.strings, target.reserve)
    else:
        word = 0
    if word <= 0:
        return ranks
    store32(target.row + target.stride * column, word)
    return ranks & ~(15 << 4 * column) | rank << 4 * column


@inline
def read_attribute(  # noqa: C901, PLR0911, PLR0912 - two loops; most returns are a failure on its way out
    p: int, end: int, target: Target, ranks: int
) -> tuple[int, int]:
    """Read a KeyValue and write its value to its column, if it has one.

    Args:
        p: where the message begins.
        end: where it ends.
        target: where values go.
        ranks: rank of the key in each column so far, four bits each; 0 before the first attribute.

    Returns:
        The new `ranks`, and `end` or a failure.
    """
    key = key_end = p
    kind, value, value_end = _OTHER_VALUE, ZERO, ZERO
    while p < end:
        tag, p = read_tag(p, end)
        if p < 0:
            return ranks, p
        if tag & 7 != DELIMITED:
            p = skip_field(tag, p, end, target.level, target.scratch)
            if p < 0:
                return ranks, p
            continue
        start, p = read_short_delimited(p, end)
        if p < 0:
            return ranks, p
        if tag == _KEY_TAG:
            key, key_end = start, p
            p = check_text(start, p)
            if p < 0:
                return ranks, p
        elif tag == _VALUE_TAG:
            stop, p = p, start
            while p < stop:
                tag, p = read_tag(p, stop)
                if p < 0:
                    return ranks, p
                if tag == _STRING_VALUE:
                    value, p = read_short_delimited(p, stop)
                    kind, value_end = _TEXT_VALUE, p
                    p = check_text(value, p) if p >= 0 else p
                elif tag == _INT_VALUE:
                    value, p = read_short_varint(p, stop)
                    kind = _NUMBER_VALUE
                else:
                    kind = _OTHER_VALUE if tag in _OTHER_VALUES else kind
                    p = _skip_other(tag, p, stop, target.level + 1, target.scratch)
                if p < 0:
                    return ranks, p
    if kind != _OTHER_VALUE:
        ranks = _keep((key, key_end), kind, (value, value_end), target, ranks)
    return ranks, p
