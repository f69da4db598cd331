"""Ordering: the vertices of each rank from top to bottom, so that few edges cross.

Minimising crossings is NP-hard even for two ranks; the usual road is taken. A depth-first walk keeps what
belongs together in one stretch. Sweeps to the right and to the left then sort each rank by the barycentre,
in turn with the median, of its neighbours in the rank just passed; the best state is kept, as sweeps may
get worse. Last, neighbours are swapped wherever that saves crossings. Sorting is stable and starts from
node numbers, so the result is a pure function of the graph. Two refused alternatives: random restarts
(better by some percent, for twice the time) and an exact solver (seconds at 50 nodes).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from weft_collector.render.crossings import crossings_between, pair_crossings
from weft_collector.render.cycles import Adjacency
from weft_collector.render.layers import Layers


class Effort(NamedTuple):
    """How long to look for a better order: from how many starts, and rounds of each kind for each of them."""

    starts: int
    sweeps: int
    swaps: int


EFFORTS = ((1_000, Effort(2, 16, 4)), (6_000, Effort(1, 16, 4)), (20_000, Effort(1, 6, 1)))
"""Effort by the number of vertices, dummies included; nobody reads a larger picture edge by edge."""
LEAST_EFFORT = Effort(1, 3, 0)


def effort_for(vertices: int) -> Effort:
    """The effort that keeps a layout within a second or a few."""
    return next((effort for limit, effort in EFFORTS if vertices <= limit), LEAST_EFFORT)


def _barycentre(places: list[int]) -> float:
    return sum(places) / len(places)


def _median(places: list[int]) -> float:
    places.sort()
    half = len(places) // 2
    return places[half] if len(places) % 2 else (places[half - 1] + places[half]) / 2


_CENTRES: tuple[Callable[[list[int]], float], ...] = (_barycentre, _barycentre, _median, _median)


def _depth_first(rows: list[list[int]], before: Adjacency, after: Adjacency) -> dict[int, int]:
    """When a walk along the edges, from the vertices that have none before them, first sees each vertex."""
    seen: dict[int, int] = {}
    stack = [vertex for row in reversed(rows) for vertex in reversed(row) if not before[vertex]]
    while stack:
        vertex = stack.pop()
        if vertex not in seen:
            seen[vertex] = len(seen)
            stack.extend(other for other in reversed(after[vertex]) if other not in seen)
    return seen


class _Ordering:
    """The rows of a picture with the place of each vertex in its row."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._place = [0] * len(layers.left)

    def improve(self, start: list[list[int]], effort: Effort) -> tuple[int, list[list[int]]]:
        """The fewest crossings found from a start, and the rows that have them."""
        self._adopt(start)
        self._sweep(effort.sweeps)
        self._swap(effort.swaps)
        return self._crossings(), self._layers.rows

    def _adopt(self, rows: list[list[int]]) -> None:
        self._layers.rows = rows
        for row in rows:
            self._number(row)

    def _number(self, row: Sequence[int]) -> None:
        for place, vertex in enumerate(row):
            self._place[vertex] = place

    def _crossings(self) -> int:
        return sum(crossings_between(row, self._layers.right, self._place) for row in self._layers.rows)

    def _sweep(self, times: int) -> None:
        """Sort all rows by their neighbours, `times` over, and keep the best state."""
        fewest, best = self._crossings(), [row.copy() for row in self._layers.rows]
        for time in range(times):
            if not fewest:
                break
            self._pass(time)
            found = self._crossings()
            if found < fewest:
                fewest, best = found, [row.copy() for row in self._layers.rows]
        self._adopt(best)

    def _pass(self, time: int) -> None:
        """One sweep: to the right at even times, to the left at odd ones."""
        layers, centre = self._layers, _CENTRES[time % len(_CENTRES)]
        rows, neighbours = (
            (layers.rows[1:], layers.left) if time % 2 == 0 else (layers.rows[-2::-1], layers.right)
        )
        for row in rows:
            self._sort(row, neighbours, centre)

    def _sort(self, row: list[int], neighbours: Adjacency, centre: Callable[[list[int]], float]) -> None:
        place = self._place
        keys = {
            vertex: centre([place[other] for other in neighbours[vertex]])
            if neighbours[vertex]
            else place[vertex]
            for vertex in row
        }
        row.sort(key=keys.__getitem__)
        self._number(row)

    def _swap(self, rounds: int) -> None:
        """Swap neighbours while that saves crossings, at most `rounds` times through all rows."""
        for _ in range(rounds):
            if not sum(self._swap_row(row) for row in self._layers.rows):
                return

    def _swap_row(self, row: list[int]) -> bool:
        """Whether a swap saved crossings. The other rows stand still, so far ends are sorted only once."""
        ends = [(self._far_ends(v, self._layers.left), self._far_ends(v, self._layers.right)) for v in row]
        swapped = False
        for i in range(len(row) - 1):
            if _gain(ends[i], ends[i + 1]) > 0:
                row[i], row[i + 1] = row[i + 1], row[i]
                ends[i], ends[i + 1] = ends[i + 1], ends[i]
                swapped = True
        self._number(row)
        return swapped

    def _far_ends(self, vertex: int, neighbours: Adjacency) -> list[int]:
        return sorted(self._place[other] for other in neighbours[vertex])


_FarEnds = tuple[list[int], list[int]]


def _gain(upper: _FarEnds, lower: _FarEnds) -> int:
    """Crossings saved by drawing two neighbours the other way round."""
    return sum(
        pair_crossings(a, b) - pair_crossings(b, a) for a, b in zip(upper, lower, strict=True) if a and b
    )


def order(layers: Layers) -> None:
    """Put the rows of a picture into an order with few crossings, in place."""
    effort = effort_for(len(layers.left))
    ordering = _Ordering(layers)
    found = [ordering.improve(start, effort) for start in _starts(layers)[: effort.starts]]
    layers.rows = min(found, key=lambda improved: improved[0])[1]


def _starts(layers: Layers) -> list[list[list[int]]]:
    """First orders of the rows: as a depth-first walk from the left sees them, and as one from the right."""
    left = _depth_first(layers.rows, layers.left, layers.right)
    right = _depth_first(layers.rows, layers.right, layers.left)
    return [[sorted(row, key=seen.__getitem__) for row in layers.rows] for seen in (left, right)]
