from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.render.crossings import crossings_between, inversions, pair_crossings


@given(st.lists(st.integers(0, 12), max_size=40))
@settings(deadline=None)
def test_inversions_are_the_pairs_in_wrong_order(values):
    naive = sum(values[i] > values[j] for i in range(len(values)) for j in range(i, len(values)))
    assert inversions(values) == naive


def test_two_edges_that_swap_sides_cross():
    assert crossings_between([0, 1], [[3], [2], [], []], [0, 1, 0, 1]) == 1


def test_edges_that_share_an_end_do_not_cross():
    assert crossings_between([0, 1], [[2, 3], [3], [], []], [0, 1, 0, 1]) == 0


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
@settings(deadline=None)
def test_pair_crossings_count_far_ends_in_opposite_order(upper, lower):
    naive = sum(a > b for a in upper for b in lower)
    assert pair_crossings(sorted(upper), sorted(lower)) == naive
