"""Walking a body for its tokens: what can be searched for in it.

**What has a token.** Every attribute of a span, of its events and of its resource, under its key; the name of a
span under the key `name`, that of an event under `event.name`; empty names have none. Values are compared as
text: a string as it is, an integer in decimal, a boolean as `true` or `false`. A double has a token of its own,
of its eight bytes, since one number has many texts; the two zeros are one, and so is everything that is no number.
An array has the token of each element that is one of these. Bytes, maps, arrays in arrays and absent values have
none.

**Never too few.** A body in an odd encoding may give tokens that a parser would not: those of a value that a later
piece replaces, those of spans that were refused. It never gives fewer. Whoever finds tokens looks at the spans.

**Bounds.** The decoder took the body once, but the copy on the disk may be damaged, so nothing is trusted: every
read goes through `protobuf_reader`, which stays between `p` and `end`. Texts are hashed as bytes; nobody asks
whether they are UTF-8.
"""

from weft_collector.kernel import inline, load64, number, routine, store64
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
    SCRATCH,
    SPAN_NAME,
    TEXT,
    TEXTS,
    TRUE,
    WORDS_END,
    take,
    write_digits,
)

# Tags as they stand in the bytes, by message.
_RESOURCE_SPANS = 1 << 3 | DELIMITED
_RESOURCE, _SCOPE_SPANS = 1 << 3 | DELIMITED, 2 << 3 | DELIMITED
_RESOURCE_ATTRIBUTE, _SPAN = number(1 << 3 | DELIMITED), number(2 << 3 | DELIMITED)
_SPAN_NAME, _SPAN_ATTRIBUTE, _EVENT = (field << 3 | DELIMITED for field in (5, 9, 11))
_EVENT_NAME, _EVENT_ATTRIBUTE = 2 << 3 | DELIMITED, 3 << 3 | DELIMITED
_KEY, _VALUE, _ELEMENT = 1 << 3 | DELIMITED, 2 << 3 | DELIMITED, 1 << 3 | DELIMITED
_STRING_VALUE, _BOOL_VALUE, _INT_VALUE = 1 << 3 | DELIMITED, 2 << 3 | VARINT, 3 << 3 | VARINT
_DOUBLE_VALUE, _ARRAY_VALUE = 4 << 3 | FIXED64, 5 << 3 | DELIMITED

_OUTERMOST = number(0)

_NO_SIGN = 2**63 - 1
_INFINITY, _NO_NUMBER = number(0x7FF0000000000000), number(0x7FF8000000000000)


@inline
def _skip(tag: int, p: int, end: int, sink: int) -> int:
    """Behind a field that has no tokens; a body that the decoder took is nowhere deeper than it allowed."""
    return skip_field(tag, p, end, _OUTERMOST, load64(sink + SCRATCH))


@routine
def _take_scalar(key: tuple[int, int], tag: int, p: int, end: int, sink: int) -> int:
    """Take the value of a field of an AnyValue if it is a scalar; behind it, or a failure."""
    texts = load64(sink + TEXTS)
    if tag == _STRING_VALUE:
        start, p = read_short_delimited(p, end)
        if p >= 0:
            take(key, (start, p), TEXT, sink)
    elif tag == _INT_VALUE:
        value, p = read_short_varint(p, end)
        if p >= 0:
            take(key, (write_digits(value, texts), texts + DIGITS_END), TEXT, sink)
    elif tag == _BOOL_VALUE:
        value, p = read_short_varint(p, end)
        if p >= 0:
            word = (texts + TRUE, texts + FALSE) if value != 0 else (texts + FALSE, texts + SPAN_NAME)
            take(key, word, TEXT, sink)
    elif tag == _DOUBLE_VALUE and end - p >= 8:
        bits = load64(p)
        if bits & _NO_SIGN == 0:
            bits = 0
        elif bits & _NO_SIGN > _INFINITY:
            bits = _NO_NUMBER
        store64(texts + DOUBLE_AT, bits)
        take(key, (texts + DOUBLE_AT, texts + DOUBLE_AT + 8), DOUBLE, sink)
        p += 8
    else:
        p = _skip(tag, p, end, sink)
    return p


@routine
def _take_elements(key: tuple[int, int], p: int, end: int, sink: int) -> int:
    """Take the scalars of an ArrayValue; `end` or a failure."""
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag == _ELEMENT:
            q, p = read_short_delimited(p, end)
            while p >= 0 and q < p:  # the fields of an AnyValue
                tag, q = read_tag(q, p)
                q = _take_scalar(key, tag, q, p, sink) if q >= 0 else q
                p = q if q < 0 else p
        elif p >= 0:
            p = _skip(tag, p, end, sink)
        if p < 0:
            return p
    return p


