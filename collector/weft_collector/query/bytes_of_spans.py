"""The exact bytes of many spans, read from the log body by body.

Spans of one body lie close together, so one read takes the run from the first to the last of them. Where that
run is mostly other spans, each is read alone: a search must not copy a body of 64 MiB for two spans.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.errors import NotFound
from weft_collector.query.attributes import Messages
from weft_collector.store.ports import Position, SpanBytes

__all__ = ["Pointers", "batches", "read_messages"]

#: Bounds of one batch: rows, and bytes of their spans (a single larger span is a batch of its own).
BATCH_ROWS: Final = 8192
BATCH_BYTES: Final = 16 << 20
_ALWAYS_WHOLE: Final = 64 << 10
_SPARSE: Final = 4

_Rows = NDArray[np.int64]


class Pointers(NamedTuple):
    """Where spans of one table are in its log file; arrays of one length."""

    block: _Rows
    body: _Rows
    offset: _Rows
    length: _Rows

    def take(self, rows: NDArray[np.intp]) -> "Pointers":
        """The pointers of some rows."""
        return Pointers(*(column[rows] for column in self))


def batches(lengths: _Rows) -> Iterator[tuple[int, int]]:
    """First row and end of runs of rows whose spans fit the bounds of a batch."""
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = int(ends[start - 1]) if start else 0
        fits = int(np.searchsorted(ends, before + BATCH_BYTES, side="right"))
        stop = max(start + 1, min(fits, start + BATCH_ROWS))
        yield start, stop
        start = stop


def read_messages(log: SpanBytes, number: int, pointers: Pointers) -> Messages:
    """The spans at some pointers into log file `number`; those whose file is gone are absent.

    Raises:
        CorruptLog: The bytes on the disk are not those that were written.
    """
    order = np.lexsort((pointers.offset, pointers.body, pointers.block))
    parts: list[bytes] = []
    offsets = np.zeros(len(order), np.int64)
    lengths = np.full(len(order), -1, np.int64)
    size = 0
    for rows in _by_body(pointers, order):
        position = Position(number, int(pointers.block[rows[0]]), int(pointers.body[rows[0]]))
        for run, low, high in _runs(pointers, rows):
            try:
                parts.append(log.read(position, low, high - low))
            except NotFound:
                continue
            offsets[run] = pointers.offset[run] - low + size
            lengths[run] = pointers.length[run]
            size += high - low
    return Messages(b"".join(parts), offsets, lengths)


def _by_body(pointers: Pointers, order: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """The rows of each body, by offset."""
    block, body = pointers.block[order], pointers.body[order]
    new = np.flatnonzero((np.diff(block) != 0) | (np.diff(body) != 0)) + 1
    return (rows for rows in np.split(order, new) if len(rows))


def _runs(pointers: Pointers, rows: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], int, int]]:
    """What to read of a body: rows, and the bytes that hold them."""
    low = int(pointers.offset[rows[0]])
    ends = pointers.offset[rows] + pointers.length[rows]
    high = int(ends.max())
    if high - low <= _ALWAYS_WHOLE + _SPARSE * int(pointers.length[rows].sum()):
        yield rows, low, high
        return
    for at, row in enumerate(rows):
        yield rows[at : at + 1], int(pointers.offset[row]), int(ends[at])
