"""Whatever spans come, in whatever order, pairing books what the oracle finds."""

from bisect import bisect_left
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.batches import Machine
from tests.property.oracle import Oracle, Span
from tests.property.systems import batches, nests, systems, tangles
from weft_collector.graph import cells as ce
from weft_collector.graph.outcomes import OUTCOMES
from weft_collector.graph.pairing_table import BOTH, CLIENT_ONLY, INFERRED, SERVER_ONLY
from weft_collector.graph.snapshot import Window

anything = st.one_of(systems(), tangles(), nests())


def bucket(duration):
    """The smallest b with duration <= 2**(b/16), exactly."""
    return (
        0
        if duration <= 1
        else bisect_left(range(992), True, key=lambda b: Fraction(duration) ** 16 <= 1 << b)
    )


def of_machine(machine):
    """{(minute, caller, callee): (calls, outcomes, the four kinds, both histograms)} out of the rows that stand."""
    edges = {}
    for (minute, caller, callee, client, server, sight, outcome), times in machine.calls.items():
        edge = edges.setdefault((minute, caller, callee), (Counter(), Counter(), Counter()))
        edge[0].update({"calls": times, sight: times} | ({OUTCOMES[outcome]: times} if outcome else {}))
        edge[1].update({client: times} if client >= 0 else {})
        edge[2].update({server: times} if server >= 0 else {})
    return edges


def of_rollup(machine, minutes):
    """The same out of the rollups, minute by minute."""
    edges = {}
    for minute in minutes:
        cells = machine.rollup.window(Window(minute, minute + 1))
        callers, callees = machine.rollup.ends(cells.code >> ce.CELL_BITS)
        rows = zip(callers, callees, (cells.code & ce.CELLS - 1).tolist(), cells.value.tolist(), strict=True)
        for caller, callee, cell, value in rows:
            names = machine.nodes.node(caller).id, machine.nodes.node(callee).id
            edge = edges.setdefault((minute, *names), (Counter(), Counter(), Counter()))
            if cell < ce.SERVER_AT:
                edge[1][cell] += value
            elif cell < ce.SIGHT_AT:
                edge[2][cell - ce.SERVER_AT] += value
            elif cell >= ce.OUTCOME_AT:
                edge[0][OUTCOMES[cell - ce.OUTCOME_AT]] += value
            else:
                edge[0].update({cell - ce.SIGHT_AT: value, "calls": value})
    return edges


def of_oracle(spans):
    edges = {}
    for key, edge in Oracle(spans).edges().items():
        sights = {
            BOTH: edge.both,
            CLIENT_ONLY: edge.client_only,
            SERVER_ONLY: edge.server_only,
            INFERRED: edge.inferred,
        }
        counts = Counter({"calls": edge.calls, **sights}) + edge.outcomes
        del counts["ok"]
        edges[key] = (counts, Counter(map(bucket, edge.client)), Counter(map(bucket, edge.server)))
    return edges


def check(spans, bodies, *, seed=7):
    machine = Machine(seed=seed)
    for body in bodies:
        machine.take(body)
    machine.settle()
    assert machine.waiting == 0
    expected = of_oracle(spans)
    assert of_machine(machine) == expected
    assert of_rollup(machine, {minute for minute, *_ in machine.rows}) == expected


@settings(deadline=None, max_examples=120)
@given(st.data(), anything)
def test_equals_the_oracle_in_any_order_and_batching(data, spans):
    check(spans, data.draw(batches(spans)))


@settings(deadline=None, max_examples=80)
@given(st.data(), nests())
def test_what_lies_in_what_is_known_in_any_order(data, spans):
    check(spans, data.draw(batches(spans)))


def test_the_half_of_a_caller_side_that_turns_to_a_channel_turns_too():
    place = {"trace": 1, "service": "a", "instance": "1"}
    half = Span(id=3, parent=11, start=6, **place)
    inner = Span(id=3, parent=1, kind="CLIENT", **place)
    check(spans := [half, inner, Span(id=1, kind="CLIENT", destination="t", **place)], [spans])


@settings(deadline=None, max_examples=30)
@given(st.data(), systems())
def test_order_does_not_matter(data, spans):
    check(spans, data.draw(batches(data.draw(st.permutations(spans)))))


@settings(deadline=None, max_examples=30)
@given(st.data(), anything)
def test_a_restart_in_the_middle_changes_nothing(data, spans):
    half = len(spans) // 2
    Machine(seed=1).take(spans[:half])
    check(spans, [spans[:half], spans[half:]], seed=2)


@settings(deadline=None, max_examples=30)
@given(st.data(), anything)
def test_ripening_in_between_changes_nothing_in_the_end(data, spans):
    machine = Machine()
    for now, body in enumerate(data.draw(batches(spans))):
        machine.take(body, now * 20_000_000_000).age(now * 20_000_000_000)
    machine.settle()
    assert of_machine(machine) == of_oracle(spans)


@pytest.mark.long
@settings(deadline=None, max_examples=5_000)
@given(st.data(), anything)
def test_equals_the_oracle_at_length(data, spans):
    check(spans, data.draw(batches(spans)))
