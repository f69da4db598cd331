"""The spans of the log files that are not sealed yet, as columns in memory.

**Shape.** Each log file has pieces of 64 Ki rows, each a set of preallocated arrays of which only touched pages
take memory, and columns that few spans use only once a value has come; an append copies its columns into the last
piece. A row costs about 110 bytes. What all spans of a
(body, resource, scope) have in common, the words of the resource included, is kept once per *run* of such rows:
OTLP groups spans by resource and scope, so a run is usually many rows.

**Life.** Pieces are what a segment is made from (`segment_build.py`), and what queries read meanwhile
(`piece_table.py`). Once the file's segment stands in the manifest, `forget` drops them.

**Threads.** One thread appends. A piece publishes its row count last and readers take it first, so they see
whole rows; tuples and arrays are replaced, never changed where readers look. Readers need no lock.

Refused: keeping the decoder's own arrays (a sender of many small bodies would make them cost more than the
spans), and decoding the log again at sealing (a third more work for each span).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.store.ports import Position
from weft_collector.wire.columns import Decoded

__all__ = ["PIECE_ROWS", "RUN", "Piece", "Runs", "SpanRows", "Unsealed"]

PIECE_ROWS: Final = 1 << 16
_FIRST_RUNS: Final = 256

_COLUMNS: Final[dict[str, type[np.generic]]] = {
    **dict.fromkeys(("trace_hi", "trace_lo", "span_id", "parent_id"), np.uint64),
    **dict.fromkeys(("start", "end"), np.int64),
    **dict.fromkeys(("kind", "status"), np.uint8),
    "http_status": np.uint16,
    **dict.fromkeys(("name", "peer_service", "server_address", "server_port", "caller"), np.int32),
    **dict.fromkeys(("db_system", "db_namespace", "rpc_system", "error_type"), np.int32),
    **dict.fromkeys(("messaging_system", "messaging_destination", "offset", "length"), np.int32),
    **dict.fromkeys(("messaging_template", "messaging_cluster", "messaging_operation"), np.int32),
    **dict.fromkeys(("message_count", "rpc_code", "peer_namespace", "peer_address", "peer_port"), np.int32),
}
#: Columns that are nearly always empty: they take memory once a value has come.
_RARE: Final = frozenset(tuple(_COLUMNS)[-8:])
_RESOURCE_WORDS: Final = ("service", "instance", "namespace", "environment", "version", "host", "pid")

RUN: Final = np.dtype(
    [
        ("row", np.int32),  # the run's first row in the piece
        ("block", np.int64),
        ("body", np.int32),
        ("resource_offset", np.int32),
        ("resource_length", np.int32),
        ("resource_schema", np.int32),
        ("scope_offset", np.int32),
        ("scope_length", np.int32),
        ("scope_schema", np.int32),
        *((word, np.int32) for word in _RESOURCE_WORDS),
    ]
)

Columns = dict[str, NDArray[Any]]
Runs = NDArray[np.void]


class _Gathered(Mapping[str, NDArray[Any]]):
    """Columns of some parts, one part after the other, in an order if one is given.

    A column is put together whenever it is looked at, so that no more than one takes memory at a time.
    """

    def __init__(
        self, parts: Sequence[Mapping[str, NDArray[Any]]], order: NDArray[np.intp] | None = None
    ) -> None:
        self._parts, self._order = parts, order

    def __getitem__(self, name: str) -> NDArray[Any]:
        columns = [part[name] for part in self._parts]
        whole = columns[0] if len(columns) == 1 else np.concatenate(columns)
        return whole if self._order is None else whole[self._order]

    def __iter__(self) -> Iterator[str]:
        return iter(_COLUMNS)

    def __len__(self) -> int:
        return len(_COLUMNS)


class SpanRows(NamedTuple):
    """Whole rows out of pieces; nothing of it changes any more.

    Attributes:
        columns: By name, arrays of one length.
        runs: Of RUN.
        run: For each row, the number of its run.
    """

    columns: Mapping[str, NDArray[Any]]
    runs: Runs
    run: NDArray[np.int32]

    def take(self, order: NDArray[np.intp]) -> "SpanRows":
        """Some rows, in an order."""
        return SpanRows(_Gathered([self.columns], order), self.runs, self.run[order])

    @classmethod
    def joined(cls, parts: "Sequence[SpanRows]") -> "SpanRows":
        """The rows of one or more parts, one after the other."""
        first = np.cumsum([0, *(len(part.runs) for part in parts[:-1])], dtype=np.int32)
        return cls(
            _Gathered([part.columns for part in parts]),
            np.concatenate([part.runs for part in parts]),
            np.concatenate([part.run + start for part, start in zip(parts, first, strict=True)]),
        )


@cache
def _no_values(rows: int) -> NDArray[Any]:
    """A column of zeros that all pieces share and none writes to."""
    column = np.zeros(rows, np.int32)
    column.flags.writeable = False
    return column


class Piece:
    """Some rows of one log file, filled from the front.

    Attributes:
        number: Of the log file.
        count: Whole rows.
    """

    def __init__(self, number: int, rows: int) -> None:
        self.number = number
        self.count = 0
        self._columns: Columns = {
            name: _no_values(rows) if name in _RARE else np.empty(rows, kind)
            for name, kind in _COLUMNS.items()
        }
        self._runs: Runs = np.empty(min(_FIRST_RUNS, rows), RUN)
        self._run_count = 0

    @property
    def is_full(self) -> bool:
        """Whether no row can be added any more."""
        return self.count == len(self._columns["start"])

    def rows(self) -> SpanRows:
        """The rows that are there now."""
        count = self.count
        runs = self._runs[: self._run_count]
        runs = runs[: np.searchsorted(runs["row"], count, "left")]
        run = np.repeat(np.arange(len(runs), dtype=np.int32), np.diff(runs["row"], append=count))
        return SpanRows({name: column[:count] for name, column in self._columns.items()}, runs, run)

    def take(self, columns: Columns, runs: Runs, start: int) -> int:
        """Copy the rows of a batch from `start` on, as many as have room; the row after the last."""
        room = len(self._columns["start"]) - self.count
        stop = min(start + room, len(columns["start"]))
        here = slice(self.count, self.count + stop - start)
        for name, column in self._columns.items():
            values = columns[name][start:stop]
            if column.flags.writeable:
                column[here] = values
            elif values.any():
                self._columns[name] = np.zeros(len(column), column.dtype)
                self._columns[name][here] = values
        self._take_runs(runs, start, stop)
        self.count = here.stop
        return stop

    def _take_runs(self, runs: Runs, start: int, stop: int) -> None:
        first = np.searchsorted(runs["row"], start, "right") - 1
        part = runs[first : np.searchsorted(runs["row"], stop, "left")].copy()
        part["row"] = np.maximum(part["row"], start) - start + self.count
        count = self._run_count + len(part)
        if count > len(self._runs):
            grown = np.empty(max(count, 2 * len(self._runs)), RUN)
            grown[: self._run_count] = self._runs[: self._run_count]
            self._runs = grown
        self._runs[self._run_count : count] = part
        self._run_count = count


class Unsealed:
    """The pieces, by log file.

    Args:
        piece_rows: Rows of a piece.
    """

    def __init__(self, piece_rows: int = PIECE_ROWS) -> None:
        self._piece_rows = piece_rows
        self._pieces: tuple[Piece, ...] = ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces, in the order of the log."""
        return self._pieces

    def rows(self, number: int) -> int:
        """How many spans of a log file there are."""
        return sum(piece.count for piece in self._pieces if piece.number == number)

    def __len__(self) -> int:
        return sum(piece.count for piece in self._pieces)

    def append(self, decoded: Decoded, position: Position) -> None:
        """Add a body's spans; `position` is where the log keeps the body."""
        spans = decoded.spans
        columns: Columns = {name: getattr(spans, name) for name in _COLUMNS}
        runs = _runs_of(decoded, position)
        done = 0
        while done < len(spans.span_id):
            done = self._piece_with_room(position.file).take(columns, runs, done)

    def forget(self, number: int) -> None:
        """Drop the spans of the log files up to a number."""
        self._pieces = tuple(piece for piece in self._pieces if piece.number > number)

    def _piece_with_room(self, number: int) -> Piece:
        if not self._pieces or self._pieces[-1].number != number or self._pieces[-1].is_full:
            self._pieces = (*self._pieces, Piece(number, self._piece_rows))
        return self._pieces[-1]


def _runs_of(decoded: Decoded, position: Position) -> Runs:
    """The batch's runs of equal resource and scope; `row` counts from the batch's first span."""
    spans, resources, scopes = decoded.spans, decoded.resources, decoded.scopes
    changes = (np.diff(spans.resource) != 0) | (np.diff(spans.scope) != 0)
    starts = np.concatenate([np.zeros(min(1, len(spans.span_id)), np.intp), np.flatnonzero(changes) + 1])
    runs = np.empty(len(starts), RUN)
    runs["row"], runs["block"], runs["body"] = starts, position.block, position.offset
    resource, scope = spans.resource[starts], spans.scope[starts]
    for name in ("offset", "length", "schema"):
        runs[f"resource_{name}"] = getattr(resources, name)[resource]
        runs[f"scope_{name}"] = getattr(scopes, name)[scope]
    for word in _RESOURCE_WORDS:
        runs[word] = getattr(resources, word)[resource]
    return runs
