"""A snapshot as the graph of Python's graph library."""

from dataclasses import asdict
from typing import Any

import networkx as nx

from weft_collector.graph.snapshot import EdgeStats, GraphSnapshot, Latency, NodeStats


def to_networkx(snapshot: GraphSnapshot) -> "nx.MultiDiGraph[str]":
    """The snapshot's nodes and edges; attributes that do not apply are left out, never 0.

    Graph attributes: `start` and `end` (ISO-8601, UTC), `seconds`, `version`, `pending`.

    Node key: the node's id. Attributes: `type`, `name`, `namespace`, `environment`, `system`, `calls`,
    `errors`, `rate` (per second), `error_rate`, `outbound_calls`, `outbound_errors`, and where they were
    measured `client_samples`, `client_p50_ms`, `client_p95_ms`, `client_p99_ms`, `client_max_ms`, and the
    same of `server`; both of the calls that reach the node.

    Edge key: `calls`, one between each pair of nodes, so that other kinds of edges have room beside it.
    Attributes: `id`, `calls`, `errors`, `rate`, `error_rate`, `both`, `client_only`, `server_only`,
    `inferred`, `weight` (equal to `calls`, for algorithms that look for it), and latencies like nodes.

    All values are texts and numbers, so every writer of networkx takes them.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(
        **snapshot.window.as_dict(), version=snapshot.version, pending=snapshot.pending
    )
    for stats in snapshot.nodes:
        graph.add_node(stats.node.id, **_node_attributes(stats))
    for edge in snapshot.edges:
        graph.add_edge(edge.caller.id, edge.callee.id, key="calls", **_edge_attributes(edge))
    return graph


def _node_attributes(stats: NodeStats) -> dict[str, Any]:
    shown = stats.as_dict()
    return {k: v for k, v in shown.items() if k not in {"id", "client", "server"}} | _latencies(stats)


def _edge_attributes(edge: EdgeStats) -> dict[str, Any]:
    counts = {"id": edge.id, "calls": edge.calls, "errors": edge.errors, "weight": edge.calls}
    rates = {"rate": edge.rate, "error_rate": edge.error_rate}
    return counts | rates | asdict(edge.completeness) | _latencies(edge)


def _latencies(stats: NodeStats | EdgeStats) -> dict[str, float]:
    sides: dict[str, Latency | None] = {"client": stats.client, "server": stats.server}
    return {
        f"{side}_{name}": value
        for side, latency in sides.items()
        if latency
        for name, value in asdict(latency).items()
    }
