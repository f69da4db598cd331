import math

import networkx as nx
import numpy as np
import pytest

from tests.property.batches import Machine
from tests.property.oracle import Span
from weft_collector.graph.build import to_networkx
from weft_collector.graph.nodes import NodeTable
from weft_collector.graph.pairing_table import ROW
from weft_collector.graph.rollup import Rollup
from weft_collector.graph.snapshot import Window
from weft_collector.graph.stats import Source, snapshot

MS = 1_000_000
WINDOW = Window(0, 2)


def graph_of(*bodies, unknown=False, window=WINDOW, seen=()):
    """The snapshot of spans, by way of pairing and rollups."""
    machine, rollup = Machine(), Rollup()
    for body in bodies:
        machine.take(body)
    machine.settle()
    rows = [
        (*key[:1], *map(numbers(machine), key[1:3]), *key[3:5], 1, *key[5:], 0)
        for key in machine.rows.elements()
    ]
    rollup.add(np.array(rows, ROW))
    for name in seen:
        number = machine.nodes.number(next(node for node in machine.nodes if node.id == name))
        rollup.see(np.array([0]), np.array([number], np.int32))
    return snapshot(
        Source(window, 3, rollup.window(window), rollup.ends, machine.nodes.node), unknown=unknown
    )


def numbers(machine):
    ids = {node.id: number for number, node in enumerate(machine.nodes)}
    return ids.__getitem__


def calls(durations, **fields):
    spans = []
    for n, (client, server) in enumerate(durations):
        trace = n + 1
        spans += [
            Span(trace, 1, kind="CLIENT", service="web", start=0, end=client),
            Span(trace, 2, 1, service="cart", start=0, end=server, **fields),
        ]
    return spans


def test_quantiles_of_a_hundred_calls_are_within_the_histograms_error():
    graph = graph_of(calls([(2 * n * MS, n * MS) for n in range(1, 101)]))
    [edge] = graph.edges
    assert (edge.calls, edge.errors, edge.completeness.both) == (100, 0, 100)
    for latency, factor in ((edge.client, 2), (edge.server, 1)):
        assert latency.samples == 100
        for found, rank in ((latency.p50_ms, 50), (latency.p95_ms, 95), (latency.p99_ms, 99)):
            assert found == pytest.approx(rank * factor, rel=0.0221)
        assert 100 * factor <= latency.max_ms <= 100 * factor * math.exp2(1 / 16)
    assert edge.rate == 100 / 120


def test_a_node_sums_its_inbound_edges():
    spans = [*calls([(4 * MS, 2 * MS)] * 3), Span(99, 1, service="cart", start=0, end=64 * MS, http=500)]
    graph = graph_of(spans)
    cart = next(stats for stats in graph.nodes if stats.node.id == "service:cart")
    inbound = [edge for edge in graph.edges if edge.callee == cart.node]
    assert (
        (cart.calls, cart.errors) == (4, 1) == (sum(e.calls for e in inbound), sum(e.errors for e in inbound))
    )
    assert (cart.client.samples, cart.server.samples) == (3, 4)
    assert cart.server.p99_ms == pytest.approx(64, rel=0.0221)
    web = next(stats for stats in graph.nodes if stats.node.id == "service:web")
    assert (web.outbound_calls, web.outbound_errors, web.calls, web.server) == (3, 0, 0, None)


def test_unknown_callers_are_hidden_unless_asked_for_and_never_in_the_totals():
    spans = [*calls([(MS, MS)]), Span(50, 2, 1, service="cart", start=0, end=MS)]
    shown, hidden = graph_of(spans, unknown=True), graph_of(spans)
    assert {edge.id for edge in shown.edges} - {edge.id for edge in hidden.edges} == {
        "unknown:->service:cart"
    }
    assert "unknown:" not in {stats.node.id for stats in hidden.nodes}
    assert shown.totals()["calls"] == hidden.totals()["calls"] == 1


def test_a_service_without_calls_is_there():
    graph = graph_of(
        calls([(MS, MS)]), [Span(9, 1, kind="INTERNAL", service="alone")], seen=["service:alone"]
    )
    alone = next(stats for stats in graph.nodes if stats.node.id == "service:alone")
    assert (alone.calls, alone.outbound_calls, alone.client) == (0, 0, None)


def test_a_window_without_calls_is_an_empty_graph():
    graph = graph_of(calls([(MS, MS)]), window=Window(5, 9))
    assert (graph.nodes, graph.edges, graph.pending) == ((), (), 0)


def test_the_answers_shape():
    answer = graph_of(calls([(4 * MS, 2 * MS)])).as_dict()
    assert answer["window"] == {
        "start": "1970-01-01T00:00:00Z",
        "end": "1970-01-01T00:02:00Z",
        "seconds": 120,
    }
    assert [node["id"] for node in answer["nodes"]] == ["service:cart", "service:web"]
    [edge] = answer["edges"]
    assert edge["id"] == "service:web->service:cart"
    assert edge["completeness"] == {"both": 1, "client_only": 0, "server_only": 0, "inferred": 0}
    assert set(edge["client"]) == {"samples", "p50_ms", "p95_ms", "p99_ms", "max_ms"}
    assert answer["nodes"][1]["server"] is None
    assert answer["totals"] == {"calls": 1, "errors": 0, "rate": 1 / 120}
    assert answer["pending"] == 0


def test_networkx_gets_every_figure():
    snapshot_ = graph_of(calls([(4 * MS, 2 * MS)] * 3))
    graph = to_networkx(snapshot_)
    assert graph.nodes["service:cart"]["calls"] == 3
    assert "client_p50_ms" not in graph.nodes["service:web"]
    edge = graph.edges["service:web", "service:cart", "calls"]
    assert (edge["calls"], edge["weight"], edge["both"], edge["errors"]) == (3, 3, 3, 0)
    assert edge["client_p50_ms"] == snapshot_.edges[0].client.p50_ms
    assert "".join(nx.generate_graphml(graph)).startswith("<graphml")


def test_the_node_table_gives_the_names():
    assert NodeTable().node(0).id == "client:"
