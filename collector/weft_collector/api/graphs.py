"""Graphs with their layouts; the events of streams are made once however many read them."""

import json
from typing import NamedTuple

from weft_collector.api.newest import Newest
from weft_collector.derive import Derived
from weft_collector.graph.snapshot import GraphSnapshot, Window
from weft_collector.render.geometry import Layout
from weft_collector.render.positions import Positions

__all__ = ["Asked", "Drawn", "Graphs"]


class Asked(NamedTuple):
    """Which graph: a window, and whether calls of unknown callers are shown."""

    window: Window
    unknown: bool = False


class Drawn(NamedTuple):
    """A graph with its layout."""

    snapshot: GraphSnapshot
    layout: Layout


class Graphs:
    """Snapshots joined with positions. Thread-safe; calls may take milliseconds."""

    def __init__(self, derived: Derived, positions: Positions) -> None:
        self._derived = derived
        self._positions = positions
        self._events: Newest[Asked, bytes] = Newest()

    @property
    def version(self) -> int:
        """Grows with every change of what is derived."""
        return self._derived.version

    def snapshot(self, asked: Asked) -> GraphSnapshot:
        """The graph as it is now."""
        return self._derived.snapshot(asked.window, unknown=asked.unknown)

    def drawn(self, asked: Asked) -> Drawn:
        """The graph with the positions at which everybody sees it."""
        snapshot = self.snapshot(asked)
        ids = [node.node.id for node in snapshot.nodes]
        ends = [(edge.caller.id, edge.callee.id) for edge in snapshot.edges]
        return Drawn(snapshot, self._positions.layout(ids, ends))

    def event(self, asked: Asked) -> bytes:
        """The graph with its layout as one server-sent event."""
        return self._events.get(asked, self.version, lambda: _event(self.drawn(asked)))


def _event(drawn: Drawn) -> bytes:
    data = {"graph": drawn.snapshot.as_dict(), "layout": drawn.layout.as_dict()}
    text = json.dumps(data, separators=(",", ":"))
    return f"id: {drawn.snapshot.version}\nevent: graph\ndata: {text}\n\n".encode()
