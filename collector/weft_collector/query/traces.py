"""Traces by id: every distinct span of them as it was sent, in the order of the log.

A trace is known by the low half of its id, since agents differ in whether they send the high one. Asked for
with both halves, spans with another high half are left out.

Rows come first, as pointers of some 50 bytes each, then the bytes in batches: so a trace of a million spans is
answered in bounded memory. The tables see to it that no span comes twice.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weft_collector.query.bytes_of_spans import Pointers, batches, read_messages
from weft_collector.query.columns import numbers, pointers, trace_halves
from weft_collector.store.ports import SpanLog, SpanTable
from weft_collector.store.span_schema import POINTER

__all__ = ["RawSpan", "find_trace", "raw_spans"]

#: How many resources and scopes are remembered while a trace is written, and how large one of them may be.
REMEMBERED: Final = 512
REMEMBERED_BYTES: Final = 8 << 10


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
    parts: list[_Part] = []
    for table in tables:
        where = table.trace_rows(lo)
        if len(where):
            rows = table.read(["TraceId", *POINTER], where)
            kept = _kept(rows, hi)
            columns = numbers(rows, "ResourceId")[kept], numbers(rows, "ScopeId")[kept]
            parts += [_Part(table, pointers(rows).take(kept), *columns)] if len(kept) else []
    return parts


def _kept(rows: pa.Table, hi: int) -> NDArray[np.intp]:
    """Rows whose trace id has this high half, or none."""
    high = trace_halves(rows)[:, 0]
    return np.flatnonzero((high == np.uint64(hi)) | (high == 0) | (hi == 0))


def raw_spans(log: SpanLog, parts: Sequence[_Part]) -> Iterator[RawSpan]:
    """The spans, but for those whose log file is gone.

    Raises:
        CorruptLog: The bytes on the disk are not those that were written.
    """
    for part in parts:
        resource_of, scope_of = _Remembered(part.table.resource), _Remembered(part.table.scope)
        for start, stop in batches(part.pointers.length):
            rows = np.arange(start, stop)
            messages = read_messages(log, part.table.number, part.pointers.take(rows))
            for row in np.flatnonzero(messages.lengths >= 0).tolist():
                resource, scope = (
                    resource_of(int(part.resource[start + row])),
                    scope_of(int(part.scope[start + row])),
                )
                yield RawSpan(messages.message(row), *resource, *scope)


class _Remembered:
    """What stands behind some numbers, read once each as long as it is small."""

    def __init__(self, get: Callable[[int], tuple[bytes, str]]) -> None:
        self._get = get
        self._known: dict[int, tuple[bytes, str]] = {}

    def __call__(self, number: int) -> tuple[bytes, str]:
        known = self._known.get(number)
        if known is None:
            known = self._get(number)
            if len(known[0]) <= REMEMBERED_BYTES and len(self._known) < REMEMBERED:
                self._known[number] = known
        return known
