"""Walking a body for its tokens: what can be searched for in it.

**What has a token.** Every attribute of a span, of its events and of its resource, under its key; the name of a
span under the key `name`, that of an event under `event.name`; empty names have none. Values are compared as
text: a string as it is, an integer in decimal, a boolean as `true` or `false`. A double has a token of its own,
of its eight bytes, since one number has many texts; the two zeros are one, and so is everything that is no number.
An array has the token of each element that is one of these. Bytes, maps, arrays in arrays and absent values have
none.

**Never too few.** A body in an odd encoding may give tokens that a parser would not: those of a value that a later
piece replaces, those of spans that were refused. It never gives fewer. Whoever finds tokens looks at the spans.

**Keys that meet.** Of each span and each resource the keys that gave tokens are noted (`key_pairs.py`).

**Bounds.** The decoder took the body once, but the copy on the disk may be damaged, so nothing is trusted: every
read goes through `protobuf_reader`, which stays between `p` and `end`. Texts are hashed as bytes; nobody asks
whether they are UTF-8.
"""

import numpy as np

from weft_collector.kernel import ZERO, load8, load64, number, routine, store64
from weft_collector.wire.key_pairs import RESOURCE_KEY, end_message, note_key
from weft_collector.wire.protobuf_reader import (
    DELIMITED,
    FIXED64,
    TRUNCATED,
    VARINT,
    failure,
    read_delimited,
    read_short_delimited,
    read_short_varint,
    read_tag,
    skip_field,
)
from weft_collector.wire.token_sink import (
    DIGITS_END,
    DOUBLE,
    DOUBLE_AT,
    EVENT_NAME,
    FALSE,
    KEY,
    PAIRS,
    SCRATCH,
    SPAN_NAME,
    TAKEN,
    TEXT,
    TEXTS,
    TRUE,
    WORDS_END,
    take,
    write_digits,
)

# Tags as they stand in the bytes: of a KeyValue, an ArrayValue and an AnyValue.
_KEY, _VALUE, _ELEMENT = 1 << 3 | DELIMITED, 2 << 3 | DELIMITED, 1 << 3 | DELIMITED
_STRING_VALUE, _BOOL_VALUE, _INT_VALUE = 1 << 3 | DELIMITED, 2 << 3 | VARINT, 3 << 3 | VARINT
_DOUBLE_VALUE, _ARRAY_VALUE = 4 << 3 | FIXED64, 5 << 3 | DELIMITED

# What a length-delimited field holds: nothing that has tokens, an attribute, a name, or a message of the table.
_OPAQUE, _ATTRIBUTE, _SPANS_NAME, _EVENTS_NAME = range(4)
_NAMED = {"attribute": _ATTRIBUTE, "span name": _SPANS_NAME, "event name": _EVENTS_NAME}
_WALKED: dict[str, dict[int, str]] = {
    "Request": {1: "ResourceSpans"},
    "ResourceSpans": {1: "Resource", 2: "ScopeSpans"},
    "Resource": {1: "attribute"},
    "ScopeSpans": {2: "Span"},
    "Span": {5: "span name", 9: "attribute", 11: "Event"},
    "Event": {2: "event name", 3: "attribute"},
}
_CODES = _NAMED | {name: code for code, name in enumerate(_WALKED, start=len(_NAMED) + 1)}
_REQUEST, _SPAN, _RESOURCE = (number(_CODES[name]) for name in ("Request", "Span", "Resource"))

_FIELDS = 16
_HOLDS = np.zeros((len(_CODES) + 1, _FIELDS), np.int64)
for _name, _fields in _WALKED.items():
    for _number, _target in _fields.items():
        _HOLDS[_CODES[_name], _number] = _CODES[_target]

# Levels of nesting below the request. At most four messages wait in scratch memory, at 0 to 3, while an attribute is
# read; groups inside it are written from _IN_ATTRIBUTE + 1 on. No attribute is less deep.
_OUTERMOST, _IN_ATTRIBUTE = number(0), number(3)
_NO_SIGN = 2**63 - 1
_INFINITY, _NO_NUMBER = number(0x7FF0000000000000), number(0x7FF8000000000000)


@routine
def _take_scalar(key: tuple[int, int], tag: int, p: int, end: int, sink: int) -> int:
    """Take the value of a field of an AnyValue if it is a scalar; behind it, or a failure."""
    texts = load64(sink + TEXTS)
    if tag == _STRING_VALUE:
        value, p = read_short_delimited(p, end)
        stop, kind = p, TEXT
    elif tag == _INT_VALUE:
        value, p = read_short_varint(p, end)
        value = write_digits(value, texts)
        stop, kind = texts + DIGITS_END, TEXT
    elif tag == _BOOL_VALUE:
        value, p = read_short_varint(p, end)
        stop = texts + FALSE if value != 0 else texts + SPAN_NAME
        value, kind = texts + TRUE if value != 0 else texts + FALSE, TEXT
    elif tag == _DOUBLE_VALUE and end - p >= 8:
        bits = load64(p)
        if bits & _NO_SIGN == 0:
            bits = 0
        elif bits & _NO_SIGN > _INFINITY:
            bits = _NO_NUMBER
        store64(texts + DOUBLE_AT, bits)
        p += 8
        value, stop, kind = texts + DOUBLE_AT, texts + DOUBLE_AT + 8, DOUBLE
    else:
        return skip_field(tag, p, end, _IN_ATTRIBUTE, load64(sink + SCRATCH))
    if p >= 0:
        take(key, (value, stop), kind, sink)
    return p


