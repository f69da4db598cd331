"""What agents counted before sampling: calls by minute, and whose calls of which minutes are counted at all.

A point (`wire/edge_counts.py`) adds its buckets to one *row* of its minute: side, caller, callee and sort of calls.
A row and a bucket are a cell; a further cell of each row counts the points themselves, so a row is there even
if its points counted no calls, and an instance and minute are *covered* where the instance has a row of its own
in the minute. Where they are, counts replace what spans say (docs/graph-rules.md, 5).

**Each point once.** A minute remembers the keys of its points, so a point that comes again, in any other request,
is counted as a duplicate and changes nothing. The table is then the sum over the set of distinct points, whatever
their order, and whatever they came in.

**Shape.** A minute is a few runs of sorted cells, each at least twice as long as the next, as in `rollup.py`; but
counts have 64 bits, since a sender names them, and rows have numbers that are given back once no minute uses
them: instances come and go. A minute takes 16 bytes a cell, 8 a point and 64 a row.

**Bounded** in places of 8 bytes. Beyond the bound the oldest minute goes, and points for minutes that old are left
out from then on. A minute takes at most an eighth of the places, so no sender fills the table with one; what
does not fit into it is left out, and then the minute is `incomplete`: nothing in it may replace anything.

**Kept** as what the points of one log file added (`Addition`), in a file beside the rollup's. Its additions are
summed at a start, without looking at keys: only what was new was ever added.

Refused: keeping points one by one (a start would read all points there ever were); a row in memory for each
bucket as Python's own dictionaries hold them (ten times the memory).
"""

import heapq
import threading
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import cells as ce
from weft_collector.graph.edge_rows import (
    CELL_BITS,
    POINTS,
    Addition,
    Counts,
    Row,
    counts_of,
    row_of,
    summed,
)
from weft_collector.wire.edge_counts import EdgePoint

__all__ = ["DEFAULT_PLACES", "EdgeCountTable"]

DEFAULT_PLACES: Final = 16 << 20
_SHARE: Final = 8  # minutes that fill the table at least
_MINUTE_PLACES: Final = 160
_ROW_PLACES: Final = 8  # of a row in a minute
_NEW_ROW_PLACES: Final = 48  # of a row that is in no other minute, beside its texts
_UNMERGED: Final = 64

_Keys = NDArray[np.uint64]


def _places_of(row: Row) -> int:
    texts = (*row.calls, row.caller.instance, row.callee.instance)
    nodes = (
        (node.name, node.namespace, node.environment, node.system)
        for node in (row.caller.node, row.callee.node)
    )
    return _NEW_ROW_PLACES + sum(map(len, (*texts, *(text for node in nodes for text in node)))) // 8


class _Rows:
    """Numbers of the rows that are in any minute; a number that is given back is given again.

    Attributes:
        by_number: Rows; None where a number is free.
        places: What all rows take.
    """

    def __init__(self) -> None:
        self.by_number: list[Row | None] = []
        self.places = 0
        self._numbers: dict[Row, int] = {}
        self._uses: list[int] = []
        self._free: list[int] = []

    def number(self, row: Row) -> int | None:
        """The number of a row, if it has one."""
        return self._numbers.get(row)

    def enter(self, row: Row) -> int:
        """The number of a row, which one minute more has."""
        number = self._numbers.get(row)
        if number is None:
            number = self._new(row)
        self._uses[number] += 1
        return number

    def leave(self, numbers: Iterable[int]) -> None:
        """One minute less has these rows."""
        for number in numbers:
            self._uses[number] -= 1
            row = self.by_number[number]
            if row is not None and not self._uses[number]:
                self.by_number[number] = None
                self._free.append(number)
                self.places -= _places_of(row)
                del self._numbers[row]

    def _new(self, row: Row) -> int:
        if self._free:
            number = self._free.pop()
            self.by_number[number] = row
        else:
            number = len(self.by_number)
            self.by_number.append(row)
            self._uses.append(0)
        self._numbers[row] = number
        self.places += _places_of(row)
        return number


