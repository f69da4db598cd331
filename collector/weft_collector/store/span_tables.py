"""The tables of one moment, and which of them a trace may be in.

The bloom filters of all segments are asked in one call, so an id that nobody sent costs some microseconds however
many segments there are; a look into each of them would cost as much a segment.
"""

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np

from weft_collector.store.bloom import LINE_BYTES, Filters, fitting
from weft_collector.store.ports import SpanTable
from weft_collector.store.segment import Segment

__all__ = ["Segments", "SpanTables"]


class Segments:
    """Some segments, in the order of the log; nothing changes once it is made.

    Args:
        segments: The segments.

    Attributes:
        all: All of them.
    """

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self.all = tuple(segments)
        addresses = [segment.bloom.ctypes.data for segment in self.all]
        lines = [segment.bloom.nbytes // LINE_BYTES for segment in self.all]
        self._filters = Filters(np.array(addresses, np.int64), np.array(lines, np.int64))

    def with_trace(self, trace_lo: int) -> list[Segment]:
        """Those that may have spans of a trace, by the low half of its id."""
        held = fitting(self._filters, [np.array([trace_lo], np.uint64)])
        return [self.all[place] for place in np.flatnonzero(held).tolist()]


class SpanTables(Sequence[SpanTable]):
    """Tables in the order of the log: sealed segments, then those of spans that are not sealed yet.

    Args:
        segments: The segments.
        others: The others.
    """

    def __init__(self, segments: Segments, others: Sequence[SpanTable]) -> None:
        self._segments, self._others = segments, others
        self._all: tuple[SpanTable, ...] = (*segments.all, *others)

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, place: int) -> SpanTable: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SpanTable]: ...
    def __getitem__(self, place: int | slice) -> SpanTable | Sequence[SpanTable]:
        return self._all[place]

    def with_trace(self, trace_lo: int) -> Sequence[SpanTable]:
        """Those that may have spans of a trace, by the low half of its id."""
        return [*self._segments.with_trace(trace_lo), *self._others]
