"""Bloom filters against a set, and against their format written down in plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.store import bloom
from weft_collector.store.bloom import Filters, build, fitting, may_hold, may_hold_any

WORD = (1 << 64) - 1
SAMPLE = settings(deadline=None)  # the first example may compile a kernel
keys_of_any_kind = st.lists(st.integers(0, WORD) | st.integers(0, 300), max_size=60)


def array(keys) -> np.ndarray:
    return np.array(list(keys), np.uint64)


def fold(a: int, b: int) -> int:
    return a * b >> 64 ^ a * b & WORD


def naive(keys, lines: int) -> list[int]:
    """The words of a filter, as the head of `bloom.py` says."""
    words = [0] * (8 * lines)
    for key in keys:
        first = fold(key ^ 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)
        second = fold(first ^ 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3)
        line = (first >> 32) * lines >> 32
        for word in range(8):
            words[8 * line + word] |= 1 << (second >> 6 * word & 63)
    return words


@SAMPLE
@given(keys_of_any_kind, st.integers(1, 40))
def test_the_words_are_those_of_the_format(keys, bits_per_key):
    lines = max(1, -(-len(keys) * bits_per_key // 512))
    assert build(array(keys), bits_per_key).tolist() == naive(keys, lines)


@SAMPLE
@given(keys_of_any_kind, keys_of_any_kind)
def test_a_key_that_was_put_in_is_never_denied(keys, others):
    filter_ = build(array(keys), 16)
    assert all(may_hold(filter_, key) for key in keys)
    whole = naive(keys, len(filter_) // 8)
    for other in others:  # and a key that was not is denied exactly where a bit of it is missing
        alone = naive([other], len(filter_) // 8)
        assert may_hold(filter_, other) == all(a & b == a for a, b in zip(alone, whole, strict=True))


@SAMPLE
@given(st.lists(keys_of_any_kind, max_size=6), keys_of_any_kind)
def test_many_filters_at_once_say_what_each_says(held, asked):
    filters = [build(array(keys), 16) for keys in held]
    expected = [any(may_hold(filter_, key) for key in asked) for filter_ in filters]
    assert may_hold_any(filters, array(asked)).tolist() == expected


@SAMPLE
@given(st.lists(keys_of_any_kind, max_size=5), st.lists(keys_of_any_kind, max_size=4))
def test_a_filter_fits_if_it_may_hold_a_key_of_every_condition(held, conditions):
    filters = [*(build(array(keys), 12) for keys in held), build(array([]), 0)[:0]]
    places = Filters(
        np.array([filter_.ctypes.data for filter_ in filters], np.int64),
        np.array([len(filter_) // 8 for filter_ in filters], np.int64),
    )
    expected = [
        all(any(may_hold(filter_, key) for key in condition) for condition in conditions)
        for filter_ in filters[:-1]
    ]
    assert fitting(places, [array(keys) for keys in conditions]).tolist() == [*expected, True]


def test_a_filter_of_no_keys_denies_all_and_one_without_lines_nothing():
    assert not may_hold_any([build(array([]), 16)], array(range(1000))).any()
    assert may_hold(np.zeros(0, np.uint64), 7)


@pytest.mark.parametrize("first", [0, 1 << 63, 0xFFFF_FFFF_0000_0000])
@pytest.mark.parametrize(("bits_per_key", "most"), [(16, 1.0e-3), (20, 4e-4)])
def test_few_absent_keys_seem_to_be_there(first, bits_per_key, most):
    held, asked = np.arange(60_000, dtype=np.uint64), np.arange(60_000, 160_000, dtype=np.uint64)
    filter_ = build(held + np.uint64(first), bits_per_key)
    places = Filters(np.full(1, filter_.ctypes.data, np.int64), np.full(1, len(filter_) // 8, np.int64))
    wrong = sum(
        bool(fitting(places, [one])[0]) for one in np.split(asked[:20_000] + np.uint64(first), 20_000)
    )
    assert wrong <= 20_000 * most * 1.3  # what is drawn differs from what is expected
    assert filter_.nbytes <= 60_000 * bits_per_key // 8 + bloom.LINE_BYTES


@settings(SAMPLE, max_examples=20)
@given(st.integers(1, 7))
def test_keys_that_share_a_line_harm_only_their_own_filter(line):
    lines = 8
    hostile = [
        key for key in range(20_000) if fold(key ^ 0xA0761D6478BD642F, 0xE7037ED1A0B428DB) >> 61 == line
    ]
    filter_ = build(array(hostile[: 8 * 32]), 16)
    assert len(filter_) == 8 * lines
    assert all(may_hold(filter_, key) for key in hostile[: 8 * 32])
    assert filter_.reshape(lines, 8).any(axis=1).tolist() == [at == line for at in range(lines)]
