"""The head: what exports of calls tell of the newest spans beyond what pairing keeps of them, in memory.

**Shape.** Chunks of 64 Ki rows, each a set of preallocated arrays; an append copies its columns into the last
chunk and goes on in a new one. A row costs 22 bytes.

**Ordinals** number the spans since the process started. Chunks are always filled, so ordinal // 65,536 -
(chunks dropped) is the chunk and the remainder the row: no index is needed.

**Threads.** One thread appends. A chunk publishes its row count last and readers take it first, so they see
whole rows; arrays and the tuple of chunks are replaced, never changed where readers look. Readers need no
lock.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.store.ports import HeadRows
from weft_collector.telemetry import Telemetry
from weft_collector.wire.columns import Spans

__all__ = ["CHUNK_ROWS", "DEFAULT_SPANS", "Head"]

CHUNK_ROWS: Final = 1 << 16
DEFAULT_SPANS: Final = 4 << 20

_COLUMNS: Final[dict[str, type[np.generic]]] = {
    "trace_hi": np.uint64,
    "duration": np.int64,
    "name": np.int32,
    "http_status": np.uint16,
}

_Columns = dict[str, NDArray[Any]]


class Head:
    """See SpanReader.

    Args:
        telemetry: Where spans that fall out are counted.
        spans: How many spans are held at most; at least two chunks are.
        chunk_rows: Rows of a chunk.
    """

    def __init__(
        self, telemetry: Telemetry, spans: int = DEFAULT_SPANS, chunk_rows: int = CHUNK_ROWS
    ) -> None:
        self._telemetry = telemetry
        self._chunk_rows = chunk_rows
        self._most_chunks = max(2, spans // chunk_rows)
        self._held: tuple[int, tuple[_Chunk, ...]] = (0, ())  # chunks dropped, chunks; replaced as one

    def __len__(self) -> int:
        return sum(chunk.count for chunk in self._held[1])

    def append(self, spans: Spans) -> int:
        """See SpanReader."""
        dropped, chunks = self._held
        first = (dropped + len(chunks)) * self._chunk_rows
        if chunks:
            first += chunks[-1].count - self._chunk_rows
        columns = _columns_of(spans)
        done = 0
        while done < len(spans.span_id):
            done = self._chunk_with_room().take(columns, done)
        return first

    def rows(self, ordinals: NDArray[np.int64]) -> HeadRows:
        """See SpanReader."""
        dropped, chunks = self._held
        which, rows = np.divmod(ordinals, self._chunk_rows)
        which -= dropped
        held = np.zeros(len(ordinals), np.bool_)
        out: _Columns = {name: np.zeros(len(ordinals), _COLUMNS[name]) for name in HeadRows._fields[1:]}
        for number, chunk in enumerate(chunks):
            at = np.flatnonzero((which == number) & (rows < chunk.count))
            held[at] = True
            for name, column in out.items():
                column[at] = chunk.columns[name][rows[at]]
        return HeadRows(held, *out.values())

    def _chunk_with_room(self) -> "_Chunk":
        dropped, chunks = self._held
        if not chunks or chunks[-1].count == self._chunk_rows:
            if len(chunks) == self._most_chunks:
                self._telemetry.count("head_spans_dropped", amount=chunks[0].count)
                dropped, chunks = dropped + 1, chunks[1:]
            chunks = (*chunks, _Chunk(self._chunk_rows))
            self._held = (dropped, chunks)
        return chunks[-1]


class _Chunk:
    """Some rows of every column, filled from the front; untouched pages take no memory."""

    def __init__(self, rows: int) -> None:
        self.count = 0  # whole rows
        self.columns: _Columns = {name: np.empty(rows, kind) for name, kind in _COLUMNS.items()}

    def take(self, columns: _Columns, start: int) -> int:
        """Copy the rows of a batch from `start` on, as many as have room; the row after the last."""
        room = len(self.columns["name"]) - self.count
        stop = min(start + room, len(columns["name"]))
        here = slice(self.count, self.count + stop - start)
        for name, column in self.columns.items():
            column[here] = columns[name][start:stop]
        self.count = here.stop
        return stop


def _columns_of(spans: Spans) -> _Columns:
    given = {**spans._asdict(), "duration": spans.end - spans.start}
    return {name: given[name] for name in _COLUMNS}
