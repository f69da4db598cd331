"""Graphs with their layouts; the events of streams are made once however many read them."""

import json
from typing import NamedTuple

from weft_collector.api.graph_json import graph_json
from weft_collector.api.newest import Newest
from weft_collector.derive import Derived
from weft_collector.graph.snapshot import Exactness, GraphSnapshot, Window
from weft_collector.graph.table import GraphTable
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

    @property
    def exactness(self) -> Exactness:
        """How far the graph is exact."""
        return self._derived.exactness

    def table(self, asked: Asked) -> GraphTable:
        """The graph as it is now."""
        return self._derived.table(asked.window, unknown=asked.unknown)

    def drawn(self, asked: Asked) -> Drawn:
        """The graph with the positions at which everybody sees it."""
        table = self.table(asked)
        return Drawn(table.values, self._layout(table))

    def _layout(self, table: GraphTable) -> Layout:
        return self._positions.layout(table.ids, list(zip(*table.ends, strict=True)))

    def layout(self, asked: Asked) -> Layout:
        """Those positions alone."""
        return self._layout(self.table(asked))

    def event(self, asked: Asked) -> bytes:
        """The graph with its layout as one server-sent event."""
        return self._events.get(asked, self.version, lambda: self._event(self.table(asked)))

    def _event(self, table: GraphTable) -> bytes:
        layout = json.dumps(self._layout(table).as_dict(), separators=(",", ":")).encode()
        return b'id: %d\nevent: graph\ndata: {"graph":%b,"layout":%b}\n\n' % (
            table.version,
            graph_json(table),
            layout,
        )
