"""Every graph says how far it is exact; what may be wrong is counted, and mended about a minute later."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.test_sealing import EVER, Collector
from tests.collector.wire.otlp_factory import (
    CLIENT,
    INTERNAL,
    NOW,
    SECOND,
    SERVER,
    body,
    resource_spans,
    span,
)
from tests.property.batches import Machine
from tests.property.bodies import body_of
from tests.property.oracle import Span
from tests.property.systems import batches, systems
from weft_collector.graph.repairs import Repairs
from weft_collector.starting import last_sealed, latest_unread
from weft_collector.testing import ForgetfulFiles

MS = 1_000_000
ROOMY = 1 << 20  # bytes of a log file that goes on for all of a test


def one(name, service, **fields):
    return body([resource_spans([span(name, start=NOW, end=NOW + MS, **fields)], service)])


CALL = one("GET", "web", id=2, parent=1, kind=CLIENT, attributes={"server.address": "cart.internal"})
LATE = one("GET", "cart", id=3, parent=2, kind=SERVER)


def fill(collector, count=20, start=NOW + SECOND, arrived_ns=NOW):
    """Spans that push older ones out of a table of 16."""
    ids = ({"trace": start + n, "id": 1, "start": start + n} for n in range(count))
    spans = [span("tick", kind=INTERNAL, **one) for one in ids]
    collector.receive(body([resource_spans(spans, "clock")]), arrived_ns)


@pytest.fixture
def collector():
    collector = Collector(ForgetfulFiles(), pairing_entries=16, file_bytes=ROOMY)
    yield collector
    collector.close()


def exactness(collector):
    """What the graph of a window says."""
    said = collector.derived.snapshot(EVER).exactness
    assert said == collector.derived.exactness
    return said.as_dict()


def test_nothing_is_pending_while_nothing_was_let_go(collector):
    assert exactness(collector) == {"settled_through": None, "repairs_pending": 0}
    collector.receive(CALL)
    collector.receive(LATE)
    assert exactness(collector) == {"settled_through": None, "repairs_pending": 0}


def test_the_last_sealed_file_is_named_with_the_arrival_of_its_last_spans(collector):
    collector.receive(CALL, NOW)
    collector.receive(LATE, NOW + 5 * SECOND + 1)
    before = collector.derived.version
    collector.derived.resumed()
    said = exactness(collector)["settled_through"]
    assert said == {"file": 1, "arrived": "2025-10-09T08:53:25.000000001Z"}
    assert collector.derived.version > before  # streams are told


def test_a_span_whose_relative_was_let_go_is_pending_until_its_file_ends_a_minute_later(collector):
    collector.receive(CALL)
    fill(collector)
    collector.receive(LATE, NOW + 30 * SECOND)
    assert set(collector.edges()) == {"service:web->external:cart.internal", "unknown:->service:cart"}
    pending = exactness(collector)["repairs_pending"]
    assert pending > 0
    collector.derived.age(NOW + 59 * SECOND)
    collector.receive(one("tick", "clock", id=7, kind=INTERNAL), NOW + 59 * SECOND)
    assert max(collector.log.numbers) == 1
    collector.derived.age(NOW + 60 * SECOND)
    assert exactness(collector)["repairs_pending"] >= pending
    fill(collector, 1, start=NOW + 60 * SECOND, arrived_ns=NOW + 61 * SECOND)
    assert max(collector.log.numbers) == 2
    assert set(collector.edges()) == {"service:web->service:cart"}
    assert exactness(collector)["repairs_pending"] == 0


def test_a_file_without_repairs_goes_on(collector):
    for n in range(5):
        fill(collector, start=NOW + n * 100 * SECOND, arrived_ns=NOW + n * 100 * SECOND)
        collector.derived.age(NOW + n * 100 * SECOND + SECOND)
    assert collector.telemetry.value("pairing_evicted") > 0
    assert collector.log.numbers == [1]
    assert exactness(collector)["repairs_pending"] == 0


def test_a_start_knows_what_its_table_does_not_hold():
    disk = ForgetfulFiles()
    collector = Collector(disk, pairing_entries=16, file_bytes=ROOMY)
    collector.receive(CALL)
    fill(collector)
    collector.close()
    again = Collector(disk, pairing_entries=16, file_bytes=ROOMY)
    assert exactness(again) == {
        "settled_through": {"file": 1, "arrived": "2025-10-09T08:53:20.000000000Z"},
        "repairs_pending": 0,
    }
    again.receive(LATE)
    assert exactness(again)["repairs_pending"] == 1
    again.close()


def test_files_that_a_start_does_not_read_count_as_let_go():
    def part(number, latest_ns, rows=9):
        return SimpleNamespace(number=number, latest_ns=latest_ns, rows=rows, arrived_ns=number * SECOND)

    manifest = SimpleNamespace(sealed=(part(1, 500), part(2, 400), part(3, 900), part(4, 0, rows=0)))
    assert [latest_unread(manifest, first) for first in (1, 2, 3, 4, 5)] == [-1, 500, 500, 900, 900]
    assert last_sealed(manifest).as_dict()["settled_through"]["file"] == 4
    assert last_sealed(SimpleNamespace(sealed=())).as_dict()["settled_through"] is None


class TestRepairs:
    def setup_method(self):
        self.machine = Machine(capacity=16)
        self.repairs = Repairs(self.machine.pairing)

    def take(self, number, spans, arrived_ns=NOW):
        self.repairs.begin(number, arrived_ns)
        self.machine.take(spans, arrived_ns)
        self.repairs.note(number)
        return self.repairs.pending

    def ticks(self, count, start, trace=50):
        return [
            Span(trace, start + n, kind="INTERNAL", service="clock", start=start + n) for n in range(count)
        ]

    def test_spans_that_start_no_later_than_one_that_left_count(self):
        assert self.take(1, self.ticks(16, 100)) == 0
        assert self.take(1, self.ticks(1, 200)) == 0  # 100 has left
        assert self.take(1, [Span(7, 1, start=100), Span(7, 2, start=190)]) == 1

    def test_a_start_ahead_of_the_clock_tells_nothing_when_it_leaves(self):
        self.take(1, [Span(7, 1, kind="INTERNAL", start=NOW + 1), *self.ticks(15, 100)])
        assert self.take(1, self.ticks(9, 200)) == 0

    def test_a_callee_that_leaves_without_its_parent_counts(self):
        self.take(1, [Span(7, 3, 2, start=300)])
        assert self.take(1, self.ticks(16, 400)) == 1

    def test_a_caller_side_that_leaves_while_it_waits_counts(self):
        self.take(1, [Span(7, 3, kind="CLIENT", start=300)])
        assert self.take(1, self.ticks(16, 400)) == 1

    def test_who_leaves_with_its_parent_or_needs_none_does_not(self):
        call = [Span(7, 2, kind="CLIENT", start=300), Span(7, 3, 2, start=301)]
        self.take(1, [*call, Span(8, 1, start=302), Span(9, 1, kind="INTERNAL", start=303)])
        assert self.take(1, self.ticks(16, 400)) == 0

    def test_what_leaves_counts_for_its_own_file_and_not_at_all_if_that_is_sealed(self):
        self.take(1, [Span(7, 3, 2, start=300)])
        assert self.take(2, self.ticks(16, 400)) == 1
        assert self.repairs.overdue(NOW + 61 * SECOND) is None  # the newest file has none
        self.repairs.sealed(1)
        assert self.repairs.pending == 0
        self.take(2, [Span(8, 3, 2, start=500)])
        self.repairs.sealed(2)
        assert self.take(3, self.ticks(16, 600)) == 0

    def test_the_newest_file_is_overdue_after_a_minute(self):
        self.take(1, self.ticks(17, 100))
        self.take(1, [Span(7, 1, start=50)], NOW + SECOND)
        assert [self.repairs.overdue(NOW + at * SECOND) for at in (59, 60, 300)] == [None, 1, 1]


@settings(deadline=None, max_examples=25)
@given(data=st.data(), spans=systems())
def test_once_all_is_sealed_nothing_is_pending_and_without_loss_nothing_ever_is(data, spans):
    small, large = (
        Collector(ForgetfulFiles(), pairing_entries=entries, file_bytes=ROOMY) for entries in (16, 4096)
    )
    for bodies in filter(None, data.draw(batches(spans))):
        for collector in (small, large):
            collector.receive(body_of(bodies))
        assert large.derived.exactness.repairs_pending == 0
    for collector in (small, large):
        collector.derived.resumed()
        assert collector.derived.exactness.repairs_pending == 0
        collector.close()
