"""Sealing: what a finished log file becomes, in the background.

The thread that derives hands over a *cut* whenever the log has gone on to a new file: the spans of the old one. One
thread, `weft-sealer`, takes the cuts in order: it makes the segment, settles what the file adds to the rollups
(`graph/settling.py`), makes both durable, and names them in the manifest, in one step. Only then the spans leave
memory. Between any two of these a crash costs nothing: the log file is read again at the next start.

Two cuts wait at most. Then the writer waits too, its queue fills up, and senders are told to come back: memory is
bounded however slow the disk is. A failing disk, or an older segment that is damaged, is tried again every few
seconds; meanwhile everything stays readable from memory.

After each cut retention is looked at: while the folder is larger than its limit, or the oldest log file older
than its, the oldest goes: first out of the manifest, then its segment, then its log file. What it added to the
rollups and the edge counts stays; those of 64 files that are gone become one.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, NamedTuple

from weft_collector.errors import CorruptLog
from weft_collector.graph import edge_count_file, rollup_file, settling
from weft_collector.graph.edge_count_file import read_addition, write_addition
from weft_collector.graph.edge_counts import DEFAULT_PLACES
from weft_collector.graph.edge_rows import Addition, newest, summed
from weft_collector.graph.freezing import frozen
from weft_collector.graph.rollup import DEFAULT_BOUNDS, Bounds
from weft_collector.graph.rollup_file import NOTHING, Kept
from weft_collector.store import segment_index, span_schema
from weft_collector.store.catalog import Catalog
from weft_collector.store.manifest import (
    Schemas,
    Sealed,
    counts_name,
    frozen_counts_name,
    frozen_name,
    index_name,
    rollup_name,
    spans_name,
)
from weft_collector.store.ports import SpanLog
from weft_collector.store.relatives import relatives_of
from weft_collector.store.segment_build import Built, build_segment
from weft_collector.store.span_columns import Texts
from weft_collector.store.unsealed import SpanRows
from weft_collector.telemetry import Telemetry

__all__ = ["SCHEMAS", "Cut", "Limits", "Sealer", "Settling", "build", "settle"]

SCHEMAS: Final = Schemas(
    span_schema.VERSION, segment_index.VERSION, rollup_file.VERSION, edge_count_file.VERSION
)
_WAITING: Final = 2
_RETRY_SECONDS: Final = 5.0
_FROZEN_TOGETHER: Final = 64


class Cut(NamedTuple):
    """What a log file held.

    Attributes:
        number: Of the log file.
        parts: Its spans, in the order of the log; empty if it had none.
        texts: The texts behind their ids.
        counts: What it added to the edge counts.
        arrived_ns: Arrival of its last record.
        done: Is called once the spans can leave memory, with what the file adds to the rollups.
    """

    number: int
    parts: Sequence[SpanRows]
    texts: Texts
    counts: Addition
    arrived_ns: int
    done: Callable[[Kept], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """When whole log files go, oldest first; the newest two stay.

    Attributes:
        size_bytes: Bytes of log and segments together; rollups are small and stay longer.
        age_ns: Time since the arrival of a file's last record.
        clock_ns: The time, ns since the epoch.
        frozen: Of the rollups of files that are gone.
        count_places: Edge counts that outlive their log files, in places of 8 bytes: as many as a table takes.
    """

    size_bytes: int
    age_ns: int
    clock_ns: Callable[[], int]
    frozen: Bounds = DEFAULT_BOUNDS
    count_places: int = DEFAULT_PLACES


def build(cut: Cut, catalog: Catalog, log: SpanLog) -> Built | None:
    """The segment of a cut; None if it has no spans."""
    if not cut.parts:
        return None
    older = [segment for segment in catalog.segments if segment.number < cut.number]
    return build_segment(SpanRows.joined(cut.parts), log.blocks(cut.number), cut.texts, older)


class Settling(NamedTuple):
    """What a log file adds to the graph.

    Attributes:
        adds: To the rollups.
        apart: By reason, how many traces were judged without their older spans.
    """

    adds: Kept
    apart: Mapping[str, int] = MappingProxyType({})


def settle(built: Built, catalog: Catalog) -> Settling:
    """What a segment adds to the graph that its older ones make."""
    gone_through = catalog.manifest.gone_through
    older = relatives_of(catalog.segments, built.relatives, built.elders, settling.COLUMNS, gone_through)
    apart = {"beyond_retention": older.gone, "too_many": older.many}
    return Settling(settling.settled(built.table, older.tables), apart)


class Sealer:
    """The thread and its queue; the thread starts with the first cut.

    Args:
        catalog: Where segments go.
        log: The log.
        telemetry: Where seals, failures and removals are counted.
        limits: Of retention.
    """

    def __init__(self, catalog: Catalog, log: SpanLog, telemetry: Telemetry, limits: Limits) -> None:
        self.catalog = catalog
        self._log, self._telemetry, self._limits = log, telemetry, limits
        self._changed = threading.Condition()
        self._cuts: deque[Cut] = deque()
        self._busy = self._ended = False
        self._thread: threading.Thread | None = None

    def take(self, cut: Cut) -> None:
        """Hand a cut over; waits while two are waiting already."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._cuts) < _WAITING or self._ended)
            self._cuts.append(cut)
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name="weft-sealer", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until everything handed over is sealed."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or not (self._cuts or self._busy))

    def stop(self) -> None:
        """End after the cut at hand; what waits is read from the log at the next start. Safe twice."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def seal(self, cut: Cut) -> None:
        """Make a cut's files durable, and show them.

        Raises:
            OSError: The disk refused; nothing is shown then.
        """
        built = build(cut, self.catalog, self._log)
        settled = settle(built, self.catalog) if built else Settling(NOTHING)
        contents: dict[str, bytes | memoryview] = {
            rollup_name(cut.number): rollup_file.write_cells(settled.adds)
        }
        if counts := write_addition(cut.counts):
            contents[counts_name(cut.number)] = counts
        if built and built.rows:
            contents |= {spans_name(cut.number): built.spans, index_name(cut.number): built.lookup}
        sizes = {name: len(content) for name, content in contents.items()}
        facts = (built.rows, built.duplicates, built.elders.files) if built else (0, 0, ())
        times = (built.earliest_ns, built.latest_ns) if built else (0, 0)
        recent = built.table.select(settling.COLUMNS) if built else None
        self.catalog.add(Sealed(cut.number, *facts, *times, cut.arrived_ns, sizes), contents, recent)
        self._telemetry.count("segments_sealed")
        self._telemetry.count("spans_left_out", "duplicate", facts[1])
        for reason, traces in settled.apart.items():
            self._telemetry.count("traces_judged_apart", reason, traces)
        cut.done(settled.adds)

    def retain(self) -> None:
        """Remove the log files that are over the limits, and put the rollups of many that are gone into one."""
        while reason := self._overdue():
            number = min(part.number for part in self.catalog.manifest.sealed if not part.gone)
            self.catalog.forget(number)
            self._log.remove(number)
            self._telemetry.count("log_files_removed", reason)
        gone = [part.number for part in self.catalog.manifest.sealed if part.gone]
        if len(gone) >= _FROZEN_TOGETHER:
            self._freeze(gone)

    def sweep(self) -> None:
        """Remove log files that the manifest has given up and a crash has left."""
        for part in self.catalog.manifest.sealed:
            if part.gone and part.number in self._log.numbers:
                self._log.remove(part.number)

    def _overdue(self) -> str | None:
        """Why the oldest log file has to go, if it has to."""
        held = [part for part in self.catalog.manifest.sealed if not part.gone]
        if len(held) < _WAITING:
            return None
        if self._log.size_bytes + self.catalog.segment_bytes > self._limits.size_bytes:
            return "size"
        return "age" if held[0].arrived_ns + self._limits.age_ns < self._limits.clock_ns() else None

    def _freeze(self, numbers: list[int]) -> None:
        """Make one file of the rollups of log files that are gone, and one of their newest edge counts."""
        through = numbers[-1]
        going = replace(
            self.catalog.manifest,
            sealed=tuple(p for p in self.catalog.manifest.sealed if p.number <= through),
        )
        rollups = (rollup_file.read_cells(self.catalog.read(name)) for name in going.rollups)
        rollup = frozen(rollups, self._limits.frozen)
        contents = {frozen_name(through): rollup_file.write_cells(rollup)}
        counts = summed([read_addition(self.catalog.read(name)) for name in going.counts])
        if written := write_addition(newest(counts, self._limits.count_places)):
            contents[frozen_counts_name(through)] = written
        self.catalog.freeze(contents, through)

    # ---- the thread

    def _run(self) -> None:
        while (cut := self._next()) is not None:
            self._attempt(cut)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _next(self) -> Cut | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._cuts or self._ended)
            if self._ended:
                return None
            self._busy = True
            return self._cuts[0]

    def _attempt(self, cut: Cut) -> None:
        try:
            self.seal(cut)
        except (OSError, CorruptLog):
            self._telemetry.count("sealing_failures")
            with self._changed:
                self._changed.wait_for(lambda: self._ended, _RETRY_SECONDS)
            return
        with self._changed:
            self._cuts.popleft()
            self._changed.notify_all()
        try:
            self.retain()
        except OSError:
            self._telemetry.count("log_failures", "remove")  # tried again after the next cut
