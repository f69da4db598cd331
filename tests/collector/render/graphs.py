"""Graphs to draw: a small shop, synthetic service graphs with figures, and hostile names."""

import random

from weft_collector.graph.nodes import CLIENT, UNKNOWN_CALLER, Node, NodeType
from weft_collector.graph.snapshot import (
    Completeness,
    EdgeStats,
    GraphSnapshot,
    Latency,
    NodeStats,
    Window,
)
from weft_collector.render.geometry import Layout, Shape
from weft_collector.render.layout import lay_out

WINDOW = Window(29_000_000, 29_000_015)


def service(name: str, **home: str) -> Node:
    return Node(NodeType.SERVICE, name, **home)


def database(name: str, system: str = "sqlite") -> Node:
    return Node(NodeType.DATABASE, name, system=system)


def latency(p95_ms: float, samples: int = 100) -> Latency:
    return Latency(samples, p95_ms / 4, p95_ms, p95_ms * 1.5, p95_ms * 2)


def edge(
    caller: Node, callee: Node, calls: int = 90, errors: int = 0, p95_ms: float | None = 12.0
) -> EdgeStats:
    rate, measured = calls / WINDOW.seconds, None if p95_ms is None else latency(p95_ms, calls)
    share = errors / calls if calls else 0.0
    return EdgeStats(caller, callee, calls, errors, rate, share, measured, None, Completeness(calls, 0, 0, 0))


def node_stats(node: Node, edges: list[EdgeStats]) -> NodeStats:
    inbound, outbound = [e for e in edges if e.callee == node], [e for e in edges if e.caller == node]
    calls, errors = sum(e.calls for e in inbound), sum(e.errors for e in inbound)
    slowest = max((e.client for e in inbound if e.client), key=lambda side: side.p95_ms, default=None)
    return NodeStats(
        node,
        calls,
        errors,
        calls / WINDOW.seconds,
        errors / calls if calls else 0.0,
        sum(e.calls for e in outbound),
        sum(e.errors for e in outbound),
        slowest,
        None,
    )


def snapshot(edges: list[EdgeStats], alone: tuple[Node, ...] = ()) -> GraphSnapshot:
    nodes = {node for e in edges for node in (e.caller, e.callee)}.union(alone)
    stats = sorted((node_stats(node, edges) for node in nodes), key=lambda s: s.node.id)
    return GraphSnapshot(WINDOW, 1, tuple(stats), tuple(sorted(edges, key=lambda e: e.id)), 0)


def shape_of(graph: GraphSnapshot) -> Shape:
    return Shape.of((s.node.id for s in graph.nodes), ((e.caller.id, e.callee.id) for e in graph.edges))


def laid_out(graph: GraphSnapshot) -> Layout:
    return lay_out(shape_of(graph))


def shop() -> GraphSnapshot:
    """Like the demo: a gateway, a fan-out, databases, an external peer, one slow and one failing service."""
    s = {
        name: service(name)
        for name in (
            "gateway",
            "web",
            "api",
            "catalog",
            "cart",
            "orders",
            "pricing",
            "stock",
            "payment",
            "shipping",
            "recommendation-service",
            "mail",
        )
    }
    bank, carrier = (
        Node(NodeType.EXTERNAL, "bank.example:443"),
        Node(NodeType.CHANNEL, "parcels", system="kafka"),
    )
    return snapshot(
        [
            edge(CLIENT, s["gateway"], 9000, 30, 120),
            edge(s["gateway"], s["web"], 4000, 0, 80),
            edge(s["gateway"], s["api"], 5000, 30, 110),
            edge(s["web"], s["catalog"], 4000, 0, 30),
            edge(s["web"], s["recommendation-service"], 4000, 0, 45),
            edge(s["api"], s["catalog"], 2000, 0, 28),
            edge(s["api"], s["cart"], 2500, 0, 22),
            edge(s["api"], s["orders"], 900, 30, 400),
            edge(s["recommendation-service"], s["catalog"], 8000, 0, 25),
            edge(s["cart"], s["pricing"], 2500, 20, 9),
            edge(s["orders"], s["cart"], 900, 0, 21),
            edge(s["orders"], s["stock"], 900, 0, 14),
            edge(s["orders"], s["payment"], 880, 80, 380),
            edge(s["orders"], s["shipping"], 800, 0, 33),
            edge(s["shipping"], carrier, 800, 0, 3),
            edge(carrier, s["mail"], 800, 0, None),
            edge(s["mail"], s["orders"], 40, 0, 11),
            edge(s["payment"], bank, 880, 78, 350),
            edge(s["catalog"], database("catalog.db"), 14000, 0, 2),
            edge(s["orders"], database("orders.db"), 1800, 0, 4),
            edge(s["stock"], database("stock.db"), 900, 0, 3),
            edge(s["cart"], s["cart"], 300, 0, 5),
        ],
        alone=(service("batch"), service("reports")),
    )


HOSTILE = (
    "<script>alert(1)</script>",
    "a & b",
    "double \" and single '",
    "\u05e9\u05dc\u05d5\u05dd",
    "\u202egnorw\u202c",
    "bell\x07 null\x00 newline\n end",
    "lone \ud800 surrogate",
    "]]>",
    "\\N \\",
    "$\\frac{1}{0}$",
    "\u6771\u4eac\u30b5\u30fc\u30d3\u30b9",
    "W" * 500,
    "\x1f",
)


def hostile() -> GraphSnapshot:
    """Names that try to break out of a picture."""
    return snapshot([edge(service(name), database(name), 100, 2) for name in HOSTILE])


def small() -> GraphSnapshot:
    """One node of each type, each class of errors, a long edge, a call back and a self-call."""
    web, cart = service("web"), service("cart", namespace="shop", environment="prod")
    queue, bank = (
        Node(NodeType.CHANNEL, "orders", system="kafka"),
        Node(NodeType.EXTERNAL, "bank.example:443"),
    )
    return snapshot(
        [
            edge(CLIENT, web, 9000, 90, 120),
            edge(UNKNOWN_CALLER, web, 10, 0, None),
            edge(web, cart, 4500, 0, 30.5),
            edge(cart, cart, 45, 0, 2),
            edge(cart, database("cart & co.db"), 4500, 4, 1.25),
            edge(cart, queue, 900, 0, 3),
            edge(web, queue, 90, 0, 4),
            edge(queue, bank, 900, 90, 1500),
            edge(cart, web, 9, 0, 12),
        ],
        alone=(service("batch"),),
    )


def with_figures(shape: Shape, seed: int = 3) -> GraphSnapshot:
    """A synthetic graph with rates over four decades and some errors; who calls nobody is a database."""
    dice = random.Random(seed)
    callers = {caller for caller, _ in shape.edges}
    nodes = {name: service(name) if name in callers else database(name, "postgresql") for name in shape.nodes}
    edges = [_figures(nodes[a], nodes[b], dice) for a, b in shape.edges]
    return snapshot(edges, tuple(nodes.values()))


def _figures(caller: Node, callee: Node, dice: random.Random) -> EdgeStats:
    calls = int(10 ** dice.uniform(2, 6))
    return edge(
        caller, callee, calls, int(calls * max(0.0, dice.gauss(-0.04, 0.03))), 10 ** dice.uniform(0, 3)
    )
