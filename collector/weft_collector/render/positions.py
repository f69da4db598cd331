"""Positions that stay: the layout of a graph that changes while people look at it.

Rules, in order:

1. Nothing new: every node stays where it is. A node hidden in one window keeps its place for the next.
2. More than half of the nodes came since the last fresh layout: all are laid out anew. So a young graph,
   which grows from one node to many within seconds, does not keep the shape it happened to have at first.
3. Else known nodes keep their places and new ones are inserted next to their neighbours (`placement`).
4. Each time the graph has changed by a fiftieth, the result is compared with a fresh layout; when it has
   become too tangled or too long (`quality`), the fresh one is taken.

All windows share one map, the layout of everything asked for within the last hour; an answer is its
cut-out. Were each window laid out alone, two people with different windows would move each other's nodes.
When the graph grows to the left, the map moves to the right as a whole: coordinates are never negative.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from weft_collector.graph.nodes import DEFAULT_CAPACITY, FIXED_NODES
from weft_collector.render.geometry import (
    COLUMN_STEP,
    EdgeEnds,
    Layout,
    Point,
    Shape,
    column_of,
    edge_id,
    framed,
)
from weft_collector.render.layout import lay_out
from weft_collector.render.memory import Memory
from weft_collector.render.placement import insert
from weft_collector.render.quality import is_worse, quality
from weft_collector.render.routes import reroute

FORGET_AFTER_S = 3600.0
MOST_NODES = DEFAULT_CAPACITY + len(FIXED_NODES)
MOST_ANSWERS = 16
CHECK_EVERY = 50
"""A comparison with a fresh layout is due when one edge in 50 has changed; with fewer, at every change."""


class Positions:
    """The one map of the graph, kept in the collector process. Thread-safe.

    Args:
        clock: Seconds that never go back.
        forget_after: Seconds after which a node that nobody asks for loses its place.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, forget_after: float = FORGET_AFTER_S
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._memory = Memory(forget_after, MOST_NODES)
        self._map = framed({}, {})
        self._settled: frozenset[str] = frozenset()
        self._loose: frozenset[str] = frozenset()
        self._changes = 0
        self._answers: OrderedDict[Shape, Layout] = OrderedDict()

    def layout(self, node_ids: Sequence[str], edges: Sequence[EdgeEnds]) -> Layout:
        """Places and routes for a graph, in which whatever was shown before stays where it was.

        Takes milliseconds when nodes are new (60 ms at 300, 250 ms at 1,000), else microseconds: call it
        off the event loop.
        """
        asked = Shape.of(node_ids, edges)
        with self._lock:
            now = self._clock()
            new = self._memory.see(asked, now)
            if new:
                self._memory.forget(now)
                self._grow(self._memory.shape(), new)
            return self._answer(asked)

    def _answer(self, asked: Shape) -> Layout:
        """The cut-out of the map for a graph, from the cache where the same was asked for lately."""
        if asked not in self._answers:
            self._answers[asked] = _cut_out(self._map, asked)
        self._answers.move_to_end(asked)
        if len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)
        return self._answers[asked]

    def _grow(self, shape: Shape, changes: int) -> None:
        self._answers.clear()
        self._changes += changes
        if self._is_mostly_new(shape):
            self._settle(shape, lay_out(shape))
        else:
            self._keep(shape)

    def _is_mostly_new(self, shape: Shape) -> bool:
        return 2 * sum(node in self._settled for node in shape.nodes) < len(shape.nodes)

    def _settle(self, shape: Shape, fresh: Layout) -> None:
        self._settled = frozenset(shape.nodes)
        self._changes = 0
        self._adopt(shape, fresh)

    def _adopt(self, shape: Shape, layout: Layout) -> None:
        self._map = layout
        self._loose = frozenset(shape.nodes) - _connected(shape.edges)

    def _keep(self, shape: Shape) -> None:
        kept = self._extended(shape)
        if self._changes * CHECK_EVERY >= len(shape.edges):
            self._changes = 0
            fresh = lay_out(shape)
            if is_worse(quality(kept, shape.edges), quality(fresh, shape.edges), len(shape.nodes)):
                self._settle(shape, fresh)
                return
        self._adopt(shape, kept)

    def _extended(self, shape: Shape) -> Layout:
        """The map with the new nodes added. A node that stood in the strip leaves it with its first call."""
        placed = self._loose & _connected(shape.edges)
        known = {node: at for node, at in self._map.nodes.items() if node not in placed}
        places = insert(known, shape)
        columns = -min(0, *(column_of(at) for at in places.values()))
        routes = {edge: _moved_right(route, columns) for edge, route in self._map.routes.items()}
        moved = dict(zip(places, _moved_right(places.values(), columns), strict=True))
        return framed(moved, reroute(moved, shape.edges, routes))


def _moved_right(points: Iterable[Point], columns: int) -> tuple[Point, ...]:
    return tuple(Point(at.x + columns * COLUMN_STEP, at.y) for at in points) if columns else tuple(points)


def _connected(edges: Iterable[EdgeEnds]) -> set[str]:
    """The nodes that call or are called by another."""
    return {end for edge in edges if edge[0] != edge[1] for end in edge}


def _cut_out(layout: Layout, shape: Shape) -> Layout:
    routes = {edge: layout.routes[edge] for edge in map(edge_id, shape.edges)}
    return framed({node: layout.nodes[node] for node in shape.nodes}, routes)
