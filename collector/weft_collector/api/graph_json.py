"""A graph as JSON, straight from its columns.

Each edge becomes one value of a compiled class, and all of them one text, in about two microseconds an edge; as
dictionaries they would take ten times as long. The answer is ASCII like every other: a name that is more than that
is written by Python's own encoder, since names may hold broken surrogates.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from weft_collector.graph.nodes import Node
from weft_collector.graph.snapshot import Window
from weft_collector.graph.table import Counts, GraphTable, measured

__all__ = ["graph_json"]


class _Latency(msgspec.Struct, gc=False):
    samples: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class _Completeness(msgspec.Struct, gc=False):
    both: int
    client_only: int
    server_only: int
    inferred: int


class _Edge(msgspec.Struct, gc=False):
    id: str
    caller: str
    callee: str
    calls: int
    errors: int
    rate: float
    error_rate: float
    client: _Latency | None
    server: _Latency | None
    completeness: _Completeness
    outcomes: dict[str, int]


class _Node(msgspec.Struct, gc=False):
    id: str
    type: str
    name: str | msgspec.Raw
    namespace: str | msgspec.Raw
    environment: str | msgspec.Raw
    system: str | msgspec.Raw
    calls: int
    errors: int
    rate: float
    error_rate: float
    client: _Latency | None
    server: _Latency | None
    outbound_calls: int
    outbound_errors: int
    outcomes: dict[str, int]


class _Graph(NamedTuple):
    window: dict[str, Any]
    version: int
    nodes: list[_Node]
    edges: list[_Edge]
    totals: dict[str, Any]
    pending: int
    settled_through: dict[str, Any] | None
    repairs_pending: int


_ENCODER: Final = msgspec.json.Encoder()


def graph_json(table: GraphTable) -> bytes:
    """The answer of `/api/v1/graph`; the same document as `GraphSnapshot.as_dict`."""
    graph = _Graph(
        table.window.as_dict(),
        table.version,
        list(_nodes(table)),
        list(_edges(table)),
        table.totals._asdict(),
        table.pending,
        **table.exactness.as_dict(),
    )
    return _ENCODER.encode(graph._asdict())


def _edges(table: GraphTable) -> Iterator[_Edge]:
    callers, callees = table.ends
    names = map("{}->{}".format, callers, callees)
    completeness = map(_Completeness, *table.sights.tolist())
    shown = _shown(table.edges, table.window)
    return map(_Edge, names, callers, callees, *shown, completeness, table.edges.named_outcomes)


def _nodes(table: GraphTable) -> Iterator[_Node]:
    names = zip(*map(_names, table.nodes), strict=True)
    outbound = (column.tolist() for column in table.outbound)
    shown = _shown(table.inbound, table.window)
    return map(_Node, *names, *shown, *outbound, table.inbound.named_outcomes)


def _names(node: Node) -> tuple[Any, ...]:
    texts = (node.name, node.namespace, node.environment, node.system)
    return node.id, node.type.value, *map(_text, texts)


def _text(text: str) -> str | msgspec.Raw:
    return text if text.isascii() else msgspec.Raw(json.dumps(text).encode())


def _shown(counts: Counts, window: Window) -> tuple[Any, ...]:
    client, server = (measured(side, _Latency) for side in (counts.client, counts.server))
    return counts.calls.tolist(), counts.errors.tolist(), *counts.rates(window.seconds), client, server
