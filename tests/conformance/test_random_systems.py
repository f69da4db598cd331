"""Random systems: the oracle looks at no order, and agrees with the older one wherever that knows the rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance import conventions, sums
from tests.conformance.oracle import Oracle
from tests.property import oracle as older
from tests.property.bodies import SPAN_WORDS, words
from tests.property.systems import systems, tangles

anything = st.one_of(systems(), tangles())


def as_told(s):
    """A span of the property tests with attributes and tracestate."""
    home = s.environment, s.namespace
    return conventions.Span(
        trace=s.trace & (1 << 64) - 1,
        id=s.id,
        parent=s.parent,
        kind=s.kind,
        name="x",
        start=s.start,
        end=s.end,
        home=home,
        node=conventions.service(*home, s.service),
        instance=s.instance,
        attributes=words(s, SPAN_WORDS),
        failed_status=s.error,
        state=f"weft={s.parent:016x};{s.entry}" if s.entry else "",
    )


def figures(edge):
    seen = edge.completeness
    sides = sorted(edge.client), sorted(edge.server)
    return edge.calls, edge.errors, seen["both"], seen["client_only"], seen["server_only"], *sides


def old_figures(edge):
    sides = sorted(edge.client), sorted(edge.server)
    return edge.calls, edge.errors, edge.both, edge.client_only, edge.server_only, *sides


def by_minute(calls):
    edges = sums.edges(calls, "minute")
    return {(minute, caller, callee): figures(edge) for (caller, callee, minute), edge in edges.items()}


def check_agreement(spans):
    found = Oracle(map(as_told, spans))
    lent = [s for s in found.distinct if s.consumes and not s.channel and found.channel(s)]
    if not (found.processed or lent):
        assert by_minute(found.calls) == {k: old_figures(e) for k, e in older.Oracle(spans).edges().items()}


@settings(deadline=None, max_examples=20)
@given(anything)
def test_both_oracles_agree_where_both_know_the_rules(spans):
    check_agreement(spans)


@pytest.mark.long
@settings(deadline=None, max_examples=3_000)
@given(anything)
def test_both_oracles_agree_at_length(spans):
    check_agreement(spans)


@settings(deadline=None, max_examples=20)
@given(st.data(), anything)
def test_distinct_spans_give_one_graph_in_any_order(data, spans):
    distinct = Oracle(map(as_told, spans)).distinct
    mixed = Oracle(data.draw(st.permutations(distinct)))
    assert by_minute(mixed.calls) == by_minute(Oracle(distinct).calls)
    assert mixed.refused == {}


@settings(deadline=None, max_examples=20)
@given(anything)
def test_what_comes_again_changes_nothing(spans):
    told = [as_told(s) for s in spans]
    assert by_minute(Oracle([*told, *told]).calls) == by_minute(Oracle(told).calls)