class _Minute:
    """The keys and cells of one minute.

    Attributes:
        keys: Of its points, ascending.
        rows: Numbers of its rows.
    """

    def __init__(self) -> None:
        self.keys: _Keys = np.zeros(0, np.uint64)
        self.rows: set[int] = set()
        self._runs: list[ce.Cells] = []

    @property
    def places(self) -> int:
        cells = sum(len(run.code) for run in self._runs)
        return _MINUTE_PLACES + 2 * cells + len(self.keys) + _ROW_PLACES * len(self.rows)

    def unknown(self, keys: _Keys) -> list[int]:
        """Places of the keys that are new, in order; of equal ones the first."""
        first = np.sort(np.unique(keys, return_index=True)[1])
        at = np.searchsorted(self.keys, keys[first])
        inside = at < len(self.keys)
        known = np.zeros(len(first), np.bool_)
        known[inside] = self.keys[at[inside]] == keys[first][inside]
        new: list[int] = first[~known].tolist()
        return new

    def add(self, keys: _Keys, cells: ce.Cells) -> None:
        self.keys = np.sort(np.concatenate([self.keys, keys]))
        self._runs.append(cells)
        while len(self._runs) > 1 and len(self._runs[-2].code) < 2 * len(self._runs[-1].code):
            self._runs[-2:] = [ce.total(self._runs[-2:])]

    def total(self) -> ce.Cells:
        if len(self._runs) > 1:
            self._runs = [ce.total(self._runs)]
        return self._runs[0]


