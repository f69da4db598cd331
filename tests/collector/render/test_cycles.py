from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.render.cycles import acyclic_order, forward_edges

EDGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] != e[1]), max_size=40)


def against(order, edges):
    return sum(order.index(a) > order.index(b) for a, b in edges)


@given(EDGES)
@settings(deadline=None)
def test_the_order_holds_every_node_once(edges):
    assert sorted(acyclic_order(10, edges)) == list(range(10))


@given(EDGES)
@settings(deadline=None)
def test_an_acyclic_graph_has_no_edge_against_the_order(edges):
    downward = {(min(e), max(e)) for e in edges}
    assert against(acyclic_order(10, downward), downward) == 0


@given(EDGES)
@settings(deadline=None)
def test_at_most_half_of_the_edges_go_against_the_order(edges):
    distinct = set(edges)
    assert against(acyclic_order(10, distinct), distinct) <= len(distinct) / 2


@given(EDGES)
@settings(deadline=None)
def test_forward_edges_follow_the_order_and_keep_every_pair(edges):
    order, forward = forward_edges(10, edges)
    assert against(order, forward) == 0
    assert {frozenset(e) for e in forward} == {frozenset(e) for e in edges}


def test_a_ring_loses_one_edge_only():
    ring = [(i, (i + 1) % 5) for i in range(5)]
    assert against(acyclic_order(5, ring), ring) == 1


def test_a_call_back_to_the_entry_is_the_one_turned_around():
    edges = [(0, 1), (1, 2), (1, 3), (2, 4), (4, 1)]
    order = acyclic_order(5, edges)
    assert [e for e in edges if order.index(e[0]) > order.index(e[1])] == [(4, 1)]


def test_of_two_that_call_each_other_the_one_called_from_outside_stays_in_front():
    edges = [(2, 1), (1, 0), (0, 1)]  # 2 is the entry and calls 1
    order = acyclic_order(3, edges)
    assert order.index(1) < order.index(0)


def test_ties_go_to_the_smaller_number():
    assert acyclic_order(2, [(0, 1), (1, 0)]) == [0, 1]
