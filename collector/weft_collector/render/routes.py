"""Routes around boxes that stand already.

In each column between its ends, an edge passes through a gutter: the free height between two boxes, above
the first or below the last. From its caller on it makes for its callee in a straight line and takes, column
by column, the gutter nearest to that line. Edges that share a gutter get lanes side by side. A route from
before is kept while it still runs between its ends and meets no box.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from weft_collector.render.geometry import (
    BOX_HEIGHT,
    LANE_GAP,
    LANE_HEIGHT,
    MARGIN,
    ROW_GAP,
    EdgeEnds,
    Point,
    Route,
    column_of,
    column_x,
    edge_id,
    longest_led,
)
from weft_collector.render.layout import loops
from weft_collector.render.separation import separated

CLEARANCE = BOX_HEIGHT / 2 + ROW_GAP / 2
"""From a box's centre to the nearest lane."""
LANE = LANE_HEIGHT + LANE_GAP


class _Lane(NamedTuple):
    """Where one edge wants to pass one column."""

    column: int
    gutter: int
    wanted: float
    edge: str


def _between(start: Point, end: Point) -> range:
    """The columns that an edge passes, in its direction."""
    a, b = column_of(start), column_of(end)
    return range(a + 1, b) if a < b else range(a - 1, b, -1)


def _gutter(boxes: Sequence[float], number: int) -> tuple[float, float]:
    """The lanes' room in the gutter above the box of this number; the last gutter is below all."""
    low = boxes[number - 1] + CLEARANCE if number else MARGIN / 4
    high = boxes[number] - CLEARANCE if number < len(boxes) else float("inf")
    middle = (low + high) / 2
    return (low, high) if low <= high else (middle, middle)


def _nearest(boxes: Sequence[float], wanted: float) -> tuple[int, float]:
    """The gutter nearest to a height, and the height in it."""
    at = bisect_left(boxes, wanted)
    options = (
        (n, _clamped(wanted, _gutter(boxes, n))) for n in range(max(at - 1, 0), min(at + 1, len(boxes)) + 1)
    )
    return min(options, key=lambda option: (abs(option[1] - wanted), option[0]))


def _clamped(y: float, room: tuple[float, float]) -> float:
    return min(max(y, room[0]), room[1])


class _Router:
    """The boxes of each column, and the lanes taken between them."""

    def __init__(self, places: Mapping[str, Point]) -> None:
        self._places = places
        self._boxes: dict[int, list[float]] = {}
        for at in places.values():
            self._boxes.setdefault(column_of(at), []).append(at.y)
        for heights in self._boxes.values():
            heights.sort()

    def still_fits(self, ends: EdgeEnds, route: Route | None) -> bool:
        """Whether there is a route that runs between these ends, column by column, and meets no box."""
        if route is None:
            return False
        between = _between(self._places[ends[0]], self._places[ends[1]])
        return [column_of(at) for at in route] == list(between) and all(self._is_free(at) for at in route)

    def _is_free(self, at: Point) -> bool:
        boxes = self._boxes.get(column_of(at), [])
        near = boxes[max(bisect_left(boxes, at.y) - 1, 0) :][:2]
        return all(abs(y - at.y) >= CLEARANCE - 1 for y in near)

    def lead(self, edges: Sequence[EdgeEnds]) -> dict[str, Route]:
        """New routes, which share the gutters among each other."""
        most = longest_led(map(self._passed, edges))
        lanes = sorted(lane for ends in edges if self._passed(ends) <= most for lane in self._lanes(ends))
        points: dict[str, list[Point]] = {edge_id(ends): [] for ends in edges}
        for _, group in groupby(lanes, key=lambda lane: (lane.column, lane.gutter)):
            members = list(group)
            for lane, at in zip(members, self._spread(members), strict=True):
                points[lane.edge].append(at)  # columns come from left to right
        return {edge_id(ends): self._directed(ends, points[edge_id(ends)]) for ends in edges}

    def _directed(self, ends: EdgeEnds, rightwards: list[Point]) -> Route:
        caller, callee = self._places[ends[0]], self._places[ends[1]]
        return tuple(rightwards if caller.x < callee.x else reversed(rightwards))

    def _passed(self, ends: EdgeEnds) -> int:
        return len(_between(self._places[ends[0]], self._places[ends[1]]))

    def _lanes(self, ends: EdgeEnds) -> Iterator[_Lane]:
        """The gutters along the straight line from caller to callee."""
        at, end = self._places[ends[0]], self._places[ends[1]]
        for column in _between(at, end):
            x = column_x(column)
            straight = at.y + (end.y - at.y) * (x - at.x) / (end.x - at.x)
            gutter, y = _nearest(self._boxes.get(column, []), straight)
            yield _Lane(column, gutter, y, edge_id(ends))
            at = Point(x, y)

    def _spread(self, lanes: Sequence[_Lane]) -> list[Point]:
        """Places side by side for the edges that share a gutter, its lanes sorted by wanted height."""
        column, number = lanes[0].column, lanes[0].gutter
        low, high = _gutter(self._boxes.get(column, []), number)
        gaps = len(lanes) - 1
        step = min(LANE, (high - low) / gaps) if gaps else 0.0
        wanted = separated([lane.wanted for lane in lanes], [1.0] * len(lanes), [step] * gaps)
        rooms = ((low + i * step, high - (gaps - i) * step) for i in range(len(lanes)))
        return [
            Point(column_x(column), round(_clamped(y, room), 1))
            for y, room in zip(wanted, rooms, strict=True)
        ]


def reroute(
    places: Mapping[str, Point], edges: Iterable[EdgeEnds], kept: Mapping[str, Route]
) -> dict[str, Route]:
    """Routes of all edges between boxes that stand already.

    Args:
        places: Box centres by node id.
        edges: Caller and callee of each edge.
        kept: Routes from before by edge id, used again where they still fit.
    """
    router, listed = _Router(places), sorted(edges)
    calls = [ends for ends in listed if ends[0] != ends[1]]
    fitting = {edge: kept[edge] for ends in calls if router.still_fits(ends, kept.get(edge := edge_id(ends)))}
    led = router.lead([ends for ends in calls if edge_id(ends) not in fitting])
    return {**loops(listed, places), **fitting, **led}
