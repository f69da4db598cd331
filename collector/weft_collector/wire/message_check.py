"""Whether upb would parse it: texts, and messages that are checked without being read.

Every string field of every known message must be UTF-8: no surrogates, nothing overlong.
"""

import numpy as np

from weft_collector.kernel import inline, load8, load32, load64, number, routine, store64
from weft_collector.wire.protobuf_reader import (
    BAD_TEXT,
    DEEPEST,
    DELIMITED,
    TOO_DEEP,
    failure,
    read_delimited,
    read_tag,
    skip_field,
)

_HIGH_BITS = -0x7F7F7F7F7F7F7F80  # the top bit of each of eight bytes, as a signed number


@routine
def check_long_text(p: int, end: int) -> int:
    """`end` if the bytes are UTF-8; eight ASCII bytes are one step."""
    while p < end:
        if end - p >= 8 and load64(p) & _HIGH_BITS == 0:
            p += 8
            continue
        byte = load8(p)
        if byte < 0x80:
            p += 1
            continue
        more = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
        if byte < 0xC2 or byte > 0xF4 or end - p <= more:
            return failure(BAD_TEXT, p)
        second = load8(p + 1)
        low = 0xA0 if byte == 0xE0 else 0x90 if byte == 0xF0 else 0x80
        high = 0x9F if byte == 0xED else 0x8F if byte == 0xF4 else 0xBF
        if second < low or second > high:
            return failure(BAD_TEXT, p)
        for i in range(2, more + 1):
            if load8(p + i) & 0xC0 != 0x80:
                return failure(BAD_TEXT, p)
        p += more + 1
    return end


@inline
def check_text(p: int, end: int) -> int:
    """`end` if the bytes are UTF-8, else a failure; plain ASCII is settled here."""
    length = end - p
    if length >= 8:
        last = end - 8
        bits = load64(last)
        at = p
        while at < last:
            bits |= load64(at)
            at += 8
    elif length >= 4:
        bits = load32(p) | load32(end - 4)
    elif length > 0:
        bits = load8(p) | load8(p + (length >> 1)) | load8(end - 1)
    else:
        return end
    return check_long_text(p, end) if bits & _HIGH_BITS else end


# ---- messages that are checked and not read

# What a length-delimited field holds: nothing that could be wrong, a text, or a message of the table.
OPAQUE, TEXT = 0, 1
_CHECKED: dict[str, dict[int, str]] = {
    "ResourceSpans": {1: "Resource", 2: "ScopeSpans", 3: "text"},
    "Resource": {1: "KeyValue", 3: "EntityRef"},
    "EntityRef": {1: "text", 2: "text", 3: "text", 4: "text"},
    "ScopeSpans": {1: "InstrumentationScope", 2: "Span", 3: "text"},
    "InstrumentationScope": {1: "text", 2: "text", 3: "KeyValue"},
    "Span": {3: "text", 5: "text", 9: "KeyValue", 11: "Event", 13: "Link", 15: "Status"},
    "Event": {2: "text", 3: "KeyValue"},
    "Link": {3: "text", 4: "KeyValue"},
    "Status": {2: "text"},
    "KeyValue": {1: "text", 2: "AnyValue"},
    "AnyValue": {1: "text", 5: "ArrayValue", 6: "KeyValueList"},
    "ArrayValue": {1: "AnyValue"},
    "KeyValueList": {1: "KeyValue"},
}
_CODES = {"text": TEXT} | {name: code for code, name in enumerate(_CHECKED, start=TEXT + 1)}

RESOURCE_SPANS, ENTITY_REF, SCOPE, SPAN, EVENT, LINK, ARRAY_VALUE, KEY_VALUE_LIST = (
    number(_CODES[name])
    for name in (
        "ResourceSpans",
        "EntityRef",
        "InstrumentationScope",
        "Span",
        "Event",
        "Link",
        "ArrayValue",
        "KeyValueList",
    )
)

_FIELDS = 16
_HOLDS = np.zeros((len(_CODES) + 1, _FIELDS), np.int64)
for _name, _fields in _CHECKED.items():
    for _number, _target in _fields.items():
        _HOLDS[_CODES[_name], _number] = _CODES[_target]


@routine
def check_message(  # noqa: C901, PLR0911 - one loop; each return is a failure on its way out
    message: int, p: int, end: int, level: int, scratch: int
) -> int:
    """`end` if the message (one of the codes above, at `level`) is one that upb would parse.

    The enclosing messages wait in `scratch`, so nesting costs no stack.
    """
    outermost = level
    if level > DEEPEST:
        return failure(TOO_DEEP, p)
    while True:
        while p == end:
            if level == outermost:
                return end
            level -= 1
            end = load64(scratch + 16 * level)
            message = load64(scratch + 16 * level + 8)
        tag, p = read_tag(p, end)
        if p < 0:
            return p
        if tag & 7 != DELIMITED:
            p = skip_field(tag, p, end, level, scratch)
            if p < 0:
                return p
            continue
        start, p = read_delimited(p, end)
        if p < 0:
            return p
        holds = _HOLDS[message, tag >> 3] if tag >> 3 < _FIELDS else OPAQUE
        if holds == TEXT:
            p = check_text(start, p)
            if p < 0:
                return p
        elif holds != OPAQUE:
            if level == DEEPEST:
                return failure(TOO_DEEP, start)
            store64(scratch + 16 * level, end)
            store64(scratch + 16 * level + 8, message)
            level += 1
            message = holds
            p, end = start, p
