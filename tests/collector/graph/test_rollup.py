from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.graph import cells as ce
from weft_collector.graph.levels import STRETCH_COST
from weft_collector.graph.outcomes import CLASSES
from weft_collector.graph.pairing_table import ROW, WAITING_SIGHT
from weft_collector.graph.rollup import DAY, HOUR, Bounds, Rollup
from weft_collector.graph.snapshot import Window

MINUTES = st.integers(0, 4 * DAY) | st.integers(0, 4).map(DAY.__mul__) | st.integers(0, 5)
calls = st.tuples(
    st.integers(0, 5) | st.integers(0, 4 * DAY - 1),  # minute
    st.integers(0, 3),  # caller
    st.integers(0, 3),  # callee
    st.integers(-1, 3),  # client
    st.integers(-1, 991),  # server
    st.just(1),
    st.integers(0, 4),  # sight
    st.integers(0, CLASSES - 1),  # outcome
    st.just(0),
)


def rows(values):
    return np.array(values, ROW)


def taken_back(row):
    return (*row[:5], -row[5], *row[6:])


def counted(values):
    """{(caller, callee, cell): sum} by plain counting."""
    sums = Counter()
    for _, caller, callee, client, server, sign, sight, outcome, _ in values:
        sums[caller, callee, ce.SIGHT_AT + sight] += sign
        if sight != WAITING_SIGHT:
            sums[caller, callee, ce.OUTCOME_AT + outcome] += sign * (outcome > 0)
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
    rollup = Rollup(Bounds(minutes=9 * DAY), edges=64)
    booked = [row for block in blocks for row in block]
    for block in blocks:
        rollup.add(rows(block))
    back = data.draw(st.lists(st.sampled_from(booked), unique_by=id)) if booked else []
    rollup.add(rows([taken_back(row) for row in back]))
    start, end = sorted(data.draw(st.tuples(MINUTES, MINUTES)))
    everything = booked + [taken_back(row) for row in back]
    assert rollup.effective(Window(start, end)) == Window(start, end)
    assert held(rollup, Window(start, end)) == counted(row for row in everything if start <= row[0] < end)


@settings(deadline=None)
@given(
    st.lists(st.lists(calls, max_size=20), max_size=12),
    st.integers(4, 5000),
    st.integers(1, 3 * DAY),
    st.integers(1, 60),
    st.data(),
)
def test_a_bounded_rollup_answers_for_a_wider_window_never_for_half_of_one(
    blocks, cells, minutes, hours, data
):
    rollup = Rollup(Bounds(cells, minutes, hours), edges=64)
    everything = []
    for block in blocks:
        back = data.draw(st.lists(st.sampled_from(everything), max_size=3)) if everything else []
        block += [taken_back(row) for row in back]
        everything += block
        rollup.add(rows(block))
        assert rollup.cells <= cells
        asked = Window(*sorted(data.draw(st.tuples(MINUTES, MINUTES))))
        first, last = rollup.effective(asked)
        assert first <= asked.start_minute
        assert asked.end_minute <= last
        assert first == asked.start_minute or first % HOUR == 0
        assert last == asked.end_minute or last % HOUR == 0
        gone = rollup._levels[-1].floor * DAY
        expected = counted(row for row in everything if max(first, gone) <= row[0] < last)
        assert held(rollup, Window(first, last)) == expected


def test_old_minutes_become_hours_and_old_hours_days():
    rollup = Rollup(Bounds(minutes=2 * HOUR, hours=30))
    for minute in (10, HOUR + 5, 40 * HOUR + 7, 41 * HOUR + 50):
        rollup.add(rows([(minute, 4, 5, 1, 2, 1, 0, 0, 0)]))
    assert rollup.effective(Window(11, 12)) == Window(0, DAY)
    assert rollup.effective(Window(20 * HOUR + 1, 20 * HOUR + 2)) == Window(20 * HOUR, 21 * HOUR)
    assert rollup.effective(Window(40 * HOUR, 41 * HOUR + 1)) == Window(40 * HOUR, 41 * HOUR + 1)
    assert rollup.effective(Window(9 * HOUR, 41 * HOUR + 1)) == Window(0, 41 * HOUR + 1)
    assert held(rollup, Window(0, 41 * HOUR + 1))[4, 5, ce.SIGHT_AT] == 3
    assert list(rollup.let_go.values()) == [2, 2, 0, 0]


def test_what_comes_late_for_a_minute_that_went_is_in_its_hour():
    rollup = Rollup(Bounds(minutes=HOUR))
    rollup.add(rows([(100 * HOUR, 4, 5, 1, 2, 1, 0, 0, 0)]))
    rollup.add(rows([(90 * HOUR + 3, 4, 5, 1, 2, 1, 0, 0, 0)]))
    assert held(rollup, rollup.effective(Window(90 * HOUR, 90 * HOUR + 1)))[4, 5, ce.SIGHT_AT] == 1
    assert rollup.let_go["rollup_dropped", "late_counters"] == 0


def test_days_that_went_do_not_come_back():
    rollup = Rollup(Bounds(cells=6 * (STRETCH_COST + 3)))
    for day in (7, 5, 6, 8):
        rollup.add(rows([(day * DAY, 4, 5, 1, 2, 1, 0, 0, 0)]))
    assert rollup.let_go["rollup_dropped", "days"] == 2
    assert rollup.effective(Window(7 * DAY + 1, 7 * DAY + 2)) == Window(7 * DAY + 1, 7 * DAY + 2)
    rollup.add(rows([(5 * DAY, 4, 5, 1, 2, -1, 0, 0, 0)]))
    assert rollup.let_go["rollup_dropped", "late_counters"] == 3
    assert held(rollup, Window(0, 20 * DAY))[4, 5, ce.SIGHT_AT] == 2


def test_a_day_has_more_calls_than_four_bytes_can_count():
    rollup = Rollup(edges=64)
    many = ce.Cells(
        np.array([(n << ce.EDGE_BITS | 3) << ce.CELL_BITS for n in range(3)]), np.full(3, 1 << 31)
    )
    ends = np.full(4, 4 << 16 | 5, np.uint32)
    ends[:3] = 1, 2, 3
    rollup.load(many, ends)
    rollup.load(many, ends)
    assert held(rollup, Window(0, DAY)) == {(4, 5, 0): 6 << 31}


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
    assert rollup.cells <= 3 * (STRETCH_COST + 1024)
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
