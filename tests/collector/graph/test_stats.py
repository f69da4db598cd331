import itertools
import math
from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.batches import Machine
from tests.property.oracle import Span
from weft_collector.graph.build import to_networkx
from weft_collector.graph.histogram import QUANTILES, buckets_of, middle_ms, upper_ms
from weft_collector.graph.nodes import Node, NodeTable, NodeType
from weft_collector.graph.outcomes import EXCEPTION
from weft_collector.graph.pairing_table import ROW
from weft_collector.graph.rollup import Rollup
from weft_collector.graph.snapshot import Window
from weft_collector.graph.stats import Source, graph_table

MS = 1_000_000
WINDOW = Window(0, 2)


def graph_of(*bodies, **options):
    """The snapshot of spans, by way of pairing and rollups."""
    return table_of(*bodies, **options).values


def table_of(*bodies, unknown=False, window=WINDOW, seen=()):
    """The same as columns."""
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
    source = Source(window, 3, rollup.window(window), rollup.ends, machine.nodes.node)
    return graph_table(source, unknown=unknown)


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


def test_outcomes_are_told_by_class_and_sum_to_the_calls():
    spans = [
        *calls([(2 * MS, MS)] * 3),
        Span(50, 1, kind="CLIENT", service="web", start=0, end=MS, error_type="ReadTimeout"),
        Span(50, 2, 1, service="cart", start=0, end=MS),
        Span(51, 1, service="cart", start=0, end=MS, http=404),
        Span(52, 1, service="cart", start=0, end=MS, rpc="grpc", error_type="INTERNAL"),
    ]
    graph = graph_of(spans)
    edges = {edge.id: edge for edge in graph.edges}
    assert edges["service:web->service:cart"].outcomes == {"ok": 3, "timeout": 1}
    assert edges["client:->service:cart"].outcomes == {"4xx": 1, "INTERNAL": 1}
    assert [edge.errors for edge in edges.values()] == [1, 1]
    nodes = {stats.node.name: stats for stats in graph.nodes}
    assert nodes["cart"].outcomes == {"ok": 3, "4xx": 1, "INTERNAL": 1, "timeout": 1}
    assert nodes["web"].outcomes == {}


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
    assert edge["outcomes"] == answer["nodes"][0]["outcomes"] == {"ok": 1}
    assert edge["completeness"] == {"both": 1, "client_only": 0, "server_only": 0, "inferred": 0}
    assert set(edge["client"]) == {"samples", "p50_ms", "p95_ms", "p99_ms", "max_ms"}
    assert answer["nodes"][1]["server"] is None
    assert answer["totals"] == {"calls": 1, "errors": 0, "rate": 1 / 120}
    assert answer["pending"] == 0


def test_networkx_gets_every_figure():
    table = table_of(calls([(4 * MS, 2 * MS)] * 3))
    graph = to_networkx(table)
    assert graph.nodes["service:cart"]["calls"] == 3
    assert "client_p50_ms" not in graph.nodes["service:web"]
    edge = graph.edges["service:web", "service:cart", "calls"]
    assert (edge["calls"], edge["weight"], edge["both"], edge["errors"]) == (3, 3, 3, 0)
    assert edge["client_p50_ms"] == table.values.edges[0].client.p50_ms
    assert edge["outcome_ok"] == 3
    assert (graph.graph["seconds"], graph.graph["version"]) == (120, 3)
    assert "".join(nx.generate_graphml(graph)).startswith("<graphml")


def test_networkx_graphs_are_made_once_for_each_table_and_do_not_change():
    table = table_of(calls([(4 * MS, 2 * MS)]))
    graph = to_networkx(table)
    assert to_networkx(table) is graph
    with pytest.raises(nx.NetworkXError):
        graph.remove_node("service:cart")


def test_edges_are_sorted_by_id_even_where_one_name_begins_another():
    names = ["a", "a-", "a-0", "a.b", "a:b", "a~", "ab", "A"]
    spans = [
        span
        for n, (caller, callee) in enumerate(itertools.product(names, repeat=2))
        for span in (
            Span(n + 1, 1, kind="CLIENT", service=caller, start=0, end=2),
            Span(n + 1, 2, 1, service=callee, instance="2", start=0, end=1),
        )
    ]
    graph = graph_of(spans)
    ids = [edge.id for edge in graph.edges]
    assert len(ids) == len(names) ** 2
    assert ids == sorted(ids)
    assert [stats.node.id for stats in graph.nodes] == sorted(stats.node.id for stats in graph.nodes)


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 10**12)), min_size=1, max_size=60))
def test_figures_are_those_of_a_sorted_list(durations):
    graph = graph_of(calls(durations))
    [edge] = graph.edges
    for side, latency in enumerate((edge.client, edge.server)):
        buckets = sorted(buckets_of(np.array([pair[side] for pair in durations])).tolist())
        ranks = [math.ceil(q * len(buckets)) - 1 for q in QUANTILES]
        expected = [*(middle_ms(np.array(buckets[rank])) for rank in ranks), upper_ms(np.array(buckets[-1]))]
        assert [latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms] == expected


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(1, 10**9)), max_size=30)
)
def test_a_nodes_figures_are_those_of_all_calls_that_reach_it(made):
    spans = [
        span
        for n, (caller, callee, took) in enumerate(made)
        for span in (
            Span(n + 1, 1, kind="CLIENT", service=caller, start=0, end=2 * took),
            Span(n + 1, 2, 1, service=callee, instance="2", start=0, end=took),
        )
    ]
    for stats in graph_of(spans).nodes:
        took = [t for _, callee, t in made if callee == stats.node.name]
        assert stats.calls == len(took) == (stats.server.samples if stats.server else 0)
        assert stats.outbound_calls == sum(caller == stats.node.name for caller, *_ in made)
        if took:
            assert stats.server.max_ms == upper_ms(buckets_of(np.array([max(took)])))[0]


def test_a_very_large_graph_is_in_order():
    nodes, edges = 700, 20_000
    table, rollup = NodeTable(), Rollup()
    numbers = [table.number(Node(NodeType.SERVICE, f"s{n}")) for n in range(nodes)]
    ends = [(numbers[n % nodes], numbers[n * 7919 // nodes % nodes]) for n in range(edges)]
    rollup.add(np.array([(0, a, b, 1, 2, 1, 0, n % 2 * EXCEPTION, 0) for n, (a, b) in enumerate(ends)], ROW))
    graph = graph_table(Source(WINDOW, 1, rollup.window(WINDOW), rollup.ends, table.node)).values
    assert {(e.caller, e.callee): e.calls for e in graph.edges} == Counter(
        (table.node(a), table.node(b)) for a, b in ends
    )
    assert sum(stats.calls for stats in graph.nodes) == edges
    assert sum(stats.outbound_errors for stats in graph.nodes) == edges // 2


def test_the_node_table_gives_the_names():
    assert NodeTable().node(0).id == "client:"
