from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.graph.histogram import BUCKETS, UPPER, buckets_of, middle_ms, upper_ms

durations = st.integers(2, 2**61)


def bucket(duration):
    return int(buckets_of(np.array([duration], np.int64))[0])


@settings(deadline=None)
@given(durations)
def test_a_duration_lies_between_its_buckets_bounds_exactly(duration):
    b = bucket(duration)
    assert Fraction(duration) ** 16 <= 2**b
    assert Fraction(duration) ** 16 > 2 ** (b - 1)


def test_every_bound_and_the_number_after_it_part():
    bounds = np.unique(UPPER)[:-1]
    assert (buckets_of(bounds) < buckets_of(bounds + 1)).all()


def test_the_ends_of_the_scale():
    assert buckets_of(np.array([-5, 0, 1, 2, 2**63 - 1], np.int64)).tolist() == [0, 0, 0, 16, BUCKETS - 1]


@settings(deadline=None)
@given(st.integers(1000, 2**61))
def test_the_middle_is_at_most_2_2_percent_away(duration):
    middle = float(middle_ms(np.array([bucket(duration)]))[0]) * 1e6
    assert abs(middle - duration) / duration < 0.0221


@settings(deadline=None)
@given(durations)
def test_the_upper_bound_is_not_below_the_duration(duration):
    assert float(upper_ms(np.array([bucket(duration)]))[0]) * 1e6 >= duration * (1 - 1e-12)
