import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.render.separation import separated

PLACES = st.lists(st.tuples(st.integers(-100, 100), st.integers(1, 9)), min_size=1, max_size=8)


def cost(places, wanted):
    return sum(weight * (place - want) ** 2 for place, (want, weight) in zip(places, wanted, strict=True))


def test_places_that_are_far_enough_apart_stay():
    assert separated([0.0, 10.0, 25.0], [1.0] * 3, [10.0, 10.0]) == [0.0, 10.0, 25.0]


def test_two_that_want_the_same_place_share_the_way():
    assert separated([0.0, 0.0], [1.0, 1.0], [10.0]) == [-5.0, 5.0]


def test_the_heavier_one_moves_less():
    assert separated([0.0, 0.0], [9.0, 1.0], [10.0]) == [-1.0, 9.0]


def test_nothing_to_place():
    assert separated([], [], []) == []


@given(PLACES, st.integers(0, 30))
@settings(deadline=None)
def test_order_and_distances_are_kept(wanted, distance):
    places = separated([w for w, _ in wanted], [k for _, k in wanted], [distance] * (len(wanted) - 1))
    assert all(b - a >= distance - 1e-6 for a, b in itertools.pairwise(places))


@given(PLACES, st.integers(0, 30), st.integers(0, 7), st.sampled_from([-0.5, 0.5]))
@settings(deadline=None)
def test_no_shift_of_a_stretch_that_keeps_the_distances_is_cheaper(wanted, distance, at, by):
    places = separated([w for w, _ in wanted], [k for _, k in wanted], [distance] * (len(wanted) - 1))
    for end in range(at + 1, len(places) + 1):
        moved = [p + by if at <= i < end else p for i, p in enumerate(places)]
        if all(b - a >= distance for a, b in itertools.pairwise(moved)):
            assert cost(moved, wanted) >= cost(places, wanted) - 1e-6
