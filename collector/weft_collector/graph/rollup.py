"""Sums of calls by minute and edge, corrected by signed rows at any time.

Each minute is a few runs of sorted cells, the longest first, each at least twice as long as the next: an
update is a new run, and runs that have become too alike are merged (a log-structured merge tree in two
arrays). So a minute that is busy now and one of last week are updated in the same way, an update costs its
own length times a logarithm, and a minute at rest takes eight bytes for each counter that is not 0.

Refused: dense histograms (eight kilobytes for each edge and minute, nearly all zeros), and sealing a
minute (then a late span would make the graph wrong for good).

Bounded in counters; when there are too many the oldest minute goes, and rows for minutes that old are
counted and left out from then on. Not thread-safe: `Derived` holds its lock.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import cells as ce
from weft_collector.graph.counting import Counting
from weft_collector.graph.snapshot import Window
from weft_collector.kernel import ZERO, kernel

DEFAULT_CELLS = 32 << 20
MINUTE_COST = 64
"""Counters that a minute counts for beside its own: its arrays have a size even when they hold little."""

_KEPT_SEEN = 1 << 14
_UNMERGED = 256  # parts of a cut that are kept one by one
_SMALL = 1 << 22  # places of an array that costs next to nothing


class _Run(NamedTuple):
    """Sorted cells of one minute, in half the bytes of `Cells`."""

    code: NDArray[np.uint32]
    value: NDArray[np.int32]


@kernel
def _merge(one: _Run, other: _Run, code: NDArray[np.uint32], value: NDArray[np.int32]) -> int:
    """Two runs in one; sums of 0 are left out. The length of the result."""
    a, b, n = ZERO, ZERO, ZERO
    while a < one.code.shape[0] or b < other.code.shape[0]:
        if b == other.code.shape[0] or (a < one.code.shape[0] and one.code[a] < other.code[b]):
            code[n], value[n] = one.code[a], one.value[a]
            a += 1
        elif a == one.code.shape[0] or other.code[b] < one.code[a]:
            code[n], value[n] = other.code[b], other.value[b]
            b += 1
        else:
            code[n], value[n] = one.code[a], one.value[a] + other.value[b]
            a += 1
            b += 1
        n += int(value[n] != 0)
    return n


def _merged(one: _Run, other: _Run) -> _Run:
    length = len(one.code) + len(other.code)
    code, value = np.empty(length, np.uint32), np.empty(length, np.int32)
    length = _merge(one, other, code, value)
    return _Run(code[:length].copy(), value[:length].copy())


def _added_up(runs: list[_Run], size: int) -> ce.Cells:
    """The sum of runs, by way of an array that has a place for every code."""
    totals = np.zeros(size, np.int64)
    for run in runs:
        totals[run.code] += run.value
    code = np.flatnonzero(totals)
    return ce.Cells(code, totals[code])


def _sorted_up(runs: list[_Run]) -> ce.Cells:
    """The sum of runs whose codes are few and far between."""
    code = np.concatenate([run.code for run in runs]).astype(np.int64)
    count = np.concatenate([run.value for run in runs])
    packed = np.sort(code << 32 | count)  # counts of whole minutes are never negative
    return ce.summed(packed >> 32, packed & 0xFFFFFFFF)


class _Minute:
    """The cells of one minute."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    @property
    def cells(self) -> int:
        return MINUTE_COST + sum(len(run.code) for run in self._runs)

    def add(self, run: _Run) -> None:
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2].code) < 2 * len(self._runs[-1].code):
            self._runs[-2:] = [_merged(*self._runs[-2:])]

    def total(self) -> _Run:
        while len(self._runs) > 1:
            self._runs[-2:] = [_merged(*self._runs[-2:])]
        return self._runs[0]


