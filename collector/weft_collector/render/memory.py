"""Which nodes and edges a picture has shown lately: a bounded table that forgets.

A node hidden in one window keeps its place for the next one; one that no window shows for an hour is gone.
"""

from collections.abc import Iterable
from typing import TypeVar

from weft_collector.render.geometry import EdgeEnds, Shape

_Key = TypeVar("_Key")


class Memory:
    """Nodes and edges with the time they were last asked for. Not thread-safe.

    Args:
        forget_after: Seconds after which what nobody asks for is forgotten.
        nodes: Most nodes kept; beyond it those unseen for longest go first, but never those just asked for.
    """

    def __init__(self, forget_after: float, nodes: int) -> None:
        self._forget_after = forget_after
        self._limit = nodes
        self._nodes: dict[str, float] = {}  # both in order of last sight
        self._edges: dict[EdgeEnds, float] = {}

    def see(self, asked: Shape, now: float) -> int:
        """Note what is asked for at a time; how much of it is new."""
        new = sum(node not in self._nodes for node in asked.nodes)
        new += sum(edge not in self._edges for edge in asked.edges)
        _touch(self._nodes, asked.nodes, now)
        _touch(self._edges, asked.edges, now)
        return new

    def forget(self, now: float) -> None:
        """Drop what was not seen for long, what is beyond the limit, and edges that lost an end."""
        before = now - self._forget_after
        kept = [node for node, seen in self._nodes.items() if seen >= before]
        least = sum(seen == now for seen in self._nodes.values())
        kept = kept[-max(self._limit, least) :]
        self._nodes = {node: self._nodes[node] for node in kept}
        self._edges = {e: seen for e, seen in self._edges.items() if seen >= before and self._has_ends(e)}

    def _has_ends(self, edge: EdgeEnds) -> bool:
        return edge[0] in self._nodes and edge[1] in self._nodes

    def shape(self) -> Shape:
        """Everything remembered."""
        return Shape.of(self._nodes, self._edges)


def _touch(table: dict[_Key, float], keys: Iterable[_Key], now: float) -> None:
    for key in keys:
        table.pop(key, None)
        table[key] = now
