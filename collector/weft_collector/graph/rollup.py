"""Sums of calls by edge and minute, hour and day, corrected by signed rows at any time.

Everything is added to three levels alike (levels.py), so an hour is at every moment the sum of its minutes, whatever
comes late or is taken back. A window takes whole days out of its middle, then whole hours, then minutes at its ends:
one of any length is at most some 59 + 23 + days + 23 + 59 stretches (`_cover`).

A level lets go what is too old for it, and where there is too much, the level that is furthest beyond its share lets
go its oldest stretch. The next coarser one goes on for longer: so a window that begins or ends where no minutes are
held any more is widened outward to hours, and then to days; `effective` says to what. What the days let go is gone,
and counted.

Refused: hours that are worked out when they are asked for. The first look at a day would take as long as without
them, and a correction would have to know which hours are to be worked out anew.

Refused: dense histograms (eight kilobytes for each edge and minute, nearly all zeros), and sealing a minute (then a
late span would make the graph wrong for good).

Bounded in cells. Not thread-safe: `Derived` holds its lock.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import cells as ce
from weft_collector.graph.counting import Counting
from weft_collector.graph.levels import DAY, HOUR, Level, Measure
from weft_collector.graph.runs import Run, added_up
from weft_collector.graph.snapshot import Window

__all__ = ["CELL_BYTES", "DEFAULT_BOUNDS", "Bounds", "Rollup"]

CELL_BYTES: Final = 8
_KEPT_SEEN: Final = 1 << 14
_UNMERGED: Final = 256  # parts of a cut that are kept one by one
_SHARES: Final = (4, 3, 1)  # of the cells, in eighths: minutes, hours, days
_FOR_GOOD: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the rollups hold at most.

    Attributes:
        cells: Counters of all levels together, 8 bytes each.
        minutes: For how many minutes, back from the newest one, single minutes are held.
        hours: For how many hours single hours are.
    """

    cells: int = 32 << 20
    minutes: int = 2 * DAY
    hours: int = 31 * 24

    def measures(self) -> tuple[Measure, Measure, Measure]:
        """Those of minutes, hours and days."""
        minutes, hours, days = (max(1, self.cells * share // 8) for share in _SHARES)
        return (
            Measure(1, minutes, self.minutes),
            Measure(HOUR, hours, self.hours),
            Measure(DAY, days, _FOR_GOOD),
        )


DEFAULT_BOUNDS: Final = Bounds()


class Rollup:
    """Minutes, hours and days of cells.

    Args:
        bounds: How much is held.
        edges: How many distinct edges are told apart, a power of two; more become `other -> other`.
    """

    def __init__(self, bounds: Bounds = DEFAULT_BOUNDS, edges: int = ce.MAX_EDGES) -> None:
        self._bounds = bounds
        self._levels = [Level(measure) for measure in self._bounds.measures()]
        self._edges = ce.make_edges(edges)
        self._counting = Counting(self._edges)
        self._seen: set[tuple[int, int]] = set()  # spares most of the work; forgetting costs nothing else
        self._since: list[ce.Cells] = []  # added since the last cut
        self._foretold: list[ce.Cells] = []  # what the last cut added beyond that

    @property
    def cells(self) -> int:
        """How many counters are held."""
        return sum(level.cells for level in self._levels)

    @property
    def let_go(self) -> dict[tuple[str, str], int]:
        """How much was let go, by counter and reason (`telemetry.COUNTERS`)."""
        minutes, hours, days = self._levels
        return {
            ("rollup_coarsened", "minutes"): minutes.dropped,
            ("rollup_coarsened", "hours"): hours.dropped,
            ("rollup_dropped", "days"): days.dropped,
            ("rollup_dropped", "late_counters"): days.refused,
        }

    @property
    def refused_edges(self) -> int:
        """How many rows were counted under `other -> other` because there are too many edges."""
        return self._edges.refused

    def add(self, rows: NDArray[np.void]) -> None:
        """Add signed call rows (pairing_table.ROW)."""
        for cells in self._counting.of_rows(rows):
            self._note(cells)

    def load(
        self, cells: ce.Cells, ends: NDArray[np.uint32], coarse: Iterable[tuple[int, ce.Cells]] = ()
    ) -> None:
        """Add cells that were kept in a file.

        Args:
            cells: Their edges are places in `ends`.
            ends: caller << 16 | callee, by node numbers of this process.
            coarse: Likewise, of hours or days, whose width in minutes stands before them; nothing finer is held
                before their end from now on.
        """
        numbers = self._numbers_of(ends)
        in_order = bool((np.diff(numbers) > 0).all())  # as ever when edges are numbered by these very files
        for width, part in ((1, cells), *coarse):
            moved = ce.renumbered(part, numbers)
            self._add(moved if in_order else ce.total([moved]), width)
            self._hold_nothing_finer(width, moved)

    def _hold_nothing_finer(self, width: int, cells: ce.Cells) -> None:
        if len(cells.code):
            end = (int(cells.code.max()) >> ce.MINUTE_SHIFT) + width
            for level in self._levels:
                if level.measure.minutes < width:
                    level.raise_floor(end // level.measure.minutes)

    def held(self) -> list[tuple[int, ce.Cells]]:
        """Every call once, as `load` takes them: minutes, and hours and days before them."""
        minutes, hours, days = self._levels
        from_hours = -(-hours.floor * HOUR // DAY) * DAY
        from_minutes = max(from_hours, -(-minutes.floor // HOUR) * HOUR)
        return [
            (1, minutes.between(from_minutes, _FOR_GOOD)),
            (HOUR, hours.between(from_hours, from_minutes)),
            (DAY, days.between(0, from_hours)),
        ]

    @property
    def all_ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Node numbers of the callers and of the callees of all edges."""
        return self.ends(np.arange(self._edges.given))

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

    def replace(self, parts: Sequence[ce.Cells], cells: ce.Cells, ends: NDArray[np.uint32]) -> None:
        """Put what a log file adds in the place of its cut.

        Args:
            parts: What `cut` gave.
            cells: See `load`.
            ends: See `load`.
        """
        before = [ce.Cells(part.code, -part.value) for part in parts]
        self._add(ce.total([ce.renumbered(cells, self._numbers_of(ends)), *before]))

    def see(self, minutes: NDArray[np.int64], nodes: NDArray[np.int32]) -> None:
        """Note that nodes had spans in minutes, pair by pair."""
        pairs = zip(minutes.tolist(), nodes.tolist(), strict=True)
        new = [at for at, pair in enumerate(pairs) if pair not in self._seen]
        if new:
            self._note(ce.of_presence(minutes[new], nodes[new], self._edges))
            kept = self._seen if len(self._seen) + len(new) <= _KEPT_SEEN else set[tuple[int, int]]()
            self._seen = kept.union(zip(minutes[new].tolist(), nodes[new].tolist(), strict=True))

    def effective(self, window: Window) -> Window:
        """The window, widened outward to hours and days where nothing finer is held."""
        first, last = window
        for finer, coarser in pairwise(self._levels):
            width, floor = coarser.measure.minutes, finer.floor * finer.measure.minutes
            if first < floor:
                first = first // width * width
                last = -(-last // width) * width if last < -(-floor // width) * width else last
        return Window(first, last)

    def runs(self, window: Window) -> list[Run]:
        """What `added_up` makes the cells of an effective window of; it never changes."""
        return list(self._cover(window, len(self._levels) - 1))

    def _cover(self, window: Window, at: int) -> Iterator[Run]:
        """The stretches of a level that lie in a window, and finer ones before and behind them."""
        level, (first, last) = self._levels[at], window
        width = level.measure.minutes
        begin, end = -(-first // width), last // width
        if begin >= end:
            if at and first < last:
                yield from self._cover(window, at - 1)
            return
        yield from level.runs(begin, end)
        if at:
            yield from self._cover(Window(first, begin * width), at - 1)
            yield from self._cover(Window(end * width, last), at - 1)

    def window(self, window: Window) -> ce.Cells:
        """The cells of an effective window added up; their codes are edge << CELL_BITS | cell."""
        return added_up(self.runs(window))

    def ends(self, edges: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Node numbers of the callers and of the callees of edges."""
        return self._edges.ends_of(edges)

    def _numbers_of(self, ends: NDArray[np.uint32]) -> list[int]:
        numbers = np.empty(len(ends), np.int32)
        ce.encode(ends, self._edges, numbers)
        return numbers.tolist()

    def _note(self, cells: ce.Cells) -> None:
        """Add cells, and remember them for the next cut."""
        self._since.append(cells)
        if len(self._since) >= _UNMERGED:
            self._since = [ce.total(self._since)]
        self._add(cells)

    def _add(self, cells: ce.Cells, width: int = 1) -> None:
        """Take cells over, stretch by stretch, in all levels that are as wide or wider."""
        levels = [level for level in self._levels if level.measure.minutes >= width]
        minutes = cells.code >> ce.MINUTE_SHIFT
        bounds = [0, *(np.flatnonzero(np.diff(minutes)) + 1).tolist(), len(minutes)]
        codes = cells.code & ((1 << ce.MINUTE_SHIFT) - 1)
        for a, b in pairwise(bounds):
            if a < b:
                run, minute = Run.of(codes[a:b], cells.value[a:b]), int(minutes[a])
                for level in levels:
                    level.add(minute, run)
        self._trim()

    def _trim(self) -> None:
        """Keep to the bounds; what a coarser level lets go, a finer one does not hold either."""
        while self.cells > self._bounds.cells and (level := self._giving_way()):
            level.drop_oldest()
        for finer, coarser in pairwise(self._levels):
            finer.raise_floor(coarser.floor * coarser.measure.minutes // finer.measure.minutes)

    def _giving_way(self) -> Level | None:
        """The level furthest beyond its share; the newest stretch of each as the last, coarser ones later."""
        several = [level for level in self._levels if len(level) > 1]
        if several:
            return max(several, key=lambda level: level.fullness)
        return next((level for level in self._levels if len(level)), None)
