"""How good an arrangement is, to decide when keeping it costs more than drawing anew."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from weft_collector.render.crossings import inversions
from weft_collector.render.geometry import EdgeEnds, Layout, Point, column_of, edge_id

BOUND = 1.5
"""A kept arrangement may be this many times as tangled or long as a fresh one."""
NODES_PER_FREE_TANGLE = 25
"""One crossing or backward edge more is no reason to move 25 boxes; a small picture moves at once."""


class Quality(NamedTuple):
    """What the eye suffers from; less is better.

    Attributes:
        crossings: Pairs of edges that cross between two columns.
        backward: Edges whose callee is not right of its caller, self-calls aside.
        length: Way of all edges, along the axes, in pixels.
    """

    crossings: int
    backward: int
    length: float


def _paths(layout: Layout, edges: Iterable[EdgeEnds]) -> Iterator[list[Point]]:
    for caller, callee in edges:
        if caller != callee:
            route = layout.routes[edge_id((caller, callee))]
            yield [layout.nodes[caller], *route, layout.nodes[callee]]


def _crossings(paths: Iterable[list[Point]]) -> int:
    """Crossings between neighbouring columns; edges inside one column are counted as backward only."""
    gaps: dict[int, list[tuple[float, float]]] = {}
    for path in paths:
        for a, b in pairwise(path):
            if a.x != b.x:
                left, right = (a, b) if a.x < b.x else (b, a)
                gaps.setdefault(column_of(left), []).append((left.y, right.y))
    return sum(_gap_crossings(sorted(gap)) for gap in gaps.values())


def _gap_crossings(lines: list[tuple[float, float]]) -> int:
    """Crossings of lines from left to right heights, sorted."""
    numbers = {y: i for i, y in enumerate(sorted({right for _, right in lines}))}
    return inversions([numbers[right] for _, right in lines])


def quality(layout: Layout, edges: Iterable[EdgeEnds]) -> Quality:
    """Measure a layout that has a place for each end and a route for each of the edges."""
    paths = list(_paths(layout, edges))
    backward = sum(path[-1].x <= path[0].x for path in paths)
    length = sum(abs(a.x - b.x) + abs(a.y - b.y) for path in paths for a, b in pairwise(path))
    return Quality(_crossings(paths), backward, length)


def is_worse(kept: Quality, fresh: Quality, nodes: int) -> bool:
    """Whether a kept arrangement of so many nodes has become too bad beside a fresh one."""
    free = nodes // NODES_PER_FREE_TANGLE
    allowed = (BOUND * fresh.crossings + free, BOUND * fresh.backward + free, BOUND * fresh.length)
    return any(has > may for has, may in zip(kept, allowed, strict=True))