class Rollup:
    """Minutes of cells.

    Args:
        cells: How many counters are held at most; each takes 8 bytes.
        edges: How many distinct edges are told apart, a power of two; more become `other -> other`.
    """

    def __init__(self, cells: int = DEFAULT_CELLS, edges: int = ce.MAX_EDGES) -> None:
        self._capacity = cells
        self._edges = ce.make_edges(edges)
        self._counting = Counting(self._edges)
        self._minutes: dict[int, _Minute] = {}
        self._seen: set[tuple[int, int]] = set()  # spares most of the work; forgetting costs nothing else
        self._oldest: list[int] = []  # a heap of the minutes that are held
        self._floor = 0
        self._since: list[ce.Cells] = []  # added since the last cut
        self._foretold: list[ce.Cells] = []  # what the last cut added beyond that
        self.cells = 0
        self.dropped_minutes = 0
        self.dropped_cells = 0

    @property
    def refused_edges(self) -> int:
        """How many rows were counted under `other -> other` because there are too many edges."""
        return self._edges.refused

    def add(self, rows: NDArray[np.void]) -> None:
        """Add signed call rows (pairing_table.ROW)."""
        for cells in self._counting.of_rows(rows):
            self._note(cells)

    def load(self, cells: ce.Cells, ends: NDArray[np.uint32]) -> None:
        """Add cells that were kept in a file.

        Args:
            cells: Their edges are places in `ends`.
            ends: caller << 16 | callee, by node numbers of this process.
        """
        self._add(ce.total([ce.renumbered(cells, self._numbers_of(ends))]))

    def cut(self, foretold: Iterable[NDArray[np.void]]) -> list[ce.Cells]:
        """What was added since the last cut, as parts of a sum.

        Args:
            foretold: Rows for what waits, as `Pairing.foretell` gives them. The sum of all cuts is the rollup as
                it would be if nothing waited: that is what a process finds that starts with an empty table.
        """
        now = [cells for rows in foretold for cells in self._counting.of_rows(rows)]
        before = [ce.Cells(cells.code, -cells.value) for cells in self._foretold]
        parts = [*self._since, *now, *before]
        self._since, self._foretold = [], now
        return parts

    def replace(self, parts: Sequence[ce.Cells], cells: ce.Cells, ends: NDArray[np.uint32]) -> bool:
        """Put what a log file adds in the place of its cut; whether that changes anything.

        Args:
            parts: What `cut` gave.
            cells: See `load`.
            ends: See `load`.
        """
        before = [ce.Cells(part.code, -part.value) for part in parts]
        change = ce.total([ce.renumbered(cells, self._numbers_of(ends)), *before])
        self._add(change)
        return bool(len(change.code))

    def see(self, minutes: NDArray[np.int64], nodes: NDArray[np.int32]) -> None:
        """Note that nodes had spans in minutes, pair by pair."""
        pairs = zip(minutes.tolist(), nodes.tolist(), strict=True)
        new = [at for at, pair in enumerate(pairs) if pair not in self._seen]
        if new:
            self._note(ce.of_presence(minutes[new], nodes[new], self._edges))
            kept = self._seen if len(self._seen) + len(new) <= _KEPT_SEEN else set[tuple[int, int]]()
            self._seen = kept.union(zip(minutes[new].tolist(), nodes[new].tolist(), strict=True))

    def window(self, window: Window) -> ce.Cells:
        """The cells of all minutes of a window added up; their codes are edge << CELL_BITS | cell."""
        runs = [minute.total() for minute in self._within(window)]
        highest = max((int(run.code[-1]) for run in runs if len(run.code)), default=0)
        dense = highest < max(_SMALL, 4 * sum(len(run.code) for run in runs))
        return _added_up(runs, highest + 1) if dense else _sorted_up(runs)

    def ends(self, edges: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Node numbers of the callers and of the callees of edges."""
        return self._edges.ends_of(edges)

    def _numbers_of(self, ends: NDArray[np.uint32]) -> list[int]:
        numbers = np.empty(len(ends), np.int32)
        ce.encode(ends, self._edges, numbers)
        return numbers.tolist()

    def _within(self, window: Window) -> Iterator[_Minute]:
        first, last = window
        if last - first < len(self._minutes):
            return (self._minutes[m] for m in range(first, last) if m in self._minutes)
        return (minute for m, minute in self._minutes.items() if first <= m < last)

    def _note(self, cells: ce.Cells) -> None:
        """Add cells, and remember them for the next cut."""
        self._since.append(cells)
        if len(self._since) >= _UNMERGED:
            self._since = [ce.total(self._since)]
        self._add(cells)

    def _add(self, cells: ce.Cells) -> None:
        """Take cells over, minute by minute."""
        minutes = cells.code >> ce.MINUTE_SHIFT
        bounds = [0, *(np.flatnonzero(np.diff(minutes)) + 1).tolist(), len(minutes)]
        codes = (cells.code & ((1 << ce.MINUTE_SHIFT) - 1)).astype(np.uint32)
        counts = cells.value.astype(np.int32)
        for a, b in pairwise(bounds):
            if a < b:
                self._add_to(int(minutes[a]), _Run(codes[a:b].copy(), counts[a:b].copy()))
        while self.cells > self._capacity and self._oldest:
            self._drop_oldest()

    def _add_to(self, minute: int, run: _Run) -> None:
        if minute < self._floor:
            self.dropped_cells += len(run.code)
            return
        held = self._minutes.get(minute)
        if held is None:
            held = self._minutes[minute] = _Minute()
            heapq.heappush(self._oldest, minute)
            self.cells += held.cells
        before = held.cells
        held.add(run)
        self.cells += held.cells - before

    def _drop_oldest(self) -> None:
        minute = heapq.heappop(self._oldest)
        self.cells -= self._minutes.pop(minute).cells
        self._floor = minute + 1
        self.dropped_minutes += 1