@routine
def _take_value(key: tuple[int, int], p: int, end: int, sink: int) -> int:
    """Take what an AnyValue holds; `end` or a failure."""
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag == _ARRAY_VALUE:
            start, p = read_delimited(p, end)
            p = _take_elements(key, start, p, sink) if p >= 0 else p
        elif p >= 0:
            p = _take_scalar(key, tag, p, end, sink)
        if p < 0:
            return p
    return p


@routine
def _take_pieces(key: tuple[int, int], p: int, end: int, sink: int) -> int:
    """Take all values of a KeyValue that has several; `end` or a failure."""
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag == _VALUE:
            start, p = read_delimited(p, end)
            p = _take_value(key, start, p, sink) if p >= 0 else p
        elif p >= 0:
            p = _skip(tag, p, end, sink)
        if p < 0:
            return p
    return p


@routine
def _take_attribute(p: int, end: int, sink: int) -> int:
    """Take a KeyValue; `end` or a failure."""
    begin = key = key_end = value = value_end = p
    values = 0
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag == _KEY:
            key, p = read_short_delimited(p, end)
            key_end = p
        elif p >= 0 and tag == _VALUE:
            value, p = read_short_delimited(p, end)
            value_end = p
            values += 1
        elif p >= 0:
            p = _skip(tag, p, end, sink)
        if p < 0:
            return p
    if values > 1:
        return _take_pieces((key, key_end), begin, end, sink)
    value = _take_value((key, key_end), value, value_end, sink)
    return value if value < 0 else end


@routine
def _take_event(p: int, end: int, sink: int) -> int:
    """Take name and attributes of an Event; `end` or a failure."""
    own = load64(sink + TEXTS)
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag in (_EVENT_NAME, _EVENT_ATTRIBUTE):
            start, p = read_delimited(p, end)
            if p >= 0 and tag == _EVENT_NAME:
                take((own + EVENT_NAME, own + WORDS_END), (start, p), TEXT, sink)
            elif p >= 0:
                p = _take_attribute(start, p, sink)
        elif p >= 0:
            p = _skip(tag, p, end, sink)
        if p < 0:
            return p
    return p


@routine
def _take_span(p: int, end: int, sink: int) -> int:
    """Take name, attributes and events of a Span; `end` or a failure."""
    own = load64(sink + TEXTS)
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag & 7 == DELIMITED:
            start, p = read_short_delimited(p, end)
            if p >= 0 and tag == _SPAN_ATTRIBUTE:
                p = _take_attribute(start, p, sink)
            elif p >= 0 and tag == _SPAN_NAME:
                take((own + SPAN_NAME, own + EVENT_NAME), (start, p), TEXT, sink)
            elif p >= 0 and tag == _EVENT:
                p = _take_event(start, p, sink)
        elif p >= 0 and tag & 7 == FIXED64:
            p = p + 8 if end - p >= 8 else failure(TRUNCATED, p)
        elif p >= 0:
            p = _skip(tag, p, end, sink)
        if p < 0:
            return p
    return p


@routine
def _take_children(field: int, p: int, end: int, sink: int) -> int:
    """Take the Spans of a ScopeSpans, or the attributes of a Resource; `end` or a failure."""
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag == field:
            start, p = read_delimited(p, end)
            if p >= 0 and tag == _SPAN:
                p = _take_span(start, p, sink)
            elif p >= 0:
                p = _take_attribute(start, p, sink)
        elif p >= 0:
            p = _skip(tag, p, end, sink)
        if p < 0:
            return p
    return p


@routine
def _take_group(p: int, end: int, sink: int) -> int:
    """Take the Resource and the Spans of a ResourceSpans; `end` or a failure."""
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag in (_RESOURCE, _SCOPE_SPANS):
            start, p = read_delimited(p, end)
            field = _RESOURCE_ATTRIBUTE if tag == _RESOURCE else _SPAN
            p = _take_children(field, start, p, sink) if p >= 0 else p
        elif p >= 0:
            p = _skip(tag, p, end, sink)
        if p < 0:
            return p
    return p


@routine
def take_body(p: int, end: int, sink: int) -> int:
    """Put the tokens of an ExportTraceServiceRequest into a sink (`Sink.address`); `end` or a failure."""
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag == _RESOURCE_SPANS:
            start, p = read_delimited(p, end)
            p = _take_group(start, p, sink) if p >= 0 else p
        elif p >= 0:
            p = _skip(tag, p, end, sink)
        if p < 0:
            return p
    return p
