from dataclasses import replace

import pytest

from tests.collector.render.graphs import database, edge, node_stats, service, small, snapshot
from weft_collector.graph.nodes import CLIENT
from weft_collector.graph.snapshot import Exactness, Window
from weft_collector.render import captions


def figures(node, edges):
    return captions.node_figures(node_stats(node, edges), 900)


def test_a_box_shows_the_calls_that_reach_it():
    web = service("web")
    assert figures(web, [edge(CLIENT, web, 9000, 90)]) == "10/s \u00b7 1 % err"


def test_who_is_never_called_shows_what_it_calls():
    assert figures(CLIENT, [edge(CLIENT, service("web"), 9000)]) == "calls 10/s"


def test_a_node_without_calls_says_so():
    assert figures(service("batch"), []) == "no calls"


def test_home_tells_namesakes_apart():
    assert figures(service("a", namespace="shop", environment="prod"), []) == "no calls \u00b7 prod/shop"
    assert figures(database("a.db"), []) == "no calls \u00b7 sqlite"


def test_a_title_tells_all():
    web, db = service("web"), database("a.db")
    edges = [edge(web, db, 900, 9, 20)]
    assert captions.node_title(node_stats(db, edges)).splitlines() == [
        "database: a.db (sqlite)",
        "900 calls in, 9 errors (1 %)",
        "0 calls out, 0 errors",
        "measured by the caller: p50 5 ms, p95 20 ms, p99 30 ms",
    ]
    assert captions.edge_title(edges[0]).splitlines() == [
        "web calls a.db",
        "900 calls, 1/s",
        "9 errors (1 %)",
        "measured by the caller: p50 5 ms, p95 20 ms, p99 30 ms",
    ]


def test_a_label_is_the_p95_and_nothing_where_nobody_measured():
    assert captions.edge_label(edge(CLIENT, service("a"), p95_ms=1250)) == "p95 1.25 s"
    assert captions.edge_label(edge(CLIENT, service("a"), p95_ms=None)) == ""


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (Window(29_000_000, 29_000_015), "2025-02-19 21:20 to 21:35 UTC"),
        (Window(29_000_000, 29_000_000 + 1440), "2025-02-19 21:20 to 2025-02-20 21:20 UTC"),
    ],
)
def test_windows(window, text):
    assert captions.window_text(window) == text


def test_the_summary_has_window_size_and_totals():
    web = service("web")
    graph = snapshot([edge(CLIENT, web, 9000, 90), edge(web, service("a"), 900)])
    assert captions.summary(graph) == (
        "2025-02-19 21:20 to 21:35 UTC \u00b7 3 nodes, 2 edges \u00b7 9,900 calls (11/s) \u00b7 0.91 % errors"
        " \u00b7 100 % of calls between services seen from both sides"
    )


def test_the_summary_says_what_may_be_judged_anew():
    graph = replace(snapshot([]), exactness=Exactness(3, 0, 1200))
    assert captions.summary(graph).endswith(" · 1,200 late spans may be judged anew")


def test_the_summary_leaves_out_unknown_callers_like_the_totals():
    assert f"{small().totals()['calls']:,} calls" in captions.summary(small())


def test_the_summary_of_an_empty_graph():
    assert (
        captions.summary(snapshot([]))
        == "2025-02-19 21:20 to 21:35 UTC \u00b7 0 nodes, 0 edges \u00b7 0 calls (0/min)"
    )
