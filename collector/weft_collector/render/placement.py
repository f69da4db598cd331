"""Adding nodes to a picture while the known ones keep their places.

A new node goes one column right of its callers, else one column left of its callees, at the median height
of its placed neighbours. It takes the nearest free stretch of that column, or of one of the next two columns
if that is much nearer. Where none is within reach it presses itself in, and the boxes around give way by the
least movement, holding on to their places 50 times as strongly as the new one. Nodes that nothing connects
with a known one are laid out alone, below.

Giving way is the last resort because it spreads: in a column without gaps one new box moves all others, a
quarter of a graph of 300 nodes. Looking into two more columns made that rare.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median_low

from weft_collector.render.geometry import (
    BOX_HEIGHT,
    COMPONENT_GAP,
    ROW_STEP,
    TOP,
    EdgeEnds,
    Point,
    Shape,
    column_of,
    column_x,
)
from weft_collector.render.layout import STRIP_COLUMNS, components, lay_out, strip
from weft_collector.render.separation import separated

REACH = 8 * ROW_STEP
"""How far from its wanted height a new box goes for a place where nothing has to move."""
DETOUR = 2 * ROW_STEP
"""How much climb one more column on the way is worth."""
MOST_DETOURS = 2
HOLD = 50.0
"""Weight of a known box's place against a new one's."""


class _Neighbours:
    """Who calls and is called by whom, self-calls left out."""

    def __init__(self, edges: Iterable[EdgeEnds]) -> None:
        self.callers: dict[str, list[str]] = {}
        self.callees: dict[str, list[str]] = {}
        for caller, callee in edges:
            if caller != callee:
                self.callees.setdefault(caller, []).append(callee)
                self.callers.setdefault(callee, []).append(caller)

    def of(self, node: str) -> list[str]:
        return self.callers.get(node, []) + self.callees.get(node, [])


class _Columns:
    """The boxes of each column, from top to bottom."""

    def __init__(self, places: Mapping[str, Point]) -> None:
        self.places = dict(places)
        self._columns: dict[int, list[tuple[float, str]]] = {}
        for node, at in self.places.items():
            self._columns.setdefault(column_of(at), []).append((at.y, node))
        for column in self._columns.values():
            column.sort()

    def add(self, node: str, columns: Sequence[int], wanted: float) -> None:
        """Place a new box at the wanted height or near it, in the best of some columns, the first one preferred."""
        free = [(nearest_free(self._heights(column), wanted), column) for column in columns]
        costs = [abs(y - wanted) + i * DETOUR for i, (y, _) in enumerate(free)]
        least = min(costs)
        if least <= REACH:
            y, column = free[costs.index(least)]
            self._put(column, node, y)
        else:
            self._press_in(columns[0], node, wanted)

    def _heights(self, column: int) -> list[float]:
        return [y for y, _ in self._columns.setdefault(column, [])]

    def _put(self, column: int, node: str, y: float) -> None:
        boxes = self._columns[column]
        boxes.insert(bisect_left(boxes, (y, node)), (y, node))
        self.places[node] = Point(column_x(column), y)

    def _press_in(self, column: int, node: str, wanted: float) -> None:
        boxes = sorted([*self._columns[column], (wanted, node)])
        weights = [1.0 if other == node else HOLD for _, other in boxes]
        heights = separated([y for y, _ in boxes], weights, [ROW_STEP] * (len(boxes) - 1))
        for i, (_, other) in enumerate(boxes):
            boxes[i] = (max(float(round(heights[i])), TOP + i * ROW_STEP), other)
        self._columns[column] = boxes
        self.places.update((other, Point(column_x(column), y)) for y, other in boxes)


def nearest_free(taken: list[float], wanted: float) -> float:
    """The free height nearest to the wanted one, under the top margin, beside boxes at sorted heights."""
    edges = [TOP - ROW_STEP, *taken, float("inf")]
    gaps = [(a + ROW_STEP, b - ROW_STEP) for a, b in pairwise(edges) if b - a >= 2 * ROW_STEP]
    return min((min(max(wanted, low), high) for low, high in gaps), key=lambda y: (abs(y - wanted), y))


def _columns_for(node: str, near: _Neighbours, places: Mapping[str, Point]) -> Sequence[int]:
    """Columns right of the callers if one is placed (and left of the callees), else left of the callees."""
    callers = [column_of(places[other]) for other in near.callers.get(node, ()) if other in places]
    callees = [column_of(places[other]) for other in near.callees.get(node, ()) if other in places]
    if not callers:
        first = min(callees) - 1
        return range(first, first - MOST_DETOURS - 1, -1)
    first = max(callers) + 1
    end = first + MOST_DETOURS + 1
    return range(first, max(min([end, *callees]), first + 1))


def _attach(columns: _Columns, new: Iterable[str], near: _Neighbours) -> None:
    """Place the new nodes that a path joins with placed ones, most placed neighbours first."""
    waiting = set(new)
    places = columns.places
    queue = [(-sum(other in places for other in near.of(node)), node) for node in sorted(waiting)]
    heapq.heapify(queue)
    while queue:
        placed, node = heapq.heappop(queue)
        if node not in waiting or not placed:
            continue
        waiting.discard(node)
        wanted = median_low(places[other].y for other in near.of(node) if other in places)
        columns.add(node, _columns_for(node, near, places), wanted)
        for other in near.of(node):
            if other in waiting:
                heapq.heappush(queue, (-sum(far in places for far in near.of(other)), other))


def _stack(places: dict[str, Point], parts: Iterable[Shape]) -> None:
    """Place whole new parts of the graph below everything."""
    for part in parts:
        shift = _below(places) - TOP
        places.update((node, Point(at.x, at.y + shift)) for node, at in lay_out(part).nodes.items())


def _strew(places: dict[str, Point], loose: Iterable[str]) -> None:
    """Place new nodes without calls in free places of one strip below everything."""
    names = sorted(loose)
    if names:
        columns = max([STRIP_COLUMNS, *(column_of(at) + 1 for at in places.values())])
        places.update(strip(names, _below(places), columns))


def _below(places: Mapping[str, Point]) -> float:
    return max((at.y + BOX_HEIGHT + COMPONENT_GAP for at in places.values()), default=TOP)


def insert(known: Mapping[str, Point], shape: Shape) -> dict[str, Point]:
    """Places of all nodes of a graph: known ones stay (but give way where pressed), new ones are added.

    Args:
        known: Places to keep; nodes that the graph no longer has are dropped.
        shape: The graph as it is now.

    Returns:
        A place for each node. Columns left of the first one are possible: see `moved_right`.
    """
    columns = _Columns({node: known[node] for node in shape.nodes if node in known})
    _attach(columns, (node for node in shape.nodes if node not in known), _Neighbours(shape.edges))
    places = columns.places
    foreign = [part for part in components(shape) if part.nodes[0] not in places]
    _stack(places, (part for part in foreign if part.edges))
    _strew(places, (part.nodes[0] for part in foreign if not part.edges))
    return places