class EdgeCountTable:
    """The counts of the newest minutes; any thread may ask, one changes.

    Args:
        places: How much is held at most, in units of 8 bytes.

    Attributes:
        waiting: Places that what was added since the last cut takes.
        duplicates: Points that were here before.
        late: Points for minutes that have left the table.
        crowded: Points for which their minute had no room.
        dropped_minutes: Minutes that have left the table.
    """

    def __init__(self, places: int = DEFAULT_PLACES) -> None:
        self.capacity = places
        self.waiting = self.duplicates = self.late = self.crowded = self.dropped_minutes = 0
        self._lock = threading.Lock()
        self._minutes: dict[int, _Minute] = {}
        self._oldest: list[int] = []  # a heap of the minutes that are held
        self._floor = 0
        self._rows = _Rows()
        self._places = 0
        self._incomplete: set[int] = set()
        self._since: list[Addition] = []

    def add(self, points: Sequence[EdgePoint]) -> None:
        """Take points in, each of which counts if it never came before."""
        by_minute: dict[int, list[EdgePoint]] = {}
        for point in points:
            by_minute.setdefault(point.minute, []).append(point)
        with self._lock:
            for minute, own in by_minute.items():
                self._add_points(minute, own)
            self._shrink()

    def load(self, addition: Addition) -> None:
        """Add what points added that were new when they came."""
        with self._lock:
            self._add(addition)
            self._shrink()

    def cut(self) -> Addition:
        """What was added since the last cut."""
        with self._lock:
            parts, self._since, self.waiting = self._since, [], 0
        return summed(parts)

    def minutes(self, first_minute: int, end_minute: int) -> list[int]:
        """The minutes that have counts, ascending; see `between`."""
        with self._lock:
            return sorted(minute for minute in self._minutes if first_minute <= minute < end_minute)

    def between(self, first_minute: int, end_minute: int) -> Counts:
        """The counts of the minutes from the first one until before the last.

        Args:
            first_minute: UTC minute since the epoch.
            end_minute: The first one that is no longer asked for.
        """
        with self._lock:
            held = sorted(minute for minute in self._minutes if first_minute <= minute < end_minute)
            totals = [(minute, self._minutes[minute].total()) for minute in held]
            return counts_of(self._rows.by_number, totals, self._incomplete)

    # ---- points

    def _add_points(self, minute: int, points: list[EdgePoint]) -> None:
        if minute < self._floor:
            self.late += len(points)
            return
        held = self._minutes.get(minute) or _Minute()
        new = held.unknown(np.array([point.key for point in points], np.uint64))
        self.duplicates += len(points) - len(new)
        taken = self._fitting(held, [points[at] for at in new])
        self.crowded += len(new) - len(taken)
        if new:
            self._note(_addition(minute, taken, incomplete=len(taken) < len(new)))

    def _fitting(self, held: _Minute, points: list[EdgePoint]) -> list[EdgePoint]:
        """As many of these points, from the first on, as a minute has room for."""
        room = self.capacity // _SHARE - held.places
        for number, point in enumerate(points):
            room -= 2 * len(point.buckets) + 3 + _ROW_PLACES + _NEW_ROW_PLACES
            if room < 0:
                return points[:number]
        return points

    def _note(self, addition: Addition) -> None:
        """Add, and remember it for the next cut."""
        self.waiting += 2 * len(addition.key) + 5 * len(addition.counts.value)
        self._since.append(addition)
        if len(self._since) >= _UNMERGED:
            self._since = [summed(self._since)]
        self._add(addition)

    # ---- minutes

    def _add(self, addition: Addition) -> None:
        counts = addition.counts
        self._incomplete |= {minute for minute in counts.incomplete if minute >= self._floor}
        order = np.argsort(addition.key_minute, kind="stable")
        key_minute, key = addition.key_minute[order], addition.key[order]
        bounds = [0, *(np.flatnonzero(np.diff(counts.minute)) + 1).tolist(), len(counts.minute)]
        for a, b in pairwise(bounds):
            if a < b and counts.minute[a] >= self._floor:
                minute = int(counts.minute[a])
                own = key[slice(*np.searchsorted(key_minute, [minute, minute + 1]))]
                self._add_to(minute, own, _Part(counts, slice(a, b)))

    def _add_to(self, minute: int, keys: _Keys, part: "_Part") -> None:
        held = self._minutes.get(minute)
        if held is None:
            held = self._minutes[minute] = _Minute()
            heapq.heappush(self._oldest, minute)
            self._places += held.places
        before = held.places
        numbers = self._enter(held, part)
        code = numbers << CELL_BITS | part.counts.cell[part.at]
        order = np.argsort(code)
        held.add(keys, ce.Cells(code[order], part.counts.value[part.at][order]))
        self._places += held.places - before

    def _enter(self, held: _Minute, part: "_Part") -> NDArray[np.int64]:
        """The numbers of a part's rows, which its minute has from now on."""
        used, place = np.unique(part.counts.row[part.at], return_inverse=True)
        numbers: list[int] = []
        places: list[int] = used.tolist()
        for row in map(part.counts.rows.__getitem__, places):
            number = self._rows.number(row)
            if number is None or number not in held.rows:
                number = self._rows.enter(row)
                held.rows.add(number)
            numbers.append(number)
        return np.array(numbers, np.int64)[place.reshape(-1)]

    def _shrink(self) -> None:
        while self._oldest and self._places + self._rows.places > self.capacity:
            minute = heapq.heappop(self._oldest)
            gone = self._minutes.pop(minute)
            self._places -= gone.places
            self._rows.leave(gone.rows)
            self._floor = minute + 1
            self.dropped_minutes += 1
        self._incomplete = {minute for minute in self._incomplete if minute >= self._floor}


class _Part(NamedTuple):
    """The cells of one minute among others."""

    counts: Counts
    at: slice


def _addition(minute: int, points: list[EdgePoint], *, incomplete: bool) -> Addition:
    """What points of one minute add."""
    numbers: dict[Row, int] = {}
    codes: list[int] = []
    values: list[int] = []
    for point in points:
        before = numbers.setdefault(row_of(point), len(numbers)) << CELL_BITS
        codes += (*(before | bucket for bucket in point.buckets), before | POINTS)
        values += (*point.counts, 1)
    cells = ce.total([ce.Cells(np.array(codes, np.int64), np.array(values, np.int64))])
    counts = counts_of(list(numbers), [(minute, cells)], {minute} if incomplete else set())
    key = np.array([point.key for point in points], np.uint64)
    return Addition(counts, np.full(len(points), minute, np.int64), key)
