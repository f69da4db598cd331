"""The sidecar of a segment: in which rows a trace is.

A segment's rows are sorted by the low half of the trace id. The sidecar lists each id once, ascending, with its first
row; a trace ends where the next begins. A lookup is a binary search in one array of eight bytes a trace, which may be
a mapped file: an unknown id costs a few microseconds, once its bloom filter has let it pass. `docs/segments.md` has the
bytes:

    8 bytes     magic
    4 bytes     number of traces, n
    4 bytes     number of rows
    8 n bytes   low halves of trace ids, ascending
    4 n bytes   first row of each, ascending; that of the first is 0

Checksums are the caller's. Sizes and the ends of both lists are checked here, so that no answer leaves the segment.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.errors import CorruptLog

__all__ = ["Sidecar"]

_MAGIC: Final = b"WeftTrc\n"
_HEADER_BYTES: Final = 16


class Sidecar:
    """Where the traces of a segment are; nothing changes once it is made, and any thread may ask.

    Args:
        ids: Distinct low halves of trace ids, ascending.
        first: First row of each.
        rows: How many rows the segment has.

    Raises:
        ValueError: These do not fit each other.
    """

    def __init__(self, ids: NDArray[np.uint64], first: NDArray[np.uint32], rows: int) -> None:
        if len(ids) != len(first) or (len(ids) == 0) != (rows == 0):
            raise ValueError("ids, first rows and the number of rows do not fit each other")
        if len(ids) and not (first[0] == 0 and first[-1] < rows and (first[1:] > first[:-1]).all()):
            raise ValueError("the first rows are not ascending from 0 to below the number of rows")
        if not (ids[1:] > ids[:-1]).all():
            raise ValueError("the ids are not ascending")
        self.ids = ids
        self.rows = rows
        self._first = first

    @classmethod
    def of(cls, trace_lo: NDArray[np.uint64]) -> "Sidecar":
        """The sidecar of a segment with these trace ids, row by row, ascending."""
        changed = np.ones(len(trace_lo), np.bool_)
        changed[1:] = trace_lo[1:] != trace_lo[:-1]
        first = np.flatnonzero(changed)
        return cls(trace_lo[first], first.astype(np.uint32), len(trace_lo))

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> "Sidecar":
        """What `to_bytes` made. Nothing is copied: `data` may be a mapped file.

        Raises:
            CorruptLog: These bytes are no sidecar.
        """
        view = np.frombuffer(data, np.uint8)
        if len(view) < _HEADER_BYTES or bytes(view[:8]) != _MAGIC:
            raise CorruptLog("These bytes are no sidecar of a segment.")
        count, rows = (int(value) for value in view[8:16].view("<u4"))
        if len(view) != _HEADER_BYTES + 12 * count:
            raise CorruptLog("The sidecar of a segment has not the length that it says.")
        lists = view[_HEADER_BYTES:]
        try:
            return cls(lists[: 8 * count].view("<u8"), lists[8 * count :].view("<u4"), rows)
        except ValueError as error:
            raise CorruptLog(f"The sidecar of a segment is damaged: {error}.") from error

    def to_bytes(self) -> bytes:
        """The bytes of a file, without any checksum."""
        numbers = np.array([len(self.ids), self.rows], "<u4").tobytes()
        return _MAGIC + numbers + self.ids.astype("<u8").tobytes() + self._first.astype("<u4").tobytes()

    def rows_of(self, trace_lo: int) -> range:
        """The rows of a trace, by the low half of its id; empty if it has none here."""
        at = int(np.searchsorted(self.ids, np.uint64(trace_lo)))
        if at == len(self.ids) or int(self.ids[at]) != trace_lo:
            return range(0)
        return range(int(self._first[at]), self._end(at))

    def _end(self, at: int) -> int:
        return int(self._first[at + 1]) if at + 1 < len(self._first) else self.rows

    def rows_of_many(self, trace_lo: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each id, the first row of the trace and the row behind its last one; both 0 if it has none here."""
        last = len(self.ids) - 1
        at = np.minimum(np.searchsorted(self.ids, trace_lo), max(last, 0))
        found = np.zeros((2, len(trace_lo)), np.int64)
        if last >= 0:
            known = self.ids[at] == trace_lo
            at = at[known]
            found[0, known] = self._first[at]
            found[1, known] = np.where(at < last, self._first[np.minimum(at + 1, last)], self.rows)
        return found[0], found[1]
