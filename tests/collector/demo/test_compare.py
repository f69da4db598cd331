from tests.collector.demo.graphs import graph
from weft_collector.demo.compare import Row, compare, edges, touching
from weft_collector.demo.counters import Count, Edge


def test_nodes_get_the_names_that_handlers_use():
    answer = graph(
        ("client:", "service:web", 3, 0),
        ("service:web", "database:sqlite/shop.db", 2, 1),
        ("service:web", "external:10.0.0.7:80", 1, 0),
        ("unknown:", "service:web", 1, 0),
    )
    assert edges(answer) == {
        Edge("client", "web"): Count(3, 0),
        Edge("web", "sqlite/shop.db"): Count(2, 1),
        Edge("web", "external:10.0.0.7:80"): Count(1, 0),
        Edge("unknown:", "web"): Count(1, 0),
    }


def test_equal_counts_are_equal():
    both = {Edge("a", "b"): Count(2, 1)}
    assert [row.equal for row in compare(both, both)] == [True]


def test_every_kind_of_difference_is_a_row_that_is_not_equal():
    seen = {Edge("a", "b"): Count(2, 1), Edge("a", "c"): Count(2, 1), Edge("false", "edge"): Count(1, 0)}
    counted = {Edge("a", "b"): Count(3, 1), Edge("a", "c"): Count(2, 0), Edge("missing", "edge"): Count(1, 0)}
    rows = compare(seen, counted)
    assert [row.edge for row in rows] == sorted({*seen, *counted})
    assert not any(row.equal for row in rows)


def test_an_edge_without_calls_differs_from_no_edge():
    assert not Row(Edge("a", "b"), None, Count(0, 0)).equal


def test_edges_of_other_programs_are_left_out_but_no_edge_of_ours():
    own = {
        Edge("client", "web"): Count(1, 0),
        Edge("web", "other"): Count(1, 0),
        Edge("unknown:", "web"): Count(1, 0),
    }
    foreign = {Edge("client", "other"): Count(1, 0), Edge("other", "another"): Count(1, 0)}
    assert touching({**own, **foreign}, ("web", "cart")) == own
