"""A level of the rollups: sums of one width, be it the minute, the hour or the day.

Each stretch of time is a few runs of sorted cells. An update is one more run; when there are many, or when together
they are more than the first one, they become one. So an update costs next to nothing, a stretch that is busy now and
one of last week are updated in the same way, and no stretch takes more than twice the room that its cells need.

Whole stretches go, oldest first; what comes for them later is counted and left out. So a stretch that is held is
always the sum of all that was ever added to it.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from weft_collector.graph.cells import MINUTE_SHIFT, Cells
from weft_collector.graph.runs import Run, added_up, total_of

__all__ = ["DAY", "HOUR", "STRETCH_COST", "Level", "Measure"]

HOUR: Final = 60
DAY: Final = 24 * HOUR
"""Minutes."""
STRETCH_COST: Final = 64
"""Cells that a stretch counts for beside its own: its arrays have a size even when they hold little."""
_RUNS: Final = 64  # that wait to be added up
_WAITING: Final = 1024  # cells that may wait, however few there are already
_READY: Final = 4  # runs that a reader adds up himself


@dataclass(frozen=True, slots=True)
class Measure:
    """What a level holds.

    Attributes:
        minutes: Width of a stretch.
        cells: Its share of the cells that all levels hold, 8 bytes each.
        kept: How many stretches, back from the newest one.
    """

    minutes: int
    cells: int
    kept: int


class _Stretch:
    """The cells of one stretch of time; the first run is the sum of older ones."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._waiting = 0  # cells behind the first run
        self.cells = STRETCH_COST

    def add(self, run: Run) -> None:
        self._waiting += len(run.code) if self._runs else 0
        self._runs.append(run)
        self.cells += len(run.code)
        if len(self._runs) > _RUNS or self._waiting > max(_WAITING, len(self._runs[0].code)):
            self.gather()

    def runs(self) -> list[Run]:
        """Its cells, in few runs."""
        if len(self._runs) > _READY:
            self.gather()
        return self._runs

    def gather(self) -> None:
        """Make one run of all; or of all but the first, where they are small beside it."""
        first, *others = self._runs
        if 4 * self._waiting < len(first.code):
            self._runs = [first, total_of(others)] if others else [first]
        else:
            self._runs = [total_of(self._runs)]
        self._waiting = sum(len(run.code) for run in self._runs[1:])
        self.cells = STRETCH_COST + len(self._runs[0].code) + self._waiting


class Level:
    """Stretches of one width, by number: minutes since the epoch divided by the width.

    Attributes:
        measure: Its width and bounds.
        cells: How many cells it holds.
        floor: The first stretch that it may hold.
        dropped: How many stretches went.
        refused: How many cells came for stretches that had gone.
    """

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.cells = self.floor = self.dropped = self.refused = 0
        self._stretches: dict[int, _Stretch] = {}
        self._oldest: list[int] = []  # a heap of the stretches that are held
        self._newest = 0

    def __len__(self) -> int:
        return len(self._stretches)

    @property
    def fullness(self) -> float:
        """How much of its share it holds; more than 1 is more than that."""
        return self.cells / self.measure.cells

    def add(self, minute: int, run: Run) -> None:
        """Add a run to the stretch that a minute lies in."""
        number = minute // self.measure.minutes
        if number < self.floor:
            self.refused += len(run.code)
            return
        held = self._stretches.get(number) or self._begin(number)
        before = held.cells
        held.add(run)
        self.cells += held.cells - before

    def _begin(self, number: int) -> _Stretch:
        begun = self._stretches[number] = _Stretch()
        heapq.heappush(self._oldest, number)
        self.cells += begun.cells
        if number > self._newest:
            self._rest(self._stretches.get(self._newest))
            self._newest = number
            self.raise_floor(number + 1 - self.measure.kept)
        return begun

    def _rest(self, held: _Stretch | None) -> list[Run]:
        """The runs of a stretch to which little will be added."""
        if held is None:
            return []
        before = held.cells
        runs = held.runs()
        self.cells += held.cells - before
        return runs

    def raise_floor(self, number: int) -> None:
        """Hold no stretch before this one."""
        self.floor = max(self.floor, number)
        while self._oldest and self._oldest[0] < self.floor:
            self.cells -= self._stretches.pop(heapq.heappop(self._oldest)).cells
            self.dropped += 1

    def drop_oldest(self) -> None:
        """Let the oldest stretch go."""
        self.raise_floor(self._oldest[0] + 1)

    def between(self, first: int, last: int) -> Cells:
        """The cells of whole minutes from `first` on, before `last`; codes name the first minute of a stretch."""
        width = self.measure.minutes
        parts = [Cells(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        for number in sorted(n for n in self._stretches if first <= n * width < last):
            code, value = added_up(self._rest(self._stretches[number]))
            parts.append(Cells((number * width << MINUTE_SHIFT) + code, value))
        return Cells(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def runs(self, first: int, last: int) -> Iterator[Run]:
        """The runs of the stretches from `first` on, before `last`."""
        few = last - first < len(self._stretches)
        for number in range(first, last) if few else [n for n in self._stretches if first <= n < last]:
            yield from self._rest(self._stretches.get(number))
