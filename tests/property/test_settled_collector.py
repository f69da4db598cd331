"""A collector with a pairing table of 16 spans, restarted at any time: once all is sealed, its graph is the oracle's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.test_sealing import Collector
from tests.property.bodies import body_of
from tests.property.oracle import Oracle
from tests.property.systems import batches, systems
from weft_collector.graph.snapshot import Window
from weft_collector.testing import ForgetfulFiles


def of_collector(collector, minutes):
    """{(minute, edge): (calls, errors, outcomes, completeness, samples of both sides)}"""
    collector.derived.settle()
    collector.derived.resumed()  # what is open is sealed, too
    edges = {}
    for minute in minutes:
        for edge in collector.derived.snapshot(Window(minute, minute + 1), unknown=True).edges:
            sides = [side.samples if side else 0 for side in (edge.client, edge.server)]
            c = edge.completeness
            kinds = c.both, c.client_only, c.server_only, c.inferred
            edges[minute, edge.id] = edge.calls, edge.errors, edge.outcomes, kinds, *sides
    return edges


def of_oracle(spans):
    """The same."""
    return {
        (minute, f"{caller}->{callee}"): (
            edge.calls,
            edge.errors,
            edge.outcomes,
            (edge.both, edge.client_only, edge.server_only, edge.inferred),
            len(edge.client),
            len(edge.server),
        )
        for (minute, caller, callee), edge in Oracle(spans).edges().items()
    }


def check(data, spans, capacity):
    disk = ForgetfulFiles()
    collector = Collector(disk, pairing_entries=capacity)
    for bodies in data.draw(batches(spans)):
        if data.draw(st.booleans()):
            collector.close()
            collector = Collector(disk, pairing_entries=capacity)
        if bodies:
            collector.receive(body_of(bodies))
    found = of_collector(collector, {span.start // 60_000_000_000 for span in spans})
    collector.close()
    assert found == of_oracle(spans)


@pytest.mark.parametrize("capacity", [16, 256])
@settings(deadline=None, max_examples=25)
@given(data=st.data(), spans=systems())
def test_whatever_the_table_forgot_what_is_sealed_is_exact(capacity, data, spans):
    check(data, spans, capacity)


@pytest.mark.long
@pytest.mark.parametrize("capacity", [16, 256, 1 << 12])
@settings(deadline=None, max_examples=1_000)
@given(data=st.data(), spans=systems())
def test_whatever_the_table_forgot_what_is_sealed_is_exact_at_length(capacity, data, spans):
    check(data, spans, capacity)
