"""Checking a data folder: is what is derived what a fresh derivation from the log makes?

The log is read once from its beginning, through the same functions as ever; but the cuts go to a sealer that makes
each segment anew, in memory, and compares. Texts are compared as texts, since their numbers are those of a
process. Edge counts are compared as sums over all log files.

Not compared, and said so: log files that have traces in common with one that is gone now.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from weft_collector.errors import CorruptLog
from weft_collector.graph import cells as ce
from weft_collector.graph import rollup_file
from weft_collector.graph.edge_count_file import read_addition
from weft_collector.graph.edge_rows import Addition, summed
from weft_collector.graph.rollup_file import Kept, joined
from weft_collector.sealing import Cut, Sealer, build, settle
from weft_collector.store.manifest import Sealed, counts_name, index_name, rollup_name, spans_name
from weft_collector.store.segment_build import Built
from weft_collector.store.segment_index import IndexFile

__all__ = ["Checker", "Findings"]

_OF_A_PROCESS = frozenset({"spans", "summary"})  # sections that depend on the order of texts in a process


@dataclass(slots=True)
class Findings:
    """What a check has found.

    Attributes:
        segments: How many were compared.
        spans: How many spans they hold.
        passed_over: Log files whose segments cannot be compared.
        wrong: What is damaged or different, one line each.
    """

    segments: int = 0
    spans: int = 0
    passed_over: list[int] = field(default_factory=list[int])
    wrong: list[str] = field(default_factory=list[str])


class Checker(Sealer):
    """Compares cuts with what is there, instead of keeping them; see Sealer for the arguments.

    Attributes:
        findings: What was found so far.
        progress: Is told of each log file that was compared.
    """

    findings: Findings
    progress: Callable[[int], None]

    def begin(self, progress: Callable[[int], None]) -> None:
        """Get ready, and check that every segment is as it was written."""
        self.findings, self.progress = Findings(), progress
        self._fresh_counts: list[Addition] = []
        for segment in self.catalog.segments:
            name = spans_name(segment.number)
            if zlib.crc32(self.catalog.read(name)).to_bytes(4, "little") != bytes(
                segment.index.section("spans")
            ):
                self._wrong(f"{name}: its checksum is wrong")
            for section in segment.index.damaged():
                self._wrong(f"{index_name(segment.number)}: the section {section} is damaged")

    def gone_counts(self) -> Addition:
        """The edge counts of log files that are gone: points of these that came again changed nothing."""
        manifest = self.catalog.manifest
        gone = replace(manifest, sealed=tuple(part for part in manifest.sealed if part.gone))
        return summed([read_addition(self.catalog.read(name)) for name in gone.counts])

    def take(self, cut: Cut) -> None:
        """Compare a cut."""
        known = {part.number: part for part in self.catalog.manifest.sealed}.get(cut.number)
        if known is None:
            return  # not sealed yet
        self._fresh_counts.append(cut.counts)
        try:
            built = build(cut, self.catalog, self._log)
            if built is not None:
                self._compare(known, built)
        except CorruptLog as error:
            self._wrong(f"{spans_name(cut.number)}: cannot be compared: {error}")
        self.progress(cut.number)
        cut.done(rollup_file.NOTHING)

    def end(self) -> Findings:
        """Compare the edge counts; all that was found."""
        self._compare_counts([part.number for part in self.catalog.manifest.sealed if not part.gone])
        return self.findings

    def _compare_counts(self, live: list[int]) -> None:
        names = self.catalog.manifest.names().intersection(map(counts_name, live))
        kept = summed([read_addition(self.catalog.read(name)) for name in names])
        fresh = summed(self._fresh_counts)
        negative = fresh.counts._replace(value=-fresh.counts.value)
        cells = len(summed([kept, fresh._replace(counts=negative)]).counts.value)
        points = len(np.setxor1d(kept.key, fresh.key))
        if cells or points:
            self._wrong(f"edge counts: {cells} counters and {points} points differ from a fresh derivation")

    def _compare(self, known: Sealed, built: Built) -> None:
        present = {part.number for part in self.catalog.manifest.sealed if not part.gone}
        if not set(known.oldest) <= present:
            self.findings.passed_over.append(known.number)
            return
        self.findings.segments += 1
        self.findings.spans += known.rows
        if known.rows != built.rows:
            self._wrong(f"{spans_name(known.number)}: {known.rows} spans, and {built.rows} in the log")
        elif built.rows:
            self._compare_files(known.number, built)
            self._compare_rollup(known.number, built)

    def _compare_files(self, number: int, built: Built) -> None:
        name = spans_name(number)
        try:
            there = parquet.ParquetFile(
                pa.BufferReader(pa.py_buffer(self.catalog.read(name))), page_checksum_verification=True
            ).read()
            fresh = parquet.read_table(pa.BufferReader(pa.py_buffer(built.spans)))
            if not _plain(there).equals(_plain(fresh)):
                self._wrong(f"{name}: other spans than the log has")
        except (OSError, pa.ArrowException) as error:
            self._wrong(f"{name}: {error}")
        self._compare_index(number, built)

    def _compare_rollup(self, number: int, built: Built) -> None:
        there = rollup_file.read_cells(self.catalog.read(rollup_name(number)))
        differing = _differing(there, settle(built, self.catalog).adds)
        if differing:
            self._wrong(f"{rollup_name(number)}: {differing} counters differ from a fresh derivation")

    def _compare_index(self, number: int, built: Built) -> None:
        name = index_name(number)
        there, fresh = IndexFile(self.catalog.read(name), name), IndexFile(memoryview(built.lookup), name)
        for section in fresh.names:
            if section not in _OF_A_PROCESS and there.section(section) != fresh.section(section):
                self._wrong(f"{name}: the section {section} is another than a fresh derivation makes")

    def _wrong(self, text: str) -> None:
        self.findings.wrong.append(text)


def _plain(table: pa.Table) -> pa.Table:
    """The table with texts instead of dictionaries."""
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        columns[name] = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    return pa.table(columns)


def _differing(left: Kept, right: Kept) -> int:
    """How many counters have another value."""
    negative = Kept(ce.Cells(right.cells.code, -right.cells.value), right.edges)
    return len(joined([left, negative]).cells.code)
