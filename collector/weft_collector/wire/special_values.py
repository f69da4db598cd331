"""Values of attributes that become a column in another form than they came in.

Each reading gives the column's number, 0 for a value that is as if it were absent.
"""

import numpy as np

from weft_collector.kernel import ZERO, inline, load8, number, routine, store8, store32, store64
from weft_collector.wire.strings import intern

# Kinds of values.
OTHER_VALUE, TEXT_VALUE, NUMBER_VALUE, TRUTH_VALUE = map(number, range(4))

# Readings, beside 0 for texts and the largest number for numbers.
TRUTH, COUNT, GRPC_CODE, INDEX = range(-4, 0)

RPC_CODES = (
    "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
"""gRPC's codes but OK, by their numbers from 1 on."""
_CODE_ENDS = np.cumsum([0, 0, *map(len, RPC_CODES)])
_CODE_BYTES = np.frombuffer("".join(RPC_CODES).encode(), np.uint8).astype(np.int64)

MOST = 1 << 20
"""The largest number of messages, and of a database."""
_LAST_CODE = len(RPC_CODES)
_TEMPORARY = b"(temporary)"
_TEMPORARY_HEAD = number(int.from_bytes(_TEMPORARY[:8], "little"))
_TEMPORARY_TAIL = number(int.from_bytes(_TEMPORARY[8:], "little"))
_LONGEST_NUMBER = 10
_BEYOND = 10**_LONGEST_NUMBER
_DIGIT = ord("0")


@routine
def digits(p: int, end: int) -> int:
    """The number that a text of one to ten digits spells, or -1."""
    value = ZERO
    if end - p > _LONGEST_NUMBER or p == end:
        return -1
    while p < end:
        digit = load8(p) - _DIGIT
        if digit < 0 or digit > 9:
            return -1
        value = 10 * value + digit
        p += 1
    return value


@inline
def _number_of(kind: int, value: tuple[int, int]) -> int:
    """A value as a number from 0 on, or -1."""
    if kind == TEXT_VALUE:
        return digits(value[0], value[1])
    return value[0] if kind == NUMBER_VALUE and value[0] >= 0 else -1


@routine
def number_up_to(largest: int, kind: int, value: tuple[int, int]) -> int:
    """A value as a number from 1 to `largest`, or 0."""
    found = _number_of(kind, value)
    return found if 0 < found <= largest else 0


@routine
def _temporary(strings: int, reserve: int, scratch: int) -> int:
    store64(scratch, _TEMPORARY_HEAD)
    store32(scratch + 8, _TEMPORARY_TAIL)
    return intern(scratch, scratch + len(_TEMPORARY), strings, reserve)


@routine
def _in_digits(value: int, strings: int, reserve: int, scratch: int) -> int:
    """The text id of a number's digits."""
    end = scratch + _LONGEST_NUMBER
    p = end
    while p == end or value > 0:
        p -= 1
        store8(p, _DIGIT + value % 10)
        value //= 10
    return intern(p, end, strings, reserve)


@routine
def _name_of_code(code: int, strings: int, reserve: int, scratch: int) -> int:
    """The text id of the name of a gRPC code."""
    start, end = _CODE_ENDS[code], _CODE_ENDS[code + 1]
    for at in range(start, end):
        store8(scratch + at - start, _CODE_BYTES[at])
    return intern(scratch, scratch + end - start, strings, reserve)


@routine
def read_special(reading: int, kind: int, value: tuple[int, int], table: tuple[int, int, int]) -> int:
    """The column's number for a value.

    Args:
        reading: One of the readings above, below 0.
        kind: TEXT_VALUE, NUMBER_VALUE or TRUTH_VALUE.
        value: Where a text begins and ends, or a number or truth and anything.
        table: The table of texts, the share of it to leave free, and scratch memory.
    """
    strings, reserve, scratch = table
    if reading == INDEX and kind == TEXT_VALUE:
        return intern(value[0], value[1], strings, reserve)
    if reading == TRUTH:
        return _temporary(strings, reserve, scratch) if kind == TRUTH_VALUE and value[0] != 0 else 0
    found = _number_of(kind, value)
    if reading == COUNT and 0 <= found < _BEYOND:
        return min(found, MOST) if found > 0 else -1
    if reading == GRPC_CODE and 0 < found <= _LAST_CODE:
        return _name_of_code(found, strings, reserve, scratch)
    if reading == INDEX and 0 <= found <= MOST:
        return _in_digits(found, strings, reserve, scratch)
    return 0
