"""The head: columns of the newest spans, in memory, for trace lookup and exports.

**Shape.** Chunks of 64 Ki rows, each a set of preallocated arrays; an append copies its columns into the last
chunk and goes on in a new one. A row costs 64 bytes. What all spans of a (body, resource, scope) have in
common is kept once per *run* of such rows: where the body is, and where its resource and scope bytes are.
OTLP groups spans by resource and scope, so a run is usually many rows; were it one, a row would cost 36 bytes
more.

**Ordinals** number the spans since the process started. Chunks are always filled, so ordinal // 65,536 -
(chunks dropped) is the chunk and the remainder the row: no index is needed.

**Trace lookup** compares one column of every chunk: 8 bytes a span, memory speed, and no state that an append
would have to maintain. At 4 Mi spans that is a few milliseconds; a hash index would cost more memory than the
columns it spares.

**Threads.** One thread appends. A chunk publishes its row count last and readers take it first, so they see
whole rows; arrays and the tuple of chunks are replaced, never changed where readers look. Readers need no
lock.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.store.ports import HeadNodes, HeadRows, Position, Slice, SpanPointer
from weft_collector.telemetry import Telemetry
from weft_collector.wire.columns import Resources, Scopes, Spans

__all__ = ["CHUNK_ROWS", "DEFAULT_SPANS", "Head"]

CHUNK_ROWS: Final = 1 << 16
DEFAULT_SPANS: Final = 4 << 20
TRACE_SPANS: Final = 20_000  # spans of one trace that are looked up at most
_FIRST_RUNS: Final = 256

# OTLP kinds 0 to 5: unspecified, internal, server, client, producer, consumer -> local, callee or caller
# side.
_SIDE: Final = np.array([0, 0, 1, 2, 2, 1], np.int64)

_COLUMNS: Final[dict[str, type[np.generic]]] = {
    "trace_hi": np.uint64,
    "trace_lo": np.uint64,
    "span_id": np.uint64,
    "start": np.int64,
    "end": np.int64,
    "kind": np.uint8,
    "status": np.uint8,
    "name": np.int32,
    "node": np.int32,
    "instance": np.int32,
    "http_status": np.uint16,
    "offset": np.int32,
    "length": np.int32,
}

_RUN: Final = np.dtype(
    [
        ("row", np.int32),  # the run's first row in the chunk
        ("file", np.int32),
        ("block", np.int64),
        ("body", np.int32),
        ("resource_offset", np.int32),
        ("resource_length", np.int32),
        ("scope_offset", np.int32),
        ("scope_length", np.int32),
    ]
)

_Columns = dict[str, NDArray[Any]]
_Runs = NDArray[np.void]


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

    def append(
        self, spans: Spans, resources: Resources, scopes: Scopes, position: Position, nodes: HeadNodes
    ) -> int:
        """See SpanReader."""
        dropped, chunks = self._held
        first = (dropped + len(chunks)) * self._chunk_rows
        if chunks:
            first += chunks[-1].count - self._chunk_rows
        columns = _columns_of(spans, nodes)
        runs = _runs_of(spans, resources, scopes, position)
        done = 0
        while done < len(spans.span_id):
            done = self._chunk_with_room().take(columns, runs, done)
        return first

    def trace(self, hi: int, lo: int) -> list[SpanPointer]:
        """See SpanReader; `hi` 0 finds a trace by the low half of its id; 20,000 spans are given at most."""
        chunks = self._held[1]
        rows = [chunk.rows_of_trace(hi, lo) for chunk in chunks]
        places = [(chunk, row) for chunk, found in zip(chunks, rows, strict=True) for row in found.tolist()]
        identities = [chunk.identities(found) for chunk, found in zip(chunks, rows, strict=True)]
        return [chunk.pointer(row) for chunk, row in (places[i] for i in _distinct(identities)[:TRACE_SPANS])]

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
        self._runs: _Runs = np.empty(min(_FIRST_RUNS, rows), _RUN)
        self._run_count = 0

    def take(self, columns: _Columns, runs: _Runs, start: int) -> int:
        """Copy the rows of a batch from `start` on, as many as have room; the row after the last."""
        room = len(self.columns["start"]) - self.count
        stop = min(start + room, len(columns["start"]))
        here = slice(self.count, self.count + stop - start)
        for name, column in self.columns.items():
            column[here] = columns[name][start:stop]
        self._take_runs(runs, start, stop)
        self.count = here.stop
        return stop

    def _take_runs(self, runs: _Runs, start: int, stop: int) -> None:
        first = np.searchsorted(runs["row"], start, "right") - 1
        piece = runs[first : np.searchsorted(runs["row"], stop, "left")].copy()
        piece["row"] = np.maximum(piece["row"], start) - start + self.count
        count = self._run_count + len(piece)
        if count > len(self._runs):
            grown = np.empty(max(count, 2 * len(self._runs)), _RUN)
            grown[: self._run_count] = self._runs[: self._run_count]
            self._runs = grown
        self._runs[self._run_count : count] = piece
        self._run_count = count

    def rows_of_trace(self, hi: int, lo: int) -> NDArray[np.intp]:
        """Rows of the trace's spans, ascending."""
        rows = np.flatnonzero(self.columns["trace_lo"][: self.count] == np.uint64(lo))
        high = self.columns["trace_hi"][rows]
        wanted: NDArray[np.bool_] = (high == np.uint64(hi)) | (high == 0) | (hi == 0)
        return rows[wanted]

    def identities(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """What tells spans of a trace apart: span ids, and numbers made of side and instance or node."""
        node, instance, kind = (self.columns[name][rows] for name in ("node", "instance", "kind"))
        owner = np.where(instance != 0, instance, -1 - node).astype(np.int64)
        return self.columns["span_id"][rows], owner * 3 + _SIDE[kind]

    def pointer(self, row: int) -> SpanPointer:
        """Where the bytes of the row's span are."""
        runs = self._runs[: self._run_count]
        run = runs[np.searchsorted(runs["row"], row, "right") - 1]
        _, file, block, body, *rest = (int(value) for value in run)
        span = Slice(int(self.columns["offset"][row]), int(self.columns["length"][row]))
        return SpanPointer(Position(file, block, body), span, Slice(*rest[:2]), Slice(*rest[2:]))


def _distinct(identities: list[tuple[NDArray[np.uint64], NDArray[np.int64]]]) -> list[int]:
    """Indices, ascending, of the first span of each identity in the concatenated arrays."""
    if not identities:
        return []
    span_ids, owners = (np.concatenate(arrays) for arrays in zip(*identities, strict=True))
    order = np.lexsort((owners, span_ids))  # stable: of equal ones, the first comes first
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(span_ids[order]) != 0) | (np.diff(owners[order]) != 0)
    found: list[int] = np.sort(order[first]).tolist()
    return found


def _columns_of(spans: Spans, nodes: HeadNodes) -> _Columns:
    given = {**spans._asdict(), **nodes._asdict()}
    return {name: given[name] for name in _COLUMNS}


def _runs_of(spans: Spans, resources: Resources, scopes: Scopes, position: Position) -> _Runs:
    """The batch's runs of equal resource and scope; `row` counts from the batch's first span."""
    changes = (np.diff(spans.resource) != 0) | (np.diff(spans.scope) != 0)
    starts = np.concatenate([np.zeros(min(1, len(spans.span_id)), np.intp), np.flatnonzero(changes) + 1])
    runs = np.empty(len(starts), _RUN)
    runs["row"], runs["file"], runs["block"], runs["body"] = starts, *position
    resource, scope = spans.resource[starts], spans.scope[starts]
    runs["resource_offset"], runs["resource_length"] = resources.offset[resource], resources.length[resource]
    runs["scope_offset"], runs["scope_length"] = scopes.offset[scope], scopes.length[scope]
    return runs
