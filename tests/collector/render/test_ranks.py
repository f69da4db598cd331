from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.render.ranks import rank

DOWNWARD = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] < e[1]), max_size=30)


@given(DOWNWARD)
@settings(deadline=None)
def test_every_edge_goes_right_and_the_first_column_is_used(edges):
    ranks = rank(list(range(10)), sorted(edges))
    assert all(ranks[a] < ranks[b] for a, b in edges)
    assert min(ranks) == 0


def test_a_late_caller_stands_next_to_its_callee():
    assert rank([0, 1, 2, 3], [(0, 1), (1, 2), (3, 2)]) == [0, 1, 2, 1]


def test_a_node_with_room_goes_to_the_side_that_has_more_of_its_edges():
    # 5 is called by 0 and calls 3 and 4, which stand far right
    ranks = rank([0, 1, 2, 5, 3, 4], [(0, 1), (1, 2), (2, 3), (2, 4), (0, 5), (5, 3), (5, 4)])
    assert ranks[5] == 2


def test_with_as_many_callers_as_callees_it_stays_with_its_callers():
    assert rank([0, 1, 2, 3], [(0, 1), (1, 2), (2, 3), (0, 3)])[0] == 0
