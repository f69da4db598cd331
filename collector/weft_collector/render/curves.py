"""Edges as curves: from a port of the caller's box, through the way points, to an arrow head at the callee's.

Between two columns an edge is one cubic with level ends; through a column it runs level, so it meets no
box. Edges at the same side of a box get ports side by side, in the order of where they come from, so that
they do not cross in front of the box. An edge against the flow leaves at the left and arrives at the right;
one within a column bulges to the right; a self-call loops from the right side to the top.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from weft_collector.render.geometry import (
    BOX_HEIGHT,
    BOX_WIDTH,
    EdgeEnds,
    Layout,
    Point,
    Route,
    across,
    edge_id,
)

HEAD_LENGTH = 8.0
HEAD_HALF = 3.6
PORT_STEP = 8.0
PORT_ROOM = BOX_HEIGHT - 18
BULGE = 64.0
LOOP_LIFT = 10.0


class Curve(NamedTuple):
    """One edge to be drawn.

    Attributes:
        points: Start, then two control points and an end for each cubic; ends at the arrow head's base.
        head: The arrow head's tip and the two ends of its base.
        back: Whether the edge goes against the drawing's direction.
    """

    points: tuple[Point, ...]
    head: tuple[Point, Point, Point]
    back: bool


class _End(NamedTuple):
    """One end of an edge at one side of a box, and the height that the edge comes from or goes to."""

    node: str
    side: int
    towards: float
    ends: EdgeEnds
    is_caller: bool


def _ends(layout: Layout, ends: EdgeEnds) -> tuple[_End, _End]:
    caller, callee = layout.nodes[ends[0]], layout.nodes[ends[1]]
    route = layout.routes[edge_id(ends)]
    out, into = (1, -1) if caller.x < callee.x else (-1, 1) if caller.x > callee.x else (1, 1)
    first, last = (route[0].y, route[-1].y) if route else (callee.y, caller.y)
    return _End(ends[0], out, first, ends, is_caller=True), _End(ends[1], into, last, ends, is_caller=False)


def _ports(layout: Layout, edges: Iterable[EdgeEnds]) -> dict[tuple[EdgeEnds, bool], Point]:
    """Where each edge leaves (True) and arrives (False)."""
    sides: dict[tuple[str, int], list[_End]] = {}
    for edge in edges:
        for end in _ends(layout, edge):
            sides.setdefault((end.node, end.side), []).append(end)
    return {(end.ends, end.is_caller): at for group in sides.values() for end, at in _spread(layout, group)}


def _spread(layout: Layout, group: list[_End]) -> Iterator[tuple[_End, Point]]:
    """Ports side by side around the middle of one side of a box."""
    group.sort(key=lambda end: (end.towards, end.ends, end.is_caller))
    step = min(PORT_STEP, PORT_ROOM / max(len(group) - 1, 1))
    for i, end in enumerate(group):
        at = layout.nodes[end.node]
        offset = (i - (len(group) - 1) / 2) * step
        yield end, Point(at.x + end.side * BOX_WIDTH / 2, at.y + offset)


def _head(base: Point, tip: Point) -> tuple[Point, Point, Point]:
    """An arrow head along an axis."""
    if base.x == tip.x:
        return tip, Point(base.x - HEAD_HALF, base.y), Point(base.x + HEAD_HALF, base.y)
    return tip, Point(base.x, base.y - HEAD_HALF), Point(base.x, base.y + HEAD_HALF)


def _joined(stops: list[Point]) -> tuple[Point, ...]:
    """Cubics with level ends from stop to stop."""
    points = [stops[0]]
    for a, b in pairwise(stops):
        half = (b.x - a.x) / 2
        points += [Point(a.x + half, a.y), Point(b.x - half, b.y), b]
    return tuple(points)


def _call(start: Point, route: Route, tip: Point) -> Curve:
    """An edge between two columns, in either direction."""
    rightwards = start.x < tip.x
    base = Point(tip.x - HEAD_LENGTH if rightwards else tip.x + HEAD_LENGTH, tip.y)
    stops = [start, *across(route, rightwards=rightwards), base]
    return Curve(_joined(stops), _head(base, tip), not rightwards)


def _bulging(start: Point, tip: Point) -> Curve:
    """An edge within one column, around its right side."""
    base = Point(tip.x + HEAD_LENGTH, tip.y)
    out = start.x + BULGE
    return Curve((start, Point(out, start.y), Point(out, tip.y), base), _head(base, tip), back=True)


def _loop(at: Point, route: Route) -> Curve:
    """A self-call, its control points given by the layout."""
    tip = Point(route[1].x, at.y - BOX_HEIGHT / 2)
    base = Point(tip.x, tip.y - HEAD_LENGTH)
    start = Point(at.x + BOX_WIDTH / 2, at.y - LOOP_LIFT)
    return Curve((start, *route, base), _head(base, tip), back=False)


def curves(layout: Layout, edges: Iterable[EdgeEnds]) -> dict[EdgeEnds, Curve]:
    """The curves of all edges."""
    listed = list(edges)
    ports = _ports(layout, (ends for ends in listed if ends[0] != ends[1]))
    return {ends: _curve(layout, ends, ports) for ends in listed}


def _curve(layout: Layout, ends: EdgeEnds, ports: dict[tuple[EdgeEnds, bool], Point]) -> Curve:
    route = layout.routes[edge_id(ends)]
    if ends[0] == ends[1]:
        return _loop(layout.nodes[ends[0]], route)
    start, tip = ports[ends, True], ports[ends, False]
    same_column = layout.nodes[ends[0]].x == layout.nodes[ends[1]].x
    return _bulging(start, tip) if same_column else _call(start, route, tip)


def point_on(points: tuple[Point, ...], t: float) -> Point:
    """The point of one cubic (four points) at a parameter from 0 to 1."""
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x = sum(w * at.x for w, at in zip(weights, points, strict=True))
    return Point(x, sum(w * at.y for w, at in zip(weights, points, strict=True)))
