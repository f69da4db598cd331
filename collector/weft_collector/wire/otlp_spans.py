"""The second pass over a body, for spans: each listed span to its row of the columns.

Where a field occurs again, protobuf's rule holds: the last scalar wins, messages are merged. So a Status or
an attribute's value in several pieces is one message; spans are a repeated field and never merged.

A span is refused alone only for what would make a column wrong, or a bound. So the ids of links are kept as they
came, of whatever length: no column holds them, the span's bytes do, and OTLP asks nobody to drop a span for the
sake of a link. A parent id of eight zero bytes is that of a root.
"""

from weft_collector.kernel import (
    ZERO,
    byte_swap,
    inline,
    kernel,
    load8,
    load32,
    load64,
    number,
    routine,
    store8,
    store32,
    store64,
)
from weft_collector.wire.attributes import Target, read_attribute
from weft_collector.wire.caller_entry import STALE, VALID, find_entry
from weft_collector.wire.known_keys import ASIDE_AT, SPAN_MESSAGE, SPAN_WORDS
from weft_collector.wire.long_values import has_long_value
from weft_collector.wire.message_check import EVENT, LINK, check_message, check_text
from weft_collector.wire.otlp_index import SPAN_LENGTH, SPAN_OFFSET, SPAN_RESOURCE, SPAN_SCOPE
from weft_collector.wire.otlp_job import Job
from weft_collector.wire.peer_host import find_host
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
    read_varint,
    skip_field,
)
from weft_collector.wire.strings import ATTRIBUTE_RESERVE, NAME_RESERVE, intern

#: Why a span is refused alone, by code. The first that applies is the reason.
REJECTIONS = {
    1: "trace_id",
    2: "span_id",
    3: "parent_id",
    4: "future_start",
    5: "span_too_large",
    6: "too_many_attributes",
    7: "attribute_too_long",
}
_TRACE_ID, _SPAN_ID, _PARENT_ID, _FUTURE, _TOO_LARGE, _TOO_MANY, _TOO_LONG = map(number, REJECTIONS)


# Tags as they stand in the bytes, by message.
_TRACE, _SPAN, _TRACE_STATE, _PARENT, _NAME = (field << 3 | DELIMITED for field in (1, 2, 3, 4, 5))
_KIND, _START, _END = 6 << 3 | VARINT, 7 << 3 | FIXED64, 8 << 3 | FIXED64
_ATTRIBUTE, _EVENT, _LINK, _STATUS = (field << 3 | DELIMITED for field in (9, 11, 13, 15))
_STATUS_MESSAGE, _STATUS_CODE = 2 << 3 | DELIMITED, 3 << 3 | VARINT

# Levels of nesting below the request.
_SPAN_LEVEL, _IN_SPAN = number(3), number(4)

_LATEST = 2**63 - 1
_LAST_KIND, _LAST_STATUS = number(5), number(2)

_WORD_RESOURCE, _WORD_SCOPE, _WORD_NAME, _WORD_CALLER, _WORD_OFFSET, _WORD_LENGTH = (
    SPAN_WORDS.index(name) for name in ("resource", "scope", "name", "caller", "offset", "length")
)
_WORD_ADDRESS, _WORD_PORT, _WORD_PEER, _WORD_PEER_PORT = (
    SPAN_WORDS.index(name) for name in ("server_address", "server_port", "peer_address", "peer_port")
)
_SPAN_WORD_COUNT = len(SPAN_WORDS)
_CLIENT, _PRODUCER = number(3), number(4)


@routine
def _read_status(p: int, end: int, code: int, scratch: int) -> tuple[int, int]:
    """The code of a Status, else the `code` that an earlier piece gave; and `end` or a failure."""
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag == _STATUS_CODE:
            code, p = read_varint(p, end)
        elif p >= 0 and tag == _STATUS_MESSAGE:
            start, p = read_delimited(p, end)
            p = check_text(start, p) if p >= 0 else p
        elif p >= 0:
            p = skip_field(tag, p, end, _IN_SPAN, scratch)
        if p < 0:
            return code, p
    return code, p


@inline
def _read_id(start: int, end: int) -> int:
    """An id of eight bytes as a number; 0 for any other length."""
    return byte_swap(load64(start)) if end - start == 8 else 0


@inline
def _defined(code: int, last: int) -> int:
    """An enum as protobuf reads it (its lower 32 bits), 0 where OTLP does not define it."""
    return code & 0xFFFFFFFF if code & 0xFFFFFFFF <= last else 0


@routine
def _write_peer(ranks: int, words: int, stride: int, job: Job) -> None:
    """Write the host that was called, if it is not named plainly."""
    if load32(words + stride * _WORD_ADDRESS) == 0:
        port = load32(words + stride * _WORD_PORT)
        address, port = find_host(ranks, port, job.strings, job.scratch)
        store32(words + stride * _WORD_PEER, address)
        store32(words + stride * _WORD_PEER_PORT, port)


@routine
def _write_caller(state: tuple[int, int], parent: int, row: int, job: Job) -> None:
    """Write what the tracestate says about the caller."""
    verdict, names, names_end = find_entry(state[0], state[1], parent)
    if verdict == VALID:
        word = intern(names, names_end, job.strings, ATTRIBUTE_RESERVE)
        store32(job.words + 4 * (row + job.stride * _WORD_CALLER), word)
    elif verdict == STALE:
        store8(job.small + row + 2 * job.stride, 1)


