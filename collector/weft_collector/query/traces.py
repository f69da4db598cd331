"""Traces by id: every distinct span of them as it was sent, in the order of the log.

A trace is known by the low half of its id, since agents differ in whether they send the high one. Asked for
with both halves, spans with another high half are left out.

Rows come first, as pointers of some 50 bytes each, then the bytes in batches: so a trace of a million spans is
answered in bounded memory. Of two rows of one identity (docs/graph-rules.md) the first in the log counts.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weft_collector.query.bytes_of_spans import Pointers, batches, read_messages
from weft_collector.query.columns import numbers, pointers, texts
from weft_collector.store.ports import SpanLog, SpanTable
from weft_collector.store.span_schema import POINTER

__all__ = ["RawSpan", "find_trace", "raw_spans"]

_IDENTITY: Final = ("TraceId", "SpanId", "SpanKind", "ServiceInstanceId", "ServiceName", "HostName")
_SIDES: Final = {"Client": "caller", "Producer": "caller", "Server": "callee", "Consumer": "callee"}


class RawSpan(NamedTuple):
    """The exact bytes of a span, and of what stood around it; empty where there was none.

    Attributes:
        span: The Span message.
        resource: The Resource message.
        resource_schema: Schema URL beside the resource.
        scope: The InstrumentationScope message.
        scope_schema: Schema URL beside the scope.
    """

    span: bytes
    resource: bytes
    resource_schema: str
    scope: bytes
    scope_schema: str


class _Part(NamedTuple):
    """The rows of a trace in one table: where their bytes are."""

    table: SpanTable
    pointers: Pointers
    resource: NDArray[np.int64]
    scope: NDArray[np.int64]


def find_trace(tables: Sequence[SpanTable], hi: int, lo: int) -> list[_Part]:
    """Where a trace's distinct spans are; empty if none is held.

    Args:
        tables: In the order of the log.
        hi: High half of the id; 0 for any.
        lo: Low half of the id.
    """
    seen: set[tuple[bytes, str, str]] = set()
    parts: list[_Part] = []
    for table in tables:
        where = table.trace_rows(lo)
        if len(where):
            rows = table.read([*_IDENTITY, *POINTER], where)
            kept = _kept(rows, hi, seen)
            columns = numbers(rows, "ResourceId")[kept], numbers(rows, "ScopeId")[kept]
            parts += [_Part(table, pointers(rows).take(kept), *columns)] if len(kept) else []
    return parts


def _kept(rows: pa.Table, hi: int, seen: set[tuple[bytes, str, str]]) -> NDArray[np.intp]:
    """Rows of the trace that were not seen yet."""
    high = {bytes(8), hi.to_bytes(8, "big")}
    kept: list[int] = []
    columns = [rows.column(name).to_pylist() for name in ("TraceId", "SpanId")]
    named = [texts(rows, name) for name in _IDENTITY[2:]]
    for row, (trace, span, kind, instance, service, host) in enumerate(zip(*columns, *named, strict=True)):
        identity = (span, _SIDES.get(kind, "local"), f"i{instance}" if instance else f"s{service}\0{host}")
        if (not hi or trace[:8] in high) and identity not in seen:
            seen.add(identity)
            kept.append(row)
    return np.array(kept, np.intp)


def raw_spans(log: SpanLog, parts: Sequence[_Part]) -> Iterator[RawSpan]:
    """The spans, but for those whose log file is gone.

    Raises:
        CorruptLog: The bytes on the disk are not those that were written.
    """
    for part in parts:
        for start, stop in batches(part.pointers.length):
            rows = np.arange(start, stop)
            messages = read_messages(log, part.table.number, part.pointers.take(rows))
            for row in np.flatnonzero(messages.lengths >= 0).tolist():
                resource = part.table.resource(int(part.resource[start + row]))
                scope = part.table.scope(int(part.scope[start + row]))
                yield RawSpan(messages.message(row), *resource, *scope)
