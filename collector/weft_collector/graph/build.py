"""The graph of a window as the graph of Python's graph library."""

from collections.abc import Iterator
from typing import Any, Final
from weakref import WeakKeyDictionary

import networkx as nx

from weft_collector.graph.table import Counts, GraphTable, latencies

__all__ = ["to_networkx"]

_NODE: Final = ("type", "name", "namespace", "environment", "system")
_COUNTS: Final = ("calls", "errors", "rate", "error_rate")
_SIGHTS: Final = ("both", "client_only", "server_only", "inferred")
_LATENCY: Final = ("samples", "p50_ms", "p95_ms", "p99_ms", "max_ms")
_CLIENT, _SERVER = ([f"{side}_{name}" for name in _LATENCY] for side in ("client", "server"))

_made: "WeakKeyDictionary[GraphTable, nx.MultiDiGraph[str]]" = WeakKeyDictionary()


def to_networkx(table: GraphTable) -> "nx.MultiDiGraph[str]":
    """The nodes and edges of a window; attributes that do not apply are left out, never 0.

    The same table gives the same graph, which is frozen: `copy` it to change it. `Derived.table` gives the same
    table for as long as nothing changes, so the graph is made once for each version.

    Graph attributes: `start` and `end` (ISO-8601, UTC), `seconds`, `version`, `pending`.

    Node key: the node's id. Attributes: `type`, `name`, `namespace`, `environment`, `system`, `calls`,
    `errors`, `rate` (per second), `error_rate`, `outbound_calls`, `outbound_errors`, and where they were
    measured `client_samples`, `client_p50_ms`, `client_p95_ms`, `client_p99_ms`, `client_max_ms`, and the
    same of `server`; both of the calls that reach the node.

    Edge key: `calls`, one between each pair of nodes, so that other kinds of edges have room beside it.
    Attributes: `id`, `calls`, `errors`, `rate`, `error_rate`, `both`, `client_only`, `server_only`,
    `inferred`, `weight` (equal to `calls`, for algorithms that look for it), latencies like nodes, and the classes of
    outcomes that occurred, such as `outcome_ok` and `outcome_5xx`.

    All values are texts and numbers, so every writer of networkx takes them.
    """
    if (known := _made.get(table)) is not None:
        return known
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(
        **table.window.as_dict(), version=table.version, pending=table.pending
    )
    graph.add_nodes_from(_nodes(table))
    for caller, callee, attributes in _edges(table):
        graph.add_edge(caller, callee, "calls", **attributes)
    nx.freeze(graph)  # pyright: ignore[reportUnknownMemberType] - typed without its result
    return _made.setdefault(table, graph)


def _nodes(table: GraphTable) -> Iterator[tuple[str, dict[str, Any]]]:
    outbound = (column.tolist() for column in table.outbound)
    rows = zip(table.nodes, _counts(table.inbound, table.window.seconds), *outbound, strict=True)
    for node, counts, calls, errors in rows:
        names = {name: str(getattr(node, name)) for name in _NODE}
        yield node.id, names | counts | {"outbound_calls": calls, "outbound_errors": errors}


def _edges(table: GraphTable) -> Iterator[tuple[str, str, dict[str, Any]]]:
    sights = zip(*table.sights.tolist(), strict=True)
    counted = _counts(table.edges, table.window.seconds)
    rows = zip(*table.ends, counted, sights, table.edges.named_outcomes, strict=True)
    for caller, callee, counts, seen, outcomes in rows:
        named = {"id": f"{caller}->{callee}", "weight": counts["calls"]}
        named |= {f"outcome_{name}": count for name, count in outcomes.items()}
        yield caller, callee, named | counts | dict(zip(_SIGHTS, seen, strict=True))


def _counts(counts: Counts, seconds: int) -> Iterator[dict[str, Any]]:
    columns = (counts.calls.tolist(), counts.errors.tolist(), *counts.rates(seconds))
    sides = zip(zip(*columns, strict=True), latencies(counts.client), latencies(counts.server), strict=True)
    for row, client, server in sides:
        found: dict[str, Any] = dict(zip(_COUNTS, row, strict=True))
        found |= dict(zip(_CLIENT, client, strict=True)) if client[0] else {}
        found |= dict(zip(_SERVER, server, strict=True)) if server[0] else {}
        yield found
