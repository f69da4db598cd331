from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.graph import cells as ce
from weft_collector.graph.pairing_table import ROW, WAITING_SIGHT
from weft_collector.graph.rollup import MINUTE_COST, Rollup
from weft_collector.graph.snapshot import Window

calls = st.tuples(
    st.integers(0, 5),  # minute
    st.integers(0, 3),  # caller
    st.integers(0, 3),  # callee
    st.integers(-1, 3),  # client
    st.integers(-1, 991),  # server
    st.just(1),
    st.integers(0, 4),  # sight
    st.integers(0, 1),  # failed
    st.just(0),
)


def rows(values):
    return np.array(values, ROW)


def counted(values):
    """{(caller, callee, cell): sum} by plain counting."""
    sums = Counter()
    for _, caller, callee, client, server, sign, sight, failed, _ in values:
        sums[caller, callee, ce.SIGHT_AT + sight] += sign
        if sight != WAITING_SIGHT:
            sums[caller, callee, ce.ERRORS_AT] += sign * failed
            sums[caller, callee, ce.CLIENT_AT + client] += sign * (client >= 0)
            sums[caller, callee, ce.SERVER_AT + server] += sign * (server >= 0)
    return {key: value for key, value in sums.items() if value}


def held(rollup, window):
    cells = rollup.window(window)
    callers, callees = rollup.ends(cells.code >> ce.CELL_BITS)
    keys = zip(callers.tolist(), callees.tolist(), (cells.code & ce.CELLS - 1).tolist(), strict=True)
    return dict(zip(keys, cells.value.tolist(), strict=True))


@settings(deadline=None)
@given(st.lists(st.lists(calls, max_size=20), max_size=12), st.data())
def test_a_window_is_the_sum_of_its_minutes_and_takes_back_what_is_taken_back(blocks, data):
    rollup = Rollup(edges=64)
    booked = [row for block in blocks for row in block]
    for block in blocks:
        rollup.add(rows(block))
    back = data.draw(st.lists(st.sampled_from(booked), unique_by=id)) if booked else []
    rollup.add(rows([(*row[:5], -1, *row[6:]) for row in back]))
    start, end = sorted(data.draw(st.tuples(st.integers(0, 6), st.integers(0, 6))))
    everything = booked + [(*row[:5], -1, *row[6:]) for row in back]
    assert held(rollup, Window(start, end)) == counted(row for row in everything if start <= row[0] < end)
    cost = sum(len(minute.total().code) + MINUTE_COST for minute in rollup._minutes.values())
    assert rollup.cells >= cost


def test_the_oldest_minute_goes_first_and_does_not_come_back():
    rollup = Rollup(cells=3 * MINUTE_COST + 12)
    for minute in (7, 5, 6, 8):
        rollup.add(rows([(minute, 4, 5, 1, 2, 1, 0, 0, 0)]))
    assert rollup.dropped_minutes == 1
    assert sorted(rollup._minutes) == [6, 7, 8]
    rollup.add(rows([(5, 4, 5, 1, 2, -1, 0, 0, 0)]))
    assert rollup.dropped_cells == 3
    assert sorted(rollup._minutes) == [6, 7, 8]
    assert min(rollup.window(Window(0, 9)).value) > 0


def test_too_many_edges_are_counted_as_other():
    rollup = Rollup(edges=4)
    rollup.add(rows([(1, n, n + 1, -1, 2, 1, 2, 0, 0) for n in range(10, 20)]))
    found = held(rollup, Window(1, 2))
    assert sum(value for (*_, cell), value in found.items() if cell == ce.SIGHT_AT + 2) == 10
    assert found[3, 3, ce.SIGHT_AT + 2] == rollup.refused_edges == 7


def test_a_minute_updated_a_thousand_times_stays_small():
    rollup = Rollup()
    for _ in range(1000):
        rollup.add(rows([(1, 4, 5, 1, 2, 1, 0, 0, 0)]))
    assert rollup.cells <= MINUTE_COST + 3 * 12
    assert held(rollup, Window(1, 2))[4, 5, ce.SIGHT_AT] == 1000


def test_more_counters_at_once_than_are_counted_at_a_time_are_none_the_less():
    rollup = Rollup(edges=1 << 14)
    values = [(1, 4 + n // 100, 4 + n % 100, n % 40, n % 90, 1, 0, n % 2, 0) for n in range(10_000)]
    rollup.add(rows(values + values[:10]))
    assert held(rollup, Window(1, 2)) == counted(values + values[:10])


def test_what_is_booked_and_taken_back_in_one_block_leaves_nothing():
    rollup = Rollup(edges=64)
    rollup.add(rows([(1, 4, 5, 1, 2, sign, 0, 1, 0) for sign in (1, -1)]))
    assert rollup.cells == 0
    assert held(rollup, Window(1, 2)) == {}


@pytest.mark.parametrize("edges", [10, 5000])
def test_few_and_many_edges_are_summed_alike(edges):
    rollup = Rollup(edges=1 << 13)
    ends = [(n % 100 + 4, n // 100 + 4) for n in range(edges)]
    for minute in (1, 2):
        rollup.add(rows([(minute, a, b, -1, 2, 1, 2, 0, 0) for a, b in ends]))
    found = held(rollup, Window(1, 3))
    assert found == {(a, b, cell): 2 for a, b in ends for cell in (ce.SERVER_AT + 2, ce.SIGHT_AT + 2)}
