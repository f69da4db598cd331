"""Whether an attribute of a span, of its events or of its links has a value longer than a limit.

Only a span that is itself longer than the limit can have one. So the decoder's loop asks for the length of the span
alone, and this second walk over its bytes costs nothing for all others.

The length of a value is that of its text or bytes, or of its list or map as encoded; of a value in several pieces,
that of the longest. What is inside a list or map is shorter than that.
"""

import numpy as np

from weft_collector.kernel import load64, number, routine, store64
from weft_collector.wire.protobuf_reader import DELIMITED, read_delimited, read_tag, skip_field

_SPAN, _EVENT, _LINK, _KEY_VALUE, _VALUE = range(1, 6)
_FIELDS = 16
#: By message and number of a field: the message that it holds, if that leads to a value.
_HOLDS = np.zeros((_VALUE + 1, _FIELDS), np.int64)
_HOLDS[_SPAN, [9, 11, 13]] = _KEY_VALUE, _EVENT, _LINK
_HOLDS[_EVENT, 3] = _HOLDS[_LINK, 4] = _KEY_VALUE
_HOLDS[_KEY_VALUE, 2] = _VALUE

_OUTERMOST = number(0)
_FIRST = number(_SPAN)


@routine
def has_long_value(p: int, end: int, limit: int, scratch: int) -> bool:
    """Whether the Span at `p..end`, which has been read without a failure, has a value of more than `limit` bytes."""
    message, level = _FIRST, _OUTERMOST
    while True:
        while p == end:
            if level == _OUTERMOST:
                return False
            level -= 1
            end = load64(scratch + 16 * level)
            message = load64(scratch + 16 * level + 8)
        tag, p = read_tag(p, end)
        if p >= 0 and tag & 7 != DELIMITED:
            p = skip_field(tag, p, end, level, scratch)
        elif p >= 0:
            start, p = read_delimited(p, end)
            if message == _VALUE and p - start > limit:
                return True
            holds = _HOLDS[message, tag >> 3] if p >= 0 and tag >> 3 < _FIELDS else 0
            if holds != 0:
                store64(scratch + 16 * level, end)
                store64(scratch + 16 * level + 8, message)
                level += 1
                message, p, end = holds, start, p
        if p < 0:
            return False