@routine
def _take_value(key: tuple[int, int], p: int, end: int, sink: int) -> int:
    """Take what an AnyValue holds, a scalar or those of an array; `end` or a failure."""
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag != _ARRAY_VALUE:
            p = _take_scalar(key, tag, p, end, sink)
        elif p >= 0:
            q, p = read_delimited(p, end)
            while p >= 0 and q < p:  # the fields of an ArrayValue
                tag, q = read_tag(q, p)
                if q >= 0 and tag != _ELEMENT:
                    q = skip_field(tag, q, p, _IN_ATTRIBUTE, load64(sink + SCRATCH))
                elif q >= 0:
                    r, q = read_delimited(q, p)
                    while q >= 0 and r < q:  # the fields of an AnyValue
                        tag, r = read_tag(r, q)
                        r = _take_scalar(key, tag, r, q, sink) if r >= 0 else r
                        q = r if r < 0 else q
                p = q if q < 0 else p
        if p < 0:
            return p
    return p


@routine
def _take_odd_attribute(p: int, end: int, sink: int) -> int:
    """Take a KeyValue in any form, first its key, then its values; `end` or a failure."""
    begin = key = key_end = p
    for wanted in (_KEY, _VALUE):
        p = begin
        while p < end:
            tag, p = read_tag(p, end)
            if p >= 0 and tag == wanted:
                start, p = read_delimited(p, end)
                if wanted == _KEY:
                    key, key_end = start, p
                elif p >= 0:
                    p = _take_value((key, key_end), start, p, sink)
            elif p >= 0:
                p = skip_field(tag, p, end, _IN_ATTRIBUTE, load64(sink + SCRATCH))
            if p < 0:
                return p
    return p


@routine
def _take_attribute(p: int, end: int, sink: int) -> int:
    """Take a KeyValue; `end` or a failure. The usual form, a key before a single value, is settled here."""
    if end - p > 4 and load8(p) == _KEY:
        key, key_end = read_short_delimited(p + 1, end)
        if 0 <= key_end < end and load8(key_end) == _VALUE:
            value, stop = read_short_delimited(key_end + 1, end)
            if stop == end and value < end and load8(value) != _ARRAY_VALUE:
                tag, value = read_tag(value, end)
                value = _take_scalar((key, key_end), tag, value, end, sink) if value >= 0 else value
                if value == end:
                    return end
    return _take_odd_attribute(p, end, sink)


@routine
def take_body(p: int, end: int, sink: int) -> int:  # noqa: C901, PLR0912 - one loop over fields
    """Put the tokens of an ExportTraceServiceRequest into a sink (`Sink.address`); `end` or a failure.

    The enclosing messages wait in scratch memory: one loop compiles in half the time of a function for each
    message. No message is inside one of its own kind, so there are as many levels as kinds at most.
    """
    message, level = _REQUEST, _OUTERMOST
    scratch, texts, pairs = load64(sink + SCRATCH), load64(sink + TEXTS), load64(sink + PAIRS)
    while True:
        while p == end:
            if level == _OUTERMOST:
                return end
            if message in (_SPAN, _RESOURCE):
                end_message(RESOURCE_KEY if message == _RESOURCE else ZERO, pairs)
            level -= 1
            end = load64(scratch + 16 * level)
            message = load64(scratch + 16 * level + 8)
        tag, p = read_tag(p, end)
        if p >= 0 and tag & 7 == DELIMITED:
            start, p = read_short_delimited(p, end)
            holds = _HOLDS[message, tag >> 3] if p >= 0 and tag >> 3 < _FIELDS else _OPAQUE
            if holds == _ATTRIBUTE:
                store64(sink + TAKEN, 0)
                p = _take_attribute(start, p, sink)
                if load64(sink + TAKEN) != 0 and message in (_SPAN, _RESOURCE):
                    note_key(load64(sink + KEY), pairs)
            elif holds == _SPANS_NAME:
                take((texts + SPAN_NAME, texts + EVENT_NAME), (start, p), TEXT, sink)
            elif holds == _EVENTS_NAME:
                take((texts + EVENT_NAME, texts + WORDS_END), (start, p), TEXT, sink)
            elif holds != _OPAQUE:
                store64(scratch + 16 * level, end)
                store64(scratch + 16 * level + 8, message)
                level += 1
                message, p, end = holds, start, p
        elif p >= 0 and tag & 7 == FIXED64:
            p = p + 8 if end - p >= 8 else failure(TRUNCATED, p)
        elif p >= 0:
            p = skip_field(tag, p, end, level, scratch)
        if p < 0:
            return p
