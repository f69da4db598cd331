"""The layered layout: callers left, callees right, drawn from nothing.

A pure function of the graph's shape, in the phases of Sugiyama's framework, a module each: `cycles` turns
edges until none goes back, `ranks` gives columns, `layers` leads long edges through dummies, `ordering`
sorts the columns, `coordinates` places them. Parts that no call connects are laid out alone and stacked,
the largest on top; nodes without calls stand in a strip below.

`positions` keeps these places while the graph changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from weft_collector.render.coordinates import heights
from weft_collector.render.cycles import Edge, forward_edges
from weft_collector.render.geometry import (
    BOX_HEIGHT,
    COMPONENT_GAP,
    ROW_STEP,
    TOP,
    EdgeEnds,
    Layout,
    Point,
    Route,
    Shape,
    column_of,
    column_x,
    edge_id,
    framed,
    loop_route,
)
from weft_collector.render.layers import Layers
from weft_collector.render.ordering import order
from weft_collector.render.ranks import rank

__all__ = ["Layout", "Point", "Shape", "components", "lay_out", "loops", "strip"]

STRIP_COLUMNS = 4
"""Boxes side by side in the strip of nodes without calls, unless the picture above is wider."""


class _Part(NamedTuple):
    """Places and routes of some of the nodes."""

    nodes: dict[str, Point]
    routes: dict[str, Route]

    def lowered(self, top: float) -> "_Part":
        """The same part moved so that its highest box or way point stands at `top`; whole pixels."""
        shift = top - min(at.y for at in self._points())
        return _Part(
            {node: _moved(at, shift) for node, at in self.nodes.items()},
            {edge: tuple(_moved(at, shift) for at in route) for edge, route in self.routes.items()},
        )

    def bottom(self) -> float:
        return max(at.y for at in self._points())

    def _points(self) -> Iterator[Point]:
        yield from self.nodes.values()
        for route in self.routes.values():
            yield from route


def _moved(at: Point, shift: float) -> Point:
    return Point(at.x, float(round(at.y + shift)))


def components(shape: Shape) -> list[Shape]:
    """The connected parts of a graph, the largest first, ties by name; self-calls are left out."""
    neighbours: dict[str, list[str]] = {node: [] for node in shape.nodes}
    for caller, callee in shape.edges:
        neighbours[caller].append(callee)
        neighbours[callee].append(caller)
    home: dict[str, str] = {}
    for node in shape.nodes:
        _flood(node, neighbours, home)
    return sorted(_split(shape, home), key=lambda part: (-len(part.nodes), part.nodes))


def _flood(start: str, neighbours: Mapping[str, list[str]], home: dict[str, str]) -> None:
    """Give all nodes connected with `start` the same home, unless they have one."""
    stack = [start]
    while stack:
        node = stack.pop()
        if node not in home:
            home[node] = start
            stack.extend(neighbours[node])


def _split(shape: Shape, home: Mapping[str, str]) -> list[Shape]:
    nodes: dict[str, list[str]] = {}
    edges: dict[str, list[EdgeEnds]] = {}
    for node in shape.nodes:
        nodes.setdefault(home[node], []).append(node)
    for caller, callee in shape.edges:
        if caller != callee:
            edges.setdefault(home[caller], []).append((caller, callee))
    return [Shape(tuple(members), tuple(edges.get(first, ()))) for first, members in nodes.items()]


def _layered(part: Shape) -> _Part:
    """One connected part, somewhere on the y axis."""
    number = {node: i for i, node in enumerate(part.nodes)}
    edges = [(number[caller], number[callee]) for caller, callee in part.edges]
    sequence, forward = forward_edges(len(number), edges)
    layers = Layers.of(rank(sequence, forward), forward)
    order(layers)
    points = _points(layers)
    routes = {
        edge_id(ends): _route(layers, edge, points) for ends, edge in zip(part.edges, edges, strict=True)
    }
    return _Part({node: points[i] for node, i in number.items()}, routes)


def _points(layers: Layers) -> dict[int, Point]:
    y = heights(layers)
    return {vertex: Point(column_x(i), y[vertex]) for i, row in enumerate(layers.rows) for vertex in row}


def _route(layers: Layers, edge: Edge, points: Mapping[int, Point]) -> Route:
    """The way points of an edge in its own direction, which may be against the drawing's."""
    forward = layers.chains.get(edge)
    chain = layers.chains[edge[1], edge[0]][::-1] if forward is None else forward
    return tuple(points[vertex] for vertex in chain)


def strip(nodes: Iterable[str], top: float, columns: int) -> dict[str, Point]:
    """Nodes without calls, row by row under the picture."""
    return {
        node: Point(column_x(i % columns), top + i // columns * ROW_STEP)
        for i, node in enumerate(sorted(nodes))
    }


def lay_out(shape: Shape) -> Layout:
    """Places of all nodes and routes of all edges of a graph; the same for the same shape, always."""
    nodes: dict[str, Point] = {}
    routes: dict[str, Route] = {}
    top = TOP
    parts = components(shape)
    for part in (_layered(part) for part in parts if part.edges):
        placed = part.lowered(top)
        nodes.update(placed.nodes)
        routes.update(placed.routes)
        top = placed.bottom() + BOX_HEIGHT + COMPONENT_GAP
    columns = max([STRIP_COLUMNS, *(column_of(at) + 1 for at in nodes.values())])
    nodes.update(strip((part.nodes[0] for part in parts if not part.edges), top, columns))
    routes.update(loops(shape.edges, nodes))
    return framed(nodes, routes)


def loops(edges: Iterable[EdgeEnds], nodes: Mapping[str, Point]) -> dict[str, Route]:
    """The routes of all self-calls."""
    return {edge_id((a, b)): loop_route(nodes[a]) for a, b in edges if a == b}
