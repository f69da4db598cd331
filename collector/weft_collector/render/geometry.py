"""The picture's measures, in one place, and the value that every drawer reads: the `Layout`.

All lengths are pixels at scale 1, x grows to the right and y downwards. Boxes stand in columns: the centre
of a box is at `column_x(rank)`, so a caller is left of its callee and a column is known from x alone. The
dashboard, the SVG and the figure draw the same boxes from the same numbers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

BOX_WIDTH = 208.0
BOX_HEIGHT = 48.0
MARGIN = 40.0
"""Free space around the outermost boxes."""
COLUMN_STEP = 312.0
"""From the centre of a column to the centre of the next one."""
ROW_GAP = 20.0
"""Least free height between two boxes of a column; a long edge keeps the same distance from a box."""
ROW_STEP = BOX_HEIGHT + ROW_GAP
LANE_HEIGHT = 2.0
LANE_GAP = 7.0
"""Least free height between two long edges that pass a column side by side."""
COMPONENT_GAP = 56.0
"""Free height between two parts of the graph that no call connects."""
MOST_WAY_POINTS = 100_000
"""Of all routes together; the edges whose routes would pass the most columns get none beyond it."""
TOP = MARGIN + BOX_HEIGHT / 2
"""y of the highest box centre that fits under the margin."""


class Point(NamedTuple):
    """A place in the picture, in pixels."""

    x: float
    y: float


Route = tuple[Point, ...]
EdgeEnds = tuple[str, str]


class Shape(NamedTuple):
    """What a layout depends on: which nodes there are and who calls whom. Sorted, no edge twice."""

    nodes: tuple[str, ...]
    edges: tuple[EdgeEnds, ...]

    @classmethod
    def of(cls, nodes: Iterable[str], edges: Iterable[EdgeEnds]) -> "Shape":
        """The shape of a graph given in any order; an edge's ends are nodes even when not listed."""
        pairs = set(edges)
        ends = {end for pair in pairs for end in pair}
        return cls(tuple(sorted(ends.union(nodes))), tuple(sorted(pairs)))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is drawn.

    Attributes:
        nodes: Box centres by node id.
        routes: Way points by edge id, in the edge's own direction, one in each column that the edge passes
            between its two boxes, where it runs level for a box's width; empty where the boxes stand in
            neighbouring columns. A self-call's route is the two inner control points of one cubic curve from
            the right side of its box to the top side.
        width: Right end of the picture, margin included; the left end is 0.
        height: Lower end of the picture, margin included; the upper end is 0.
    """

    nodes: Mapping[str, Point]
    routes: Mapping[str, Route]
    width: float
    height: float

    def as_dict(self) -> dict[str, Any]:
        """The layout as the API's JSON shape."""
        return {
            "nodes": {node: {"x": at.x, "y": at.y} for node, at in self.nodes.items()},
            "edges": {edge: [list(at) for at in route] for edge, route in self.routes.items()},
            "width": self.width,
            "height": self.height,
            "box": {"width": BOX_WIDTH, "height": BOX_HEIGHT},
        }


def across(route: Route, *, rightwards: bool) -> Route:
    """The way points of a call between two nodes, each led level through the width of its column."""
    step = BOX_WIDTH / 2 if rightwards else -BOX_WIDTH / 2
    return tuple(Point(at.x + side, at.y) for at in route for side in (-step, step))


def edge_id(ends: EdgeEnds) -> str:
    """The id of the edge between two nodes."""
    return f"{ends[0]}->{ends[1]}"


def column_x(column: int) -> float:
    """The x of the box centres of a column."""
    return MARGIN + BOX_WIDTH / 2 + column * COLUMN_STEP


def column_of(at: Point) -> int:
    """The column in which a box or a way point stands."""
    return round((at.x - MARGIN - BOX_WIDTH / 2) / COLUMN_STEP)


def longest_led(passed: Iterable[int]) -> int:
    """How many columns an edge may pass and still get way points, so that all together stay within bounds.

    Args:
        passed: How many columns lie between the ends of each edge.
    """
    counts = Counter(passed)
    points = 0
    for columns in sorted(counts):
        points += columns * counts[columns]
        if points > MOST_WAY_POINTS:
            return columns - 1
    return max(counts, default=0)


def loop_route(at: Point) -> Route:
    """The route of a self-call: out of the right side, back in at the top."""
    right, top = at.x + BOX_WIDTH / 2, at.y - BOX_HEIGHT / 2
    return Point(right + 34, at.y - 12), Point(right - 26, top - 26)


def framed(nodes: Mapping[str, Point], routes: Mapping[str, Route]) -> Layout:
    """A layout with its frame: as wide and high as its boxes and routes need."""
    points: Sequence[Point] = [*nodes.values(), *(point for route in routes.values() for point in route)]
    width = max((at.x for at in points), default=0.0) + BOX_WIDTH / 2 + MARGIN
    height = max((at.y for at in points), default=0.0) + BOX_HEIGHT / 2 + MARGIN
    return Layout(dict(nodes), dict(routes), width, height)
