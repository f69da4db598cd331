"""Everything that follows from the log: tables of spans, pairing and rollups, and the questions that they answer.

One thread applies batches and lets time pass; any thread may ask. A question holds the lock only while it
copies sums out; what is made of them is made outside. Replay after a restart goes through the same
`apply`, so what is derived does not depend on whether the collector was restarted; `starting.py` says how it
takes up what sealed files hold.

**Cuts.** When the log has gone on to another file, the old one is cut off: its spans and what it added to the
rollups go to the sealer. A file with spans that may be judged without a relative is ended when it is a minute old
(`graph/repairs.py`), so that late truth is in the graph soon.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from weft_collector.graph import stats
from weft_collector.graph.calls import CallTable, call_table
from weft_collector.graph.cells import standing
from weft_collector.graph.classify import Classifier, presence
from weft_collector.graph.edge_counts import DEFAULT_PLACES, EdgeCountTable
from weft_collector.graph.nodes import DEFAULT_CAPACITY as DEFAULT_NODES
from weft_collector.graph.nodes import Node, NodeTable
from weft_collector.graph.pairing import DEFAULT_CAPACITY as DEFAULT_ENTRIES
from weft_collector.graph.pairing import Pairing, Rows
from weft_collector.graph.repairs import Repairs
from weft_collector.graph.rollup import DEFAULT_BOUNDS, Bounds, Rollup
from weft_collector.graph.rollup_file import Kept
from weft_collector.graph.runs import added_up
from weft_collector.graph.snapshot import MINUTE_NS, Exactness, GraphSnapshot, Window
from weft_collector.graph.table import GraphTable
from weft_collector.sealing import Cut, Sealer
from weft_collector.starting import (
    Rewarming,
    first_to_read,
    last_sealed,
    latest_unread,
    load_counts,
    load_rollups,
)
from weft_collector.store.head import DEFAULT_SPANS, Head
from weft_collector.store.held import HeldTables
from weft_collector.store.ports import Position, SpanLog
from weft_collector.store.span_tables import SpanTables
from weft_collector.store.unsealed import Unsealed
from weft_collector.telemetry import Telemetry
from weft_collector.wire.columns import Decoded
from weft_collector.wire.edge_counts import EdgeCounts
from weft_collector.wire.otlp_protobuf import Decoder

__all__ = ["DeriveOptions", "Derived"]

_KEPT_TABLES = 32
_KEPT_EDGES = 1 << 18
"""Edges of the graphs that are remembered together, some 200 bytes each."""
_CUT_PLACES = 1 << 22
"""Edge counts, in places of 8 bytes, after which the log goes on to a new file: they wait in memory until then."""


@dataclass(frozen=True, slots=True)
class DeriveOptions:
    """Bounds of the derived state.

    Attributes:
        pairing_entries: Spans in the pairing table, about 90 bytes each; rounded up to a power of two.
        head_spans: Spans in the head, 22 bytes each.
        nodes: Distinct nodes beside the fixed ones; later ones become `other`.
        rollup: Of the rollups.
        segment_spans: Spans after which the log goes on to a new file, whatever its size.
        count_places: Edge counts, in places of 8 bytes.
        seed: Of the pairing table's hash; draw it at random wherever senders are not trusted.
    """

    pairing_entries: int = DEFAULT_ENTRIES
    head_spans: int = DEFAULT_SPANS
    nodes: int = DEFAULT_NODES
    rollup: Bounds = DEFAULT_BOUNDS
    segment_spans: int = 1 << 20
    count_places: int = DEFAULT_PLACES
    seed: int = 0


class Derived:
    """The derived state of one collector.

    Args:
        log: Where the bytes of traces are read from.
        decoder: The one that decodes what is applied; its texts are the names.
        telemetry: Where drops, duplicates and evictions are counted.
        sealer: Takes what is cut off.
        options: Bounds.

    Attributes:
        through: The last log file whose spans are sealed.
        counts: What agents counted before sampling.
    """

    def __init__(
        self,
        log: SpanLog,
        decoder: Decoder,
        telemetry: Telemetry,
        sealer: Sealer,
        options: DeriveOptions | None = None,
    ) -> None:
        chosen = options or DeriveOptions()
        self.through = sealer.catalog.manifest.through
        self._sealer = sealer
        self._unsealed = Unsealed()
        self._held = HeldTables(decoder.strings, log)
        self._file = self._arrived_ns = 0
        self._segment_spans = chosen.segment_spans
        self._log = log
        self._decoder = decoder
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._nodes = NodeTable(chosen.nodes)
        self._classifier = Classifier(decoder.strings, self._nodes)
        self._head = Head(telemetry, chosen.head_spans)
        self._pairing = Pairing(self._classifier.owners, chosen.pairing_entries, chosen.seed)
        self._rollup = Rollup(chosen.rollup)
        self._rewarming = Rewarming(self._classifier, self._head, self._pairing)
        self.counts = EdgeCountTable(chosen.count_places)
        self._repairs = Repairs(self._pairing)
        self._settled = last_sealed(sealer.catalog.manifest)
        self._version = 0
        self._tables: dict[tuple[Window, bool], GraphTable] = {}
        self._counted: dict[tuple[str, str], int] = {}

    # ---- changing, by one thread

    def apply(self, decoded: Decoded, record_position: Position, arrived_ns: int) -> None:
        """Take in a body's spans.

        Args:
            decoded: The body, decoded by this object's decoder.
            record_position: Where the log keeps it.
            arrived_ns: When it arrived, ns since the epoch.
        """
        self._go_to(record_position.file)
        if record_position.file <= self.through:
            with self._lock:
                self._rewarming.take(decoded, arrived_ns)
            return
        with self._lock:
            seen = self._classifier.classify(decoded)
            first = self._head.append(decoded.spans)
            self._unsealed.append(decoded, record_position)
            self._repairs.begin(record_position.file, arrived_ns)
            self._book(self._pairing.take(seen.batch, first, arrived_ns))
            self._repairs.note(record_position.file)
            self._rollup.see(*presence(seen))
            self._book(self._pairing.age(arrived_ns))
            self._version += bool(len(seen.batch))
        self._arrived_ns = arrived_ns
        if self._unsealed.rows(record_position.file) >= self._segment_spans:
            self._log.roll(record_position.file)
        self._telemetry.count("caller_stale", amount=int(np.count_nonzero(decoded.spans.caller_stale)))
        self._count()

    def apply_counts(self, counted: EdgeCounts, record_position: Position, arrived_ns: int) -> None:
        """Take in a body's edge counts; see `apply`."""
        self._go_to(record_position.file)
        if record_position.file <= self.through:
            return
        self.counts.add(counted.points)
        self._arrived_ns = arrived_ns
        if self.counts.waiting >= _CUT_PLACES:
            self._log.roll(record_position.file)
        self._count()

    def age(self, now_ns: int) -> None:
        """Let caller-side spans that arrived 30 s ago stand as calls to their peers; end a log file that needs it."""
        if 0 < self._file <= self.through:
            return  # what waits in sealed files is booked as such a call already
        with self._lock:
            self._book_all(self._pairing.age(now_ns))
            overdue = self._repairs.overdue(now_ns)
        if overdue:
            self._log.roll(overdue)
        self._count()

    def settle(self) -> None:
        """Let all caller-side spans stand at once; from here on the graph is that of docs/graph-rules.md."""
        with self._lock:
            self._book_all(self._pairing.settle())
        self._count()

    def resume(self) -> int:
        """Load what is known of sealed files, before the log is read again; the first log file to read."""
        catalog = self._sealer.catalog
        self._sealer.sweep()
        load_rollups(catalog, self._rollup, self._nodes)
        load_counts(catalog, self.counts)
        self._version += 1
        first = first_to_read(catalog.manifest)
        self._pairing.miss(latest_unread(catalog.manifest, first))
        return first

    def resumed(self) -> None:
        """The log has been read to its end; nothing is added to its files any more."""
        self._go_to(self._file + 1 if self._file else 0)

    def settle_segments(self) -> None:
        """Wait until everything that was cut off is sealed."""
        self._sealer.settle()

    def stop(self) -> None:
        """Nothing will be applied any more: end the sealer."""
        self._sealer.stop()

    def _go_to(self, number: int) -> None:
        """Go on with the records of a log file; the one before it is at its end, if it is another."""
        before, self._file = self._file, number
        if not before < number or not before:
            return
        if before > self.through:
            self._sealer.take(self._cut(before))
        elif number > self.through:
            self._rewarming.end()

    def _cut(self, number: int) -> Cut:
        with self._lock:
            self._book(self._pairing.flush())
            parts = self._rollup.cut(self._pairing.foretell())
        pieces = [piece.rows() for piece in self._unsealed.pieces if piece.number == number]

        arrived_ns = self._arrived_ns

        def done(adds: Kept) -> None:
            with self._lock:
                self._rollup.replace(parts, adds.cells, self._nodes.pairs(adds.edges))
                self._repairs.sealed(number)
                self._settled = Exactness(number, arrived_ns)
                self._version += 1
            self._unsealed.forget(number)

        return Cut(number, pieces, self._decoder.strings, self.counts.cut(), arrived_ns, done)

    def _book(self, blocks: Iterable[Rows]) -> int:
        """Add blocks of rows to the rollups; how many rows they were."""
        count = 0
        for rows in blocks:
            self._rollup.add(rows)
            count += len(rows)
        return count

    def _book_all(self, blocks: Iterable[Rows]) -> None:
        """Book what has gathered and what comes; if anything comes, the graph is another."""
        gathered = self._pairing.gathered
        self._version += self._book(chain(blocks, self._pairing.flush())) > gathered

    # ---- asking, from any thread

    @property
    def version(self) -> int:
        """Grows with every change of the graph, and of what is known of its exactness."""
        return self._version

    @property
    def exactness(self) -> Exactness:
        """How far the graph is exact."""
        with self._lock:
            return self._settled._replace(repairs_pending=self._repairs.pending)

    def snapshot(self, window: Window, *, unknown: bool = False) -> GraphSnapshot:
        """The values of `table`."""
        return self.table(window, unknown=unknown).values

    def table(self, window: Window, *, unknown: bool = False) -> GraphTable:
        """The graph of a window; with `unknown` also the calls of which nobody knows the caller.

        Its window is the one asked for, widened outward where no minutes are held any more.
        """
        with self._lock:
            version = self._version
            known = self._tables.get((window, unknown))
            if known and known.version == version:
                return known
            self._book(self._pairing.flush())
            effective = self._rollup.effective(window)
            runs = self._rollup.runs(effective)
            exactness = self._settled._replace(repairs_pending=self._repairs.pending)
        cells = standing(added_up(runs))
        source = stats.Source(effective, version, cells, self._rollup.ends, self._nodes.node, exactness)
        made = stats.graph_table(source, unknown=unknown)
        self._keep((window, unknown), made)
        return made

    def _keep(self, asked: tuple[Window, bool], table: GraphTable) -> None:
        """Remember a graph, and forget those of other versions, or all others if they are many."""
        with self._lock:
            kept = {key: t for key, t in self._tables.items() if t.version == table.version}
            if len(kept) >= _KEPT_TABLES or sum(len(t.caller) for t in kept.values()) > _KEPT_EDGES:
                kept.clear()
            self._tables = kept | {asked: table}

    def calls(self, window: Window) -> CallTable:
        """The calls of a window whose spans are still in the pairing table, one row each, by start."""
        with self._lock:
            booked = self._pairing.booked(window.start_minute * MINUTE_NS, window.end_minute * MINUTE_NS)
        return call_table(booked, self._head)

    @property
    def sealed_spans(self) -> int:
        """How many spans of sealed files were taken in, duplicates included."""
        return sum(part.rows + part.duplicates for part in self._sealer.catalog.manifest.sealed)

    def tables(self) -> SpanTables:
        """All spans that are held, as tables in the order of the log."""
        pieces = (
            self._unsealed.pieces
        )  # before the segments: what is sealed meanwhile is in both, not in none
        return self._held.of(pieces, self._sealer.catalog.published)

    def node(self, number: int) -> Node:
        """The node that `CallTable` and the head mean by a number."""
        return self._nodes.node(number)

    def text(self, number: int) -> str:
        """The text that `CallTable` and the head mean by a text id."""
        return self._decoder.strings.text(number)

    def instance(self, number: int) -> str:
        """The instance that `CallTable` and the head mean by a number; empty for 0 and less."""
        return self._classifier.instance(number)

    # ---- counting

    def _count(self) -> None:
        """Pass on what the parts have counted since the last time."""
        for (name, reason), value in self._totals().items():
            before = self._counted.get((name, reason), 0)
            self._telemetry.count(name, reason, value - before)
            self._counted[name, reason] = value

    def _totals(self) -> dict[tuple[str, str], int]:
        pairing = self._pairing.counters()
        return {
            ("pairing_duplicates", "same"): pairing["duplicates"],
            ("pairing_duplicates", "conflicting"): pairing["conflicting"],
            ("pairing_evicted", "waiting"): pairing["evicted_waiting"],
            ("pairing_evicted", "decided"): pairing["evicted"] - pairing["evicted_waiting"],
            ("pairing_withdrawn", ""): pairing["withdrawn"],
            ("pairing_unresolved", "crowded_id"): pairing["crowded"],
            ("caller_mismatch", ""): pairing["mismatches"],
            ("nodes_overflowed", "nodes"): self._nodes.refused,
            ("nodes_overflowed", "edges"): self._rollup.refused_edges,
            ("strings_overflowed", ""): self._decoder.strings.overflowed,
            **self._rollup.let_go,
            ("edge_points_left_out", "duplicate"): self.counts.duplicates,
            ("edge_points_left_out", "late"): self.counts.late,
            ("edge_points_left_out", "crowded"): self.counts.crowded,
            ("edge_minutes_dropped", ""): self.counts.dropped_minutes,
        }
