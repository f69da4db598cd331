"""The filters of a segment: the same verdicts in memory, in bytes, and one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.errors import CorruptLog
from weft_collector.store.bloom import build, may_hold
from weft_collector.store.token_filters import TokenFilters

SAMPLE = settings(deadline=None)
tokens = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 50), max_size=40).map(
    lambda found: np.array(found, np.uint64)
)
EVERYTHING = np.zeros(0, np.uint64)


@SAMPLE
@given(st.lists(tokens | st.none(), max_size=8), st.lists(tokens, max_size=3))
def test_blocks_are_found_by_their_filters(blocks, conditions):
    filters = [EVERYTHING if held is None else build(held, 16) for held in blocks]
    made = TokenFilters.of((1000 * at, filter_) for at, filter_ in enumerate(filters))
    again = TokenFilters.from_bytes(made.to_bytes())
    expected = [
        1000 * at
        for at, filter_ in enumerate(filters)
        if all(len(filter_) == 0 or any(may_hold(filter_, int(t)) for t in one) for one in conditions)
    ]
    assert made.blocks_with(conditions).tolist() == again.blocks_with(conditions).tolist() == expected
    assert again.to_bytes() == made.to_bytes()
    assert made.blocks_with(conditions).dtype == np.uint32


def test_a_condition_is_met_by_any_of_its_tokens_and_all_conditions_must_be():
    made = TokenFilters.of(
        (at, build(np.array(held, np.uint64), 16)) for at, held in enumerate([[1], [2], [1, 2]])
    )
    one, two = (np.array([token], np.uint64) for token in (1, 2))
    assert made.blocks_with([one]).tolist() == [0, 2]
    assert made.blocks_with([one, two]).tolist() == [2]
    assert made.blocks_with([np.concatenate([one, two])]).tolist() == [0, 1, 2]
    assert made.blocks_with([]).tolist() == [0, 1, 2]


def test_the_lines_begin_at_a_multiple_of_64():
    data = TokenFilters.of((at, build(np.array([at], np.uint64), 16)) for at in range(7)).to_bytes()
    assert len(data) == 128 + 7 * 64
    assert data[:16] == b"WeftTok\n\x07\0\0\0\0\0\0\0"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:15],
        lambda data: data[:100],
        lambda data: data[:-1],
        lambda data: data[:-64],
        lambda data: data + bytes(64),
        lambda data: b"X" + data[1:],
        lambda data: data[:8] + b"\xff\xff\xff\xff" + data[12:],
        lambda data: data[:24] + b"\xff\xff\xff\xff" + data[28:],
        lambda data: data[:16] + data[20:24] + data[16:20] + data[24:],
    ],
)
def test_damaged_bytes_are_refused(damage):
    data = TokenFilters.of((at, build(np.array([at], np.uint64), 16)) for at in range(2)).to_bytes()
    TokenFilters.from_bytes(data)
    with pytest.raises(CorruptLog):
        TokenFilters.from_bytes(damage(data))


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="fit"):
        TokenFilters(np.zeros(1, np.uint32), np.ones(2, np.uint32), np.zeros(16, np.uint64))
