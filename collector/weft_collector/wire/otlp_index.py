"""The first pass over a body: where its spans are, and whose.

One walk over requests, resources and scopes lists the spans, so that the columns are allocated once and in
the right size, and the other kernels are flat loops. Only spans long enough to hold their two ids are listed:
otherwise two bytes of body could ask for a hundred bytes of columns. Shorter ones are checked and counted
here. A ResourceSpans or ScopeSpans without a listed span gets no row, for the same reason.

The lists have room for `capacity` entries. Entries beyond are counted and not written, so the caller sees by
the counts how much room a second walk needs.
"""

from typing import NamedTuple

from weft_collector.kernel import ZERO, kernel, number, routine, store32, store64
from weft_collector.wire.message_check import RESOURCE_SPANS, SCOPE, SPAN, check_message, check_text
from weft_collector.wire.protobuf_reader import DELIMITED, read_delimited, read_tag, skip_field

#: No kept span is shorter: tag and length of its two ids, 16 bytes and 8 bytes.
SHORTEST_SPAN = 28

#: The lists, in the order of their rows of 32-bit numbers. A resource is given by its whole ResourceSpans, a scope
#: by its InstrumentationScope and by the schema URL of its ScopeSpans; `read_resources` replaces the offset of
#: that text by its id.
SPAN_OFFSET, SPAN_LENGTH, SPAN_RESOURCE, SPAN_SCOPE = map(number, range(4))
RESOURCE_OFFSET, RESOURCE_LENGTH, SCOPE_OFFSET, SCOPE_LENGTH = map(number, range(4, 8))
SCOPE_SCHEMA, SCOPE_SCHEMA_LENGTH = map(number, range(8, 10))
INDEX_ROWS = 10

#: The counts, in the order of their 64-bit numbers.
SPANS, RESOURCES, SCOPES, SHORT = range(4)
INDEX_COUNTS = 4


class Index(NamedTuple):
    """What `index_body` writes to.

    Attributes:
        rows: INDEX_ROWS rows of `capacity` 32-bit numbers.
        capacity: most entries of each list.
        counts: INDEX_COUNTS 64-bit numbers, 0 at the start.
        scratch: SCRATCH_BYTES of memory.
    """

    rows: int
    capacity: int
    counts: int
    scratch: int


_FIRST_FIELD, _SECOND_FIELD, _THIRD_FIELD = (number(field << 3 | DELIMITED) for field in (1, 2, 3))
_REQUEST_LEVEL, _RESOURCE_SPANS_LEVEL, _SCOPE_SPANS_LEVEL, _SPAN_LEVEL = map(number, range(4))


@routine
def _list_pair(row: int, entry: int, pair: tuple[int, int], index: Index) -> None:
    """Write an entry to two rows of a list, if there is room."""
    if entry < index.capacity:
        store32(index.rows + 4 * (row * index.capacity + entry), pair[0])
        store32(index.rows + 4 * ((row + 1) * index.capacity + entry), pair[1])


@kernel
def index_body(base: int, length: int, index: Index) -> int:  # noqa: C901, PLR0912, PLR0915 - see below
    """List the spans, resources and scopes of the body of `length` bytes at address `base`.

    One function, although long: three loops, one for each level of messages, and every function between a
    kernel and its parts would be optimised once more by the compiler. The Resource messages are not read
    here; those of listed spans are for `read_resources` to check.

    Returns:
        0, or a failure.
    """
    spans = resources = scopes = short = ZERO
    p, end = base, base + length
    while p < end:
        tag, p = read_tag(p, end)
        if p >= 0 and tag != _FIRST_FIELD:
            p = skip_field(tag, p, end, _REQUEST_LEVEL, index.scratch)
        elif p >= 0:
            start, p = read_delimited(p, end)
            spans_before = spans
            q, q_end = start, p
            while q < q_end:  # the fields of a ResourceSpans
                tag, q = read_tag(q, q_end)
                if q >= 0 and tag != _SECOND_FIELD:
                    q = skip_field(tag, q, q_end, _RESOURCE_SPANS_LEVEL, index.scratch)
                elif q >= 0:
                    r, q = read_delimited(q, q_end)
                    spans_before_scope = spans
                    scope = schema = (ZERO, ZERO)
                    r_end = q
                    while r < r_end:  # the fields of a ScopeSpans
                        tag, r = read_tag(r, r_end)
                        if r < 0:
                            return r
                        if tag & 7 != DELIMITED:
                            r = skip_field(tag, r, r_end, _SCOPE_SPANS_LEVEL, index.scratch)
                            if r < 0:
                                return r
                            continue
                        at, r = read_delimited(r, r_end)
                        if tag == _SECOND_FIELD:
                            if r - at >= SHORTEST_SPAN:
                                _list_pair(SPAN_OFFSET, spans, (at - base, r - at), index)
                                _list_pair(SPAN_RESOURCE, spans, (resources, scopes), index)
                                spans += 1
                            elif r >= 0:
                                r = check_message(SPAN, at, r, _SPAN_LEVEL, index.scratch)
                                short += 1
                        elif r >= 0 and tag == _FIRST_FIELD:
                            scope = (at - base, r - at)
                            r = check_message(SCOPE, at, r, _SPAN_LEVEL, index.scratch)
                        elif r >= 0 and tag == _THIRD_FIELD:
                            schema = (at - base, r - at)
                            r = check_text(at, r)
                        if r < 0:
                            return r
                    if spans > spans_before_scope:
                        _list_pair(SCOPE_OFFSET, scopes, scope, index)
                        _list_pair(SCOPE_SCHEMA, scopes, schema, index)
                        scopes += 1
                if q < 0:
                    return q
            if p >= 0 and spans > spans_before:
                _list_pair(RESOURCE_OFFSET, resources, (start - base, p - start), index)
                resources += 1
            elif p >= 0:
                p = check_message(RESOURCE_SPANS, start, p, _RESOURCE_SPANS_LEVEL, index.scratch)
        if p < 0:
            return p
    store64(index.counts + 8 * SPANS, spans)
    store64(index.counts + 8 * RESOURCES, resources)
    store64(index.counts + 8 * SCOPES, scopes)
    store64(index.counts + 8 * SHORT, short)
    return 0
