"""Settling: what the spans of one log file change in the graph, exactly, however small the pairing table is.

**Theory.** The graph is a function of the set of distinct spans, and a call is decided within its trace
(`docs/graph-rules.md`); so it is a sum over traces. Log files divide the spans: let S be those of all files before,
and F those of one file that no file before has. What the file adds to the graph is

    sum over its traces t of   calls((S + F) of t) - calls(S of t)

So once a file is complete, the older spans of its traces are paired first, and what they book is thrown away: it
stands in the parts of older files. Then the file's own spans are paired, and what these book, withdrawals of older
bookings included, is the file's part. The sum of the parts is the graph of all spans: no matter what the pairing
table had forgotten, where a restart fell, or how late a span came.

**Small.** Rows come sorted by trace, so a few ten thousand at a time are settled by a small table, which is
emptied between two steps. A trace is never divided; a table is made larger for one that is.

**Until then** the graph of a file that is still open is what the pairing table of the newest spans makes of it
(`derive.py`): the same unless a relative was evicted. `Derived` puts the exact part in its place when it is there.

Refused: a list of spans to repair after their relatives were evicted. It needs to know how each stood booked, so a
record of every booking; it grows with the traces whose callers are never seen; and it repairs only what was noticed.

Bounded: of a trace that has very many older spans, as a client makes that gives all its spans one trace id, none are
read (`store/relatives.py`): such a file is judged alone, and that is counted.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weft_collector.graph import cells as ce
from weft_collector.graph.classify import Classified, Classifier, presence
from weft_collector.graph.counting import Counting
from weft_collector.graph.nodes import NodeTable
from weft_collector.graph.pairing import Pairing, let_go
from weft_collector.graph.rollup_file import Kept, kept_of
from weft_collector.store.span_columns import SPAN_TEXTS, words_of
from weft_collector.store.span_schema import KINDS, STATUSES
from weft_collector.wire.columns import Decoded, Resources, Scopes, Spans

__all__ = ["COLUMNS", "settled"]

_STEP: Final = 1 << 15
_LARGEST: Final = 1 << 24  # rows of a single trace; what is beyond is judged as if it had been evicted

#: Texts of spans, and where the decoder has them.
_WORDS: Final = {name: word for name, word in SPAN_TEXTS.items() if word != "name"}
_TEXTS: Final = (
    "ServiceName", "ServiceNamespace", "DeploymentEnvironment", "ServiceInstanceId", "HostName", *_WORDS,
)  # fmt: skip
#: What is read of older spans.
COLUMNS: Final = (
    "TraceId", "SpanId", "ParentSpanId", "Timestamp", "Duration", "SpanKind", "StatusCode", "ProcessPid",
    "ServerPort", "HttpStatusCode", "PeerPort", "MessageCount", *_TEXTS,
)  # fmt: skip


def settled(own: "pa.Table", older: "Sequence[pa.Table]") -> Kept:
    """What the spans of a log file add to the rollups.

    Args:
        own: Its distinct spans that no older file has, sorted by the low half of the trace id, and by the order of the
            log within a trace; with COLUMNS.
        older: The spans of older files, oldest file first, of the traces that are in `own`; sorted likewise.
    """
    return _Settling(own, older).kept()


class _Names:
    """Texts by number, as a classifier asks for them; 0 is the empty text."""

    def __init__(self) -> None:
        self._texts = [""]
        self._numbers = {"": 0}

    def number(self, text: str) -> int:
        number = self._numbers.setdefault(text, len(self._texts))
        if number == len(self._texts):
            self._texts.append(text)
        return number

    def text(self, number: int, /) -> str:
        """See classify.Texts."""
        return self._texts[number]

    def __len__(self) -> int:
        return len(self._texts)


class _Part:
    """The rows of one table, as the decoder would give them."""

    def __init__(self, table: "pa.Table", names: _Names) -> None:
        self._table = table.unify_dictionaries().combine_chunks()
        self.traces = words_of(table["TraceId"], -1)
        self._numbers: dict[str, NDArray[Any]] = {
            name: np.array([names.number(text) for text in self._dictionary(name)], np.int32)
            for name in _TEXTS
        }
        self._numbers["SpanKind"] = np.array([KINDS.index(t) for t in self._dictionary("SpanKind")], np.uint8)
        self._numbers["StatusCode"] = np.array(
            [STATUSES.index(t) for t in self._dictionary("StatusCode")], np.uint8
        )

    def rows_between(self, first: np.uint64, last: np.uint64) -> tuple[int, int]:
        """The rows of the traces from one to another."""
        ends = np.searchsorted(self.traces, first, "left"), np.searchsorted(self.traces, last, "right")
        return int(ends[0]), int(ends[1])

    def decoded(self, start: int, stop: int) -> Decoded:
        """Some rows as a body, each with a resource of its own; what settling does not ask for is 0."""
        read = _Reading(self._table.slice(start, stop - start), self._numbers)
        nothing = np.zeros(stop - start, np.int32)
        begun = read.values("Timestamp", np.int64)
        spans = Spans(
            trace_hi=np.zeros(stop - start, np.uint64),
            trace_lo=self.traces[start:stop],
            span_id=words_of(read.table["SpanId"]),
            parent_id=words_of(read.table["ParentSpanId"]),
            start=begun,
            end=begun + read.values("Duration", np.int64),
            kind=read.codes("SpanKind"),
            status=read.codes("StatusCode"),
            resource=np.arange(stop - start, dtype=np.int32),
            scope=nothing,
            name=nothing,
            **{word: read.codes(name) for name, word in _WORDS.items()},
            server_port=read.values("ServerPort", np.int32),
            http_status=read.values("HttpStatusCode", np.int32),
            peer_port=read.values("PeerPort", np.int32),
            message_count=read.values("MessageCount", np.int32),
            caller_stale=np.zeros(stop - start, np.uint8),
            offset=nothing,
            length=nothing,
        )
        resources = Resources(
            service=read.codes("ServiceName"),
            instance=read.codes("ServiceInstanceId"),
            namespace=read.codes("ServiceNamespace"),
            environment=read.codes("DeploymentEnvironment"),
            version=nothing,
            host=read.codes("HostName"),
            pid=read.values("ProcessPid", np.int32),
            offset=nothing,
            length=nothing,
            schema=nothing,
        )
        return Decoded(spans, resources, Scopes(nothing, nothing, nothing), ())

    def _dictionary(self, name: str) -> list[str]:
        chunks = self._table[name].chunks
        texts: list[str] = chunks[0].dictionary.to_pylist() if chunks else []
        return texts


class _Reading(NamedTuple):
    """Columns of some rows as fresh arrays."""

    table: "pa.Table"
    numbers: dict[str, NDArray[Any]]

    def values(self, name: str, kind: type[np.generic]) -> NDArray[Any]:
        """A column of numbers."""
        column = self.table[name]
        column = column.cast(pa.int64()) if name == "Timestamp" else column
        numbers: NDArray[Any] = column.to_numpy().astype(kind)
        return numbers

    def codes(self, name: str) -> NDArray[Any]:
        """A column of texts, by number."""
        numbers: NDArray[Any] = self.numbers[name][self.table[name].combine_chunks().indices.to_numpy()]
        return numbers


class _Settling:
    """One settling: names, nodes and edges of its own, so that it shares nothing with other threads."""

    def __init__(self, own: "pa.Table", older: "Sequence[pa.Table]") -> None:
        names, self._nodes = _Names(), NodeTable()
        self._classifier = Classifier(names, self._nodes)
        self._own = _Part(own, names)
        self._older = [_Part(table, names) for table in older]
        self._edges = ce.make_edges()
        self._counting = Counting(self._edges)
        self._pairing = Pairing(self._classifier.owners, min(2 * _STEP, len(self._own.traces)))
        self._cells: list[ce.Cells] = []

    def kept(self) -> Kept:
        for start, stop in _steps(self._own.traces):
            self._step(start, stop)
        return kept_of(ce.total(self._cells), self._edges.ends_of, self._nodes.node)

    def _step(self, start: int, stop: int) -> None:
        """Settle the traces in some rows, which are all of the file's."""
        traces = self._own.traces
        older = [(part, *part.rows_between(traces[start], traces[stop - 1])) for part in self._older]
        pairing = self._pairing_for(stop - start + sum(b - a for _, a, b in older))
        for part, a, b in older:
            let_go(pairing.take(self._classify(part, a, b).batch, 0, 0))
        let_go(chain(pairing.settle(), pairing.flush()))
        seen = self._classify(self._own, start, stop)
        found = [ce.of_presence(*presence(seen), self._edges)]
        for rows in chain(pairing.take(seen.batch, 0, 0), pairing.settle(), pairing.flush()):
            found += self._counting.of_rows(rows)
        self._cells.append(ce.total(found))

    def _classify(self, part: _Part, start: int, stop: int) -> Classified:
        return self._classifier.classify(part.decoded(start, stop))

    def _pairing_for(self, rows: int) -> Pairing:
        """An empty pairing table for as many rows."""
        if rows > self._pairing.capacity:
            return Pairing(self._classifier.owners, min(rows, _LARGEST))
        self._pairing.clear()
        return self._pairing


def _steps(traces: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Ranges of about _STEP rows, which divide no trace."""
    start = 0
    while start < len(traces):
        last: np.uint64 = traces[min(start + _STEP, len(traces)) - 1]
        stop = int(np.searchsorted(traces, last, "right"))
        yield start, stop
        start = stop