@routine
def _reject(code: int, row: int, job: Job) -> None:
    """Count a rejection and forget what the span wrote: its row is the next span's."""
    counter = job.tally + 8 * code
    store64(counter, load64(counter) + 1)
    for column in range(_SPAN_WORD_COUNT):
        store32(job.words + 4 * (row + job.stride * column), 0)


@kernel
def read_spans(base: int, count: int, job: Job) -> int:  # noqa: C901, PLR0912, PLR0915 - see below
    """Read the `count` listed spans; kept ones get the rows from 0 on.

    One function, although long: a span's dozen values live in registers, each field is one branch, and
    every function between a kernel and its parts would be optimised once more by the compiler.

    Returns:
        The number of kept spans, or a failure.
    """
    row = ZERO
    words_stride, wide_stride = 4 * job.stride, 8 * job.stride
    for i in range(count):
        entry = job.listed + 4 * i
        offset = load32(entry + 4 * job.capacity * SPAN_OFFSET)
        length = load32(entry + 4 * job.capacity * SPAN_LENGTH)
        p = base + offset
        end = p + length
        words, wide = job.words + 4 * row, job.wide + 8 * row
        target = Target(
            words, words_stride, SPAN_MESSAGE, _IN_SPAN, ATTRIBUTE_RESERVE, job.strings, job.scratch
        )
        trace = trace_end = span = span_end = parent = parent_end = p
        state = state_end = name = name_end = p
        kind = status = begin = finish = attributes = ranks = ZERO
        while p < end:
            tag, p = read_tag(p, end)
            if p >= 0 and tag & 7 == DELIMITED:
                start, p = read_short_delimited(p, end)
                if p < 0:
                    return p
                if tag == _ATTRIBUTE:
                    ranks, p = read_attribute(start, p, target, ranks)
                    attributes += 1
                elif tag == _TRACE:
                    trace, trace_end = start, p
                elif tag == _SPAN:
                    span, span_end = start, p
                elif tag == _PARENT:
                    parent, parent_end = start, p
                elif tag == _NAME:
                    name, name_end = start, p
                    p = check_text(start, p)
                elif tag == _STATUS:
                    status, p = _read_status(start, p, status, job.scratch)
                elif tag == _TRACE_STATE:
                    state, state_end = start, p
                    p = check_text(start, p)
                elif tag in (_EVENT, _LINK):
                    p = check_message(EVENT if tag == _EVENT else LINK, start, p, _IN_SPAN, job.scratch)
            elif p >= 0 and tag in (_START, _END):
                if end - p < 8:
                    return failure(TRUNCATED, p)
                if tag == _START:
                    begin = load64(p)
                else:
                    finish = load64(p)
                p += 8
            elif p >= 0 and tag == _KIND:
                kind, p = read_short_varint(p, end)
            elif p >= 0:
                p = skip_field(tag, p, end, _SPAN_LEVEL, job.scratch)
            if p < 0:
                return p
        span_id, parent_id = _read_id(span, span_end), _read_id(parent, parent_end)
        rejection = 0  # the last of these that applies is the reason
        if length > job.value_bytes and has_long_value(end - length, end, job.value_bytes, job.scratch):
            rejection = _TOO_LONG
        if attributes > job.span_attributes:
            rejection = _TOO_MANY
        if length > job.span_bytes:
            rejection = _TOO_LARGE
        if begin < 0 or begin > job.latest_start:
            rejection = _FUTURE
        if parent_end - parent not in (0, 8):
            rejection = _PARENT_ID
        if span_id == 0:
            rejection = _SPAN_ID
        if trace_end - trace != 16 or load64(trace) | load64(trace + 8) == 0:
            rejection = _TRACE_ID
        if rejection > 0:
            _reject(rejection, row, job)
            continue
        store64(wide, byte_swap(load64(trace)))
        store64(wide + wide_stride, byte_swap(load64(trace + 8)))
        store64(wide + 2 * wide_stride, span_id)
        store64(wide + 3 * wide_stride, parent_id)
        store64(wide + 4 * wide_stride, begin)
        store64(wide + 5 * wide_stride, finish if finish >= 0 else _LATEST)
        store8(job.small + row, _defined(kind, _LAST_KIND))
        store8(job.small + row + job.stride, _defined(status, _LAST_STATUS))
        store32(words + words_stride * _WORD_NAME, intern(name, name_end, job.strings, NAME_RESERVE))
        store32(words + words_stride * _WORD_OFFSET, offset)
        store32(words + words_stride * _WORD_LENGTH, length)
        store32(words + words_stride * _WORD_RESOURCE, load32(entry + 4 * job.capacity * SPAN_RESOURCE))
        store32(words + words_stride * _WORD_SCOPE, load32(entry + 4 * job.capacity * SPAN_SCOPE))
        if ranks >> ASIDE_AT != 0 and _CLIENT <= load8(job.small + row) <= _PRODUCER:
            _write_peer(ranks, words, words_stride, job)
        if state < state_end:
            _write_caller((state, state_end), parent_id, row, job)
        row += 1
    return row
