"""The second pass over a body, for resources: each Resource of a listed ResourceSpans to its row.

A Resource in several pieces is one message, by protobuf's rule: their attributes are joined. Schema URLs, those of
scopes too, become texts here; like names they leave the last eighth of the table to services.
"""

from weft_collector.kernel import ZERO, kernel, load32, number, store32
from weft_collector.wire.attributes import Target, read_attribute
from weft_collector.wire.known_keys import RESOURCE_MESSAGE, RESOURCE_WORDS
from weft_collector.wire.message_check import ENTITY_REF, check_message, check_text
from weft_collector.wire.otlp_index import (
    RESOURCE_LENGTH,
    RESOURCE_OFFSET,
    SCOPE_SCHEMA,
    SCOPE_SCHEMA_LENGTH,
)
from weft_collector.wire.otlp_job import Job
from weft_collector.wire.protobuf_reader import DELIMITED, read_delimited, read_tag, skip_field
from weft_collector.wire.strings import NAME_RESERVE, RESOURCE_RESERVE, intern

# Tags as they stand in the bytes: of a ResourceSpans, then of a Resource.
_RESOURCE, _SCHEMA_URL = 1 << 3 | DELIMITED, 3 << 3 | DELIMITED
_ATTRIBUTE, _ENTITY_REF = 1 << 3 | DELIMITED, 3 << 3 | DELIMITED

# Levels of nesting below the request.
_RESOURCE_SPANS_LEVEL, _RESOURCE_LEVEL, _IN_RESOURCE = map(number, (1, 2, 3))

_OFFSET, _LENGTH, _SCHEMA = (RESOURCE_WORDS.index(name) for name in ("offset", "length", "schema"))


@kernel
def read_resources(  # noqa: C901, PLR0912 - two loops, one level each, and a short one
    base: int, count: int, scopes: int, job: Job
) -> int:
    """Read the Resource of each of the `count` listed ResourceSpans, wherever in it that stands.

    The schema URLs of `scopes` listed scopes become texts as well.

    Returns:
        0, or a failure.
    """
    stride = 4 * job.resource_stride
    for i in range(count):
        p = base + load32(job.listed + 4 * (RESOURCE_OFFSET * job.capacity + i))
        end = p + load32(job.listed + 4 * (RESOURCE_LENGTH * job.capacity + i))
        row, ranks = job.resources + 4 * i, ZERO
        schema = schema_end = p
        target = Target(
            row, stride, RESOURCE_MESSAGE, _IN_RESOURCE, RESOURCE_RESERVE, job.strings, job.scratch
        )
        while p < end:
            tag, p = read_tag(p, end)
            if p < 0:
                return p
            if tag & 7 != DELIMITED:
                p = skip_field(tag, p, end, _RESOURCE_SPANS_LEVEL, job.scratch)
                if p < 0:
                    return p
                continue
            start, p = read_delimited(p, end)
            if p >= 0 and tag == _SCHEMA_URL:
                schema, schema_end = start, p
                p = check_text(start, p)
            if p < 0:
                return p
            if tag != _RESOURCE:
                continue
            store32(row + stride * _OFFSET, start - base)
            store32(row + stride * _LENGTH, p - start)
            q = start
            while q < p:  # the fields of the Resource
                tag, q = read_tag(q, p)
                if q >= 0 and tag == _ATTRIBUTE:
                    start, q = read_delimited(q, p)
                    if q >= 0:
                        ranks, q = read_attribute(start, q, target, ranks)
                elif q >= 0 and tag == _ENTITY_REF:
                    start, q = read_delimited(q, p)
                    q = check_message(ENTITY_REF, start, q, _IN_RESOURCE, job.scratch) if q >= 0 else q
                elif q >= 0:
                    q = skip_field(tag, q, p, _RESOURCE_LEVEL, job.scratch)
                if q < 0:
                    return q
        store32(row + stride * _SCHEMA, intern(schema, schema_end, job.strings, NAME_RESERVE))
    for i in range(scopes):
        entry = job.listed + 4 * (SCOPE_SCHEMA * job.capacity + i)
        p = base + load32(entry)
        end = p + load32(entry + 4 * job.capacity * (SCOPE_SCHEMA_LENGTH - SCOPE_SCHEMA))
        store32(entry, intern(p, end, job.strings, NAME_RESERVE))
    return 0
