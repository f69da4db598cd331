"""Reading attributes: a KeyValue to its column.

A value that the column cannot hold (another type, a number out of range, an empty text) is as if it were
absent. A number may come as an integer or as a text of digits.
"""

from typing import NamedTuple

from weft_collector.kernel import ZERO, inline, routine, store32
from weft_collector.wire.known_keys import (
    KEY_ASIDE,
    KEY_COLUMN,
    KEY_MESSAGE,
    KEY_RANK,
    KEY_READING,
    KEY_SHIFT,
    KEYS,
    find_key,
)
from weft_collector.wire.message_check import ARRAY_VALUE, KEY_VALUE_LIST, check_message, check_text
from weft_collector.wire.peer_host import set_aside
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
from weft_collector.wire.special_values import (
    NUMBER_VALUE,
    OTHER_VALUE,
    TEXT_VALUE,
    TRUTH_VALUE,
    number_up_to,
    read_special,
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
        scratch: DECODER_SCRATCH bytes of memory.
    """

    row: int
    stride: int
    message: int
    level: int
    reserve: int
    strings: int
    scratch: int


_KEY_TAG, _VALUE_TAG = 1 << 3 | DELIMITED, 2 << 3 | DELIMITED
_STRING_VALUE, _BOOL_VALUE, _INT_VALUE = 1 << 3 | DELIMITED, 2 << 3 | VARINT, 3 << 3 | VARINT
_ARRAY_VALUE, _KVLIST_VALUE = 5 << 3 | DELIMITED, 6 << 3 | DELIMITED
# All other members of the union, lists included: double, list, map, bytes, index of a string.
_OTHER_VALUES = (
    4 << 3 | FIXED64,
    _ARRAY_VALUE,
    _KVLIST_VALUE,
    7 << 3 | DELIMITED,
    8 << 3 | VARINT,
)


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
    shift: int = KEYS[slot, KEY_SHIFT]
    rank: int = KEYS[slot, KEY_RANK]
    reading: int = KEYS[slot, KEY_READING]
    if KEYS[slot, KEY_ASIDE] >= 0:
        ranks |= set_aside(KEYS[slot, KEY_ASIDE], kind, value, target.scratch)
    if column < 0 or (ranks >> shift) & 15 > rank:
        return ranks
    if reading == 0:
        word = intern(value[0], value[1], target.strings, target.reserve) if kind == TEXT_VALUE else ZERO
    elif reading > 0:
        word = number_up_to(reading, kind, value)
    else:
        word = read_special(reading, kind, value, (target.strings, target.reserve, target.scratch))
    if word == 0:
        return ranks
    store32(target.row + target.stride * column, word)
    return ranks & ~(15 << shift) | rank << shift


@inline
def read_attribute(  # noqa: C901, PLR0911, PLR0912 - two loops; most returns are a failure on its way out
    p: int, end: int, target: Target, ranks: int
) -> tuple[int, int]:
    """Read a KeyValue and write its value to its column, if it has one.

    Args:
        p: where the message begins.
        end: where it ends.
        target: where values go.
        ranks: of `known_keys`: the key in each column so far, and what is set aside; 0 before the first attribute.

    Returns:
        The new `ranks`, and `end` or a failure.
    """
    key = key_end = p
    kind, value, value_end = OTHER_VALUE, ZERO, ZERO
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
                    kind, value_end = TEXT_VALUE, p
                    p = check_text(value, p) if p >= 0 else p
                elif tag in (_INT_VALUE, _BOOL_VALUE):
                    kind = NUMBER_VALUE if tag == _INT_VALUE else TRUTH_VALUE
                    value, p = read_short_varint(p, stop)
                else:
                    kind = OTHER_VALUE if tag in _OTHER_VALUES else kind
                    p = _skip_other(tag, p, stop, target.level + 1, target.scratch)
                if p < 0:
                    return ranks, p
    if kind != OTHER_VALUE:
        ranks = _keep((key, key_end), kind, (value, value_end), target, ranks)
    return ranks, p
