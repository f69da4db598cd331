"""The caller entry: who called, as the caller itself wrote it into the `tracestate` of the request.

The member `weft=<span id, 16 hex digits>;<service>;<instance>` counts only if its span id is the parent of
the span that carries it. Otherwise some hop in between forwarded the header without calling itself the
caller: the entry is stale. An entry that cannot be read is stale too. Where the member occurs more than once
the first (newest) one counts, as in W3C Trace Context.
"""

import numpy as np

from weft_collector.kernel import load8, load32, routine

ABSENT, VALID, STALE = range(3)

#: Longest value of a member in W3C Trace Context.
LONGEST = 256

_COMMA, _SEMICOLON, _EQUALS, _SPACE, _TAB = b",;= \t"
_WEFT = int.from_bytes(b"weft", "little")
_ID_DIGITS = 16

_HEX_DIGITS = b"0123456789abcdef"
_NAME_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._%"

# By byte: the value of a lower-case hex digit, else -1; whether a percent-encoded name may hold it.
_HEX = np.array([_HEX_DIGITS.find(byte) for byte in range(256)], np.int64)
_IN_NAME = np.array([byte in _NAME_BYTES for byte in range(256)], np.int64)


@routine
def read_entry(p: int, end: int, parent: int) -> int:
    """Where `service;instance` begins in the value of a `weft` member, or 0 if it is not about `parent`."""
    names = p + _ID_DIGITS + 1
    if end - p > LONGEST or names >= end or load8(names - 1) != _SEMICOLON or load8(names) == _SEMICOLON:
        return 0
    span_id = 0
    while p < names - 1:
        digit = _HEX[load8(p)]
        if digit < 0:
            return 0
        span_id = span_id << 4 | digit
        p += 1
    separators = 0
    for at in range(names, end):
        if load8(at) == _SEMICOLON:
            separators += 1
        elif _IN_NAME[load8(at)] == 0:
            return 0
    return names if separators == 1 and span_id == parent and parent != 0 else 0


@routine
def find_entry(p: int, end: int, parent: int) -> tuple[int, int, int]:
    """Look for the entry in the tracestate at `p..end`.

    Returns:
        ABSENT, VALID or STALE, and where the text `service;instance` begins and ends.
    """
    while p < end:
        while p < end and load8(p) in (_SPACE, _TAB):
            p += 1
        stop = p
        while stop < end and load8(stop) != _COMMA:
            stop += 1
        if stop - p >= 5 and load32(p) == _WEFT and load8(p + 4) == _EQUALS:
            last = stop
            while load8(last - 1) in (_SPACE, _TAB):
                last -= 1
            names = read_entry(p + 5, last, parent)
            return (VALID if names > 0 else STALE), names, last
        p = stop + 1
    return ABSENT, 0, 0
