"""Coordinates: the height of each vertex, its order in the row given.

Sweeps to the right and to the left in turn: each vertex wants the median height of its neighbours in the
rank just passed (in the last sweeps: of all its neighbours), and the row is solved for the wishes with
least distances by `separated`. Dummies weigh more than boxes, so long edges run straight and boxes give
way.
"""

from itertools import pairwise
from statistics import median

from weft_collector.render.geometry import BOX_HEIGHT, LANE_GAP, LANE_HEIGHT, ROW_GAP
from weft_collector.render.layers import Layers
from weft_collector.render.separation import separated

SWEEPS = 12
BOTH_SIDED = 2
"""The last sweeps look at both sides."""
DUMMY_WEIGHT = 8.0
WEIGHT_OF_AN_EDGE = 0.2


class _Heights:
    """The present height of each vertex."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._distances = [[self._distance(a, b) for a, b in pairwise(row)] for row in layers.rows]
        self.heights = [0.0] * len(layers.left)
        for row, distances in zip(layers.rows, self._distances, strict=True):
            self._store(row, separated([0.0] * len(row), [1.0] * len(row), distances))

    def _distance(self, upper: int, lower: int) -> float:
        boxes = self._layers.is_box(upper) + self._layers.is_box(lower)
        size = (boxes * BOX_HEIGHT + (2 - boxes) * LANE_HEIGHT) / 2
        return size + (ROW_GAP if boxes else LANE_GAP)

    def _store(self, row: list[int], heights: list[float]) -> None:
        for vertex, height in zip(row, heights, strict=True):
            self.heights[vertex] = height

    def sweep(self, time: int) -> None:
        backwards, both = time % 2 == 1, time >= SWEEPS - BOTH_SIDED
        rows = range(len(self._layers.rows))
        for rank in reversed(rows) if backwards else rows:
            row = self._layers.rows[rank]
            neighbours = [self._neighbours(vertex, backwards=backwards, both=both) for vertex in row]
            self._place(rank, row, neighbours)

    def _neighbours(self, vertex: int, *, backwards: bool, both: bool) -> list[int]:
        left, right = self._layers.left[vertex], self._layers.right[vertex]
        if both:
            return left + right
        return right if backwards else left

    def _place(self, rank: int, row: list[int], neighbours: list[list[int]]) -> None:
        wanted = [self._wish(vertex, near) for vertex, near in zip(row, neighbours, strict=True)]
        weights = [self._weight(vertex, near) for vertex, near in zip(row, neighbours, strict=True)]
        self._store(row, separated(wanted, weights, self._distances[rank]))

    def _wish(self, vertex: int, neighbours: list[int]) -> float:
        return median([self.heights[other] for other in neighbours]) if neighbours else self.heights[vertex]

    def _weight(self, vertex: int, neighbours: list[int]) -> float:
        return 1.0 + WEIGHT_OF_AN_EDGE * len(neighbours) if self._layers.is_box(vertex) else DUMMY_WEIGHT


def heights(layers: Layers) -> list[float]:
    """The y of each vertex; only differences matter, the caller moves the whole to its place."""
    placing = _Heights(layers)
    for time in range(SWEEPS):
        placing.sweep(time)
    return placing.heights
