"""Holds the graph against the handlers' counters, edge by edge: calls and errors must be equal exactly."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from weft_collector.demo.counters import Count, Edge
from weft_collector.demo.reader import Graph
from weft_collector.demo.topology import CLIENT


class Row(NamedTuple):
    """One edge as both sides saw it; None where a side has no such edge."""

    edge: Edge
    graph: Count | None
    counters: Count | None

    @property
    def equal(self) -> bool:
        """Whether both sides say the same."""
        return self.graph == self.counters


_PLAIN_NAMES: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "client": lambda _node: CLIENT,
    "service": lambda node: str(node["name"]),
    "database": lambda node: f"{node['system']}/{node['name']}",
}


def plain_name(node: dict[str, Any]) -> str:
    """What the handlers call this node; its id where they could not know it."""
    return _PLAIN_NAMES.get(node["type"], _id)(node)


def _id(node: dict[str, Any]) -> str:
    return str(node["id"])


def edges(graph: Graph) -> dict[Edge, Count]:
    """The graph's edges by plain names."""
    names = {node["id"]: plain_name(node) for node in graph["nodes"]}
    return {
        Edge(names[edge["caller"]], names[edge["callee"]]): Count(edge["calls"], edge["errors"])
        for edge in graph["edges"]
    }


def touching(counts: Mapping[Edge, Count], services: Collection[str]) -> dict[Edge, Count]:
    """The edges with one of `services` at either end: others are of programs that are none of the demo's."""
    return {edge: count for edge, count in counts.items() if not {*edge}.isdisjoint(services)}


def compare(graph: Mapping[Edge, Count], counters: Mapping[Edge, Count]) -> list[Row]:
    """One row for each edge that either side knows, in order."""
    return [Row(edge, graph.get(edge), counters.get(edge)) for edge in sorted({*graph, *counters})]
