"""A table that is too small forgets spans, counts them, and keeps its balance."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.batches import SECOND, Machine
from tests.property.oracle import Span
from tests.property.systems import batches, nests, systems, tangles

CALL = Span(1, 2, 1, kind="CLIENT", service="web", start=10, end=800)
CART = Span(1, 3, 2, service="cart", start=20, end=700)


def filler(count, trace=50):
    return [Span(trace, n + 1, kind="INTERNAL", service="filler") for n in range(count)]


def test_a_waiting_caller_side_is_booked_to_its_peer_as_it_leaves():
    machine = Machine(capacity=16).take([CALL]).take(filler(16))
    assert machine.edges == {("service:web", "unknown:peer"): 1}
    assert machine.waiting == 0
    counters = machine.pairing.counters()
    assert (counters["evicted"], counters["evicted_waiting"]) == (1, 1)


def test_a_call_stays_booked_when_its_spans_leave():
    machine = Machine(capacity=16).take([CALL, CART]).take(filler(40)).settle()
    assert machine.edges == {("service:web", "service:cart"): 1}


def test_a_caller_side_does_not_turn_to_its_peer_when_its_callee_leaves():
    machine = Machine(capacity=16).take([CART, CALL]).take(filler(15)).age(99 * SECOND)
    assert machine.edges == {("service:web", "service:cart"): 1}


OUTER = Span(1, 2, 1, kind="CLIENT", service="web", db_system="elasticsearch")
INNER = Span(1, 3, 2, kind="CLIENT", service="web", address="es.example")
LENT = {("service:web", "database:elasticsearch/elasticsearch"): 1}


def test_a_wrapper_stays_one_when_what_it_wraps_leaves():
    machine = Machine(capacity=16).take([INNER, OUTER]).take(filler(15)).age(99 * SECOND)
    assert machine.edges == LENT


def test_a_lent_name_stays_when_its_lender_leaves():
    machine = Machine(capacity=16).take([OUTER, INNER]).take(filler(15))
    machine.take([Span(1, 2, 1, kind="INTERNAL", service="web")]).settle()
    assert machine.edges == LENT


def test_figures_that_left_with_the_first_callee_are_given_to_no_other():
    machine = Machine(capacity=16).take([CART, CALL]).take(filler(15))
    machine.take([replace(CART, id=4, start=5)]).settle()
    assert sorted(row[3] >= 0 for row in machine.calls) == [False, True]


def test_the_arrival_after_2_to_the_n_finds_an_index_without_gaps():
    machine = Machine(capacity=16)
    for trace in range(2, 200):
        machine.take([replace(CALL, trace=trace), replace(CART, trace=trace)])
    assert machine.settle().edges == {("service:web", "service:cart"): 198}
    assert machine.pairing.counters()["evicted"] == 2 * 198 - 16


def homes(seed, trace, ids, places):
    """Where the index by id would like to have the spans of a trace; the hash of `pairing_index.mix`."""

    def fold(left, right):
        return (left * right ^ (left * right) >> 64) & (1 << 64) - 1

    first = fold(trace ^ seed, 0x1E3779B97F4A7C15)
    return [fold(first ^ span, 0x3F58476D1CE4E5B9) % places for span in ids]


def test_a_run_of_the_index_longer_than_its_homes_can_tell_is_shifted_right():
    capacity, wanted = 128, range(3, 7)
    found = zip(range(1, 1 << 16), homes(7, 9, range(1, 1 << 16), 2 * capacity), strict=True)
    ids = [span for span, home in found if home in wanted][:capacity]
    assert len(ids) == capacity
    crowded = [replace(CALL, trace=9, id=span) for span in ids]
    machine = Machine(capacity=capacity, seed=7).take(crowded)
    index = machine.pairing._table.indexes[0]
    assert index[wanted.start : wanted.start + capacity].all()
    for at, span in enumerate(crowded):
        # A duplicate of what is there is found; the oldest leaves for each new one, and is found no more.
        machine.take(crowded[at:])
        assert machine.pairing.counters()["duplicates"] == sum(range(capacity - at, capacity + 1))
        machine.take([replace(span, trace=10)])
    assert (index != 0).sum() == capacity


@settings(deadline=None, max_examples=60)
@given(st.data(), st.one_of(systems(), tangles(), nests()))
def test_nothing_breaks_and_no_count_turns_negative(data, spans):
    machine = Machine(capacity=16)
    for body in data.draw(batches(spans)):
        machine.take(body)
        assert min(machine.rows.values(), default=0) >= 0
    machine.settle()
    assert machine.waiting == 0
    counters = machine.pairing.counters()
    left_out = counters["duplicates"] + counters["conflicting"] + counters["crowded"]
    assert counters["evicted"] == max(0, len(spans) - left_out - 16)


@settings(deadline=None, max_examples=30)
@given(st.data(), st.one_of(systems(), tangles(), nests()))
def test_an_output_that_fills_up_at_every_step_changes_nothing(data, spans):
    small, large = Machine(rows=1), Machine()
    for machine in (small, large):
        machine.take(spans).settle()
    assert small.calls == large.calls
