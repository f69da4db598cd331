"""Rows of a layered picture: an edge longer than one rank runs through a dummy in each rank between.

With dummies every edge joins neighbouring ranks, so ordering and placing look at two ranks at a time, and
the places of an edge's dummies are its route around the boxes. Dummies are bounded: a long chain with many
edges along it would otherwise have billions. The longest edges beyond the bound count for nothing here and
go straight.
"""

from dataclasses import dataclass
from itertools import pairwise

from weft_collector.render.cycles import Adjacency, Edge
from weft_collector.render.geometry import longest_led


@dataclass(slots=True)
class Layers:
    """The vertices of a picture by rank.

    Attributes:
        rows: The vertices of each rank, in drawing order from top to bottom.
        left: The neighbours of each vertex in the rank before.
        right: The neighbours of each vertex in the rank after.
        boxes: How many vertices are boxes: 0 .. boxes - 1; all others are dummies.
        chains: The dummies of each forward edge, from its left end to its right end.
    """

    rows: list[list[int]]
    left: Adjacency
    right: Adjacency
    boxes: int
    chains: dict[Edge, list[int]]

    @classmethod
    def of(cls, ranks: list[int], edges: list[Edge]) -> "Layers":
        """The rows of a ranked graph, boxes by number, dummies behind them by edge."""
        rows: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
        for node, row in enumerate(ranks):
            rows[row].append(node)
        boxes = len(ranks)
        layers = cls(rows, [[] for _ in ranks], [[] for _ in ranks], boxes, {})
        passed = [range(ranks[caller] + 1, ranks[callee]) for caller, callee in edges]
        most = longest_led(map(len, passed))
        for edge, between in zip(edges, passed, strict=True):
            layers.chains[edge] = layers._thread(edge, between) if len(between) <= most else []
        return layers

    def _thread(self, edge: Edge, between: range) -> list[int]:
        """Lead an edge through a new dummy in each rank between its ends."""
        chain = [self._add_dummy(row) for row in between]
        stops = [edge[0], *chain, edge[1]]
        for a, b in pairwise(stops):
            self.right[a].append(b)
            self.left[b].append(a)
        return chain

    def _add_dummy(self, row: int) -> int:
        vertex = len(self.left)
        self.rows[row].append(vertex)
        self.left.append([])
        self.right.append([])
        return vertex

    def is_box(self, vertex: int) -> bool:
        """Whether a vertex is a box and not a dummy."""
        return vertex < self.boxes
