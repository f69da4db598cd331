"""Bodies in, graph, traces and calls out; the same after the log is read again."""

import threading

import numpy as np
import pytest

from tests.collector.derived import derived_over
from tests.collector.wire.otlp_factory import (
    CLIENT,
    INTERNAL,
    NOW,
    SECOND,
    SERVER,
    body,
    request,
    resource_spans,
    span,
)
from weft_collector.errors import NotFound
from weft_collector.graph.calls import SIGHTS
from weft_collector.graph.outcomes import FAILED_FROM
from weft_collector.graph.rollup import Bounds
from weft_collector.graph.snapshot import MINUTE_NS, Window
from weft_collector.query.traces import find_trace, raw_spans
from weft_collector.store.ports import Position
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles
from weft_collector.wire.otlp_protobuf import Decoder

MINUTE = NOW // MINUTE_NS
WINDOW = Window(MINUTE, MINUTE + 1)
MS = 1_000_000


class MemoryLog:
    """Bodies by position."""

    def __init__(self):
        self.bodies = {}

    def append(self, content):
        position = Position(1, len(self.bodies), 0)
        self.bodies[position] = content
        return position

    def read(self, position, offset, length):
        if position not in self.bodies:
            raise NotFound("gone")
        return self.bodies[position][offset : offset + length]


class Collector:
    """A log, a decoder and what is derived."""

    def __init__(self, log=None, **options):
        self.log = log or MemoryLog()
        self.decoder = Decoder()
        self.telemetry = Telemetry()
        self.derived = derived_over(self.log, ForgetfulFiles(), self.decoder, self.telemetry, **options)

    def receive(self, content, arrived_ns=NOW):
        self.derived.apply(self.decoder.decode(content, arrived_ns), self.log.append(content), arrived_ns)
        return self

    def edges(self, **options):
        return {edge.id: edge.calls for edge in self.derived.snapshot(WINDOW, **options).edges}


def trace_of(collector, lo):
    return list(raw_spans(collector.log, find_trace(collector.derived.tables(), 0, lo)))


def web(**more):
    return resource_spans(
        [
            span("GET /", id=1, kind=SERVER, start=NOW, end=NOW + 9 * MS, trace=more.get("trace", 1)),
            span("GET cart", id=2, parent=1, kind=CLIENT, start=NOW + MS, end=NOW + 8 * MS, **more),
        ],
        "web",
        {"service.instance.id": "w1"},
    )


def cart(**more):
    fields = {"start": NOW + 2 * MS, "end": NOW + 6 * MS} | more
    return resource_spans(
        [span("GET /cart", id=3, parent=2, kind=SERVER, **fields)], "cart", {"service.instance.id": "c1"}
    )


def test_a_call_becomes_an_edge_with_both_latencies():
    collector = Collector().receive(body([web(), cart()]))
    snapshot = collector.derived.snapshot(WINDOW)
    edges = {edge.id: edge for edge in snapshot.edges}
    assert set(edges) == {"client:->service:web", "service:web->service:cart"}
    edge = edges["service:web->service:cart"]
    assert edge.client.p50_ms == pytest.approx(7, rel=0.0221)
    assert edge.server.p50_ms == pytest.approx(4, rel=0.0221)


def test_a_caller_side_waits_and_is_shown_as_pending():
    collector = Collector().receive(body([web(attributes={"server.address": "cart.internal"})]))
    assert collector.derived.snapshot(WINDOW).pending == 1
    collector.derived.age(NOW + 29 * SECOND)
    assert collector.derived.snapshot(WINDOW).pending == 1
    collector.derived.age(NOW + 30 * SECOND)
    assert collector.derived.snapshot(WINDOW).pending == 0
    assert "service:web->external:cart.internal" in collector.edges()
    collector.receive(body([cart()]), NOW + 60 * SECOND)
    assert collector.edges() == {"client:->service:web": 1, "service:web->service:cart": 1}
    assert collector.telemetry.value("pairing_withdrawn") == 1


def test_settle_lets_nothing_wait():
    collector = Collector().receive(body([web()]))
    collector.derived.settle()
    assert collector.derived.snapshot(WINDOW).pending == 0
    assert "service:web->unknown:peer" in collector.edges()


def test_a_later_body_makes_earlier_ones_ripe_so_that_replay_ends_as_life_did():
    collector = Collector().receive(body([web()])).receive(b"", NOW + 31 * SECOND)
    assert "service:web->unknown:peer" in collector.edges()


def test_unknown_callers_show_when_asked_for():
    collector = Collector().receive(body([cart()]))
    assert collector.edges() == {}
    assert collector.edges(unknown=True) == {"unknown:->service:cart": 1}


def test_a_service_that_neither_calls_nor_is_called_is_a_node():
    collector = Collector().receive(request([span("job", kind=INTERNAL)], "cron"))
    assert [stats.node.id for stats in collector.derived.snapshot(WINDOW).nodes] == ["service:cron"]


def test_a_snapshot_is_made_once_for_each_version():
    collector = Collector().receive(body([web()]))
    first = collector.derived.snapshot(WINDOW)
    assert collector.derived.snapshot(WINDOW) is first
    assert collector.derived.version == first.version
    collector.receive(body([cart()]))
    assert collector.derived.version > first.version
    assert collector.derived.snapshot(WINDOW) is not first


def test_time_that_changes_nothing_is_no_new_version():
    collector = Collector().receive(body([cart()]))
    before = collector.derived.version
    collector.derived.age(NOW + 99 * SECOND)
    assert collector.derived.version == before


def test_a_trace_comes_back_byte_by_byte():
    sent = [web(), cart()]
    collector = Collector().receive(body(sent[1:])).receive(body(sent[:1]))
    raw = trace_of(collector, 1)
    assert {part.span for part in raw} == {
        s.SerializeToString() for group in sent for s in group.scope_spans[0].spans
    }
    assert {part.resource for part in raw} == {group.resource.SerializeToString() for group in sent}
    assert {part.scope for part in raw} == {group.scope_spans[0].scope.SerializeToString() for group in sent}
    assert trace_of(collector, 99) == []


def test_spans_whose_log_file_is_gone_are_missing_from_the_trace():
    collector = Collector().receive(body([web()])).receive(body([cart()]))
    del collector.log.bodies[Position(1, 0, 0)]
    assert len(trace_of(collector, 1)) == 1


def test_calls_name_both_spans_and_what_they_measured():
    collector = Collector().receive(body([web(), cart()]))
    calls = collector.derived.calls(WINDOW)
    derived = collector.derived
    rows = [(derived.node(a).id, derived.node(b).id) for a, b in zip(calls.caller, calls.callee, strict=True)]
    assert rows == [("client:", "service:web"), ("service:web", "service:cart")]
    assert calls.start.tolist() == [NOW, NOW + 2 * MS]
    assert (calls.client_ns.tolist(), calls.server_ns.tolist()) == ([-1, 7 * MS], [9 * MS, 4 * MS])
    assert (calls.client_span.tolist(), calls.server_span.tolist()) == ([0, 2], [1, 3])
    assert [derived.text(name) for name in calls.name] == ["GET /", "GET /cart"]
    assert [derived.instance(number) for number in calls.caller_instance] == ["", "w1"]
    assert [derived.instance(number) for number in calls.callee_instance] == ["w1", "c1"]
    assert [SIGHTS[sight] for sight in calls.sight] == ["server_only", "both"]
    assert calls.trace_lo.tolist() == [1, 1]
    assert not calls.outcome.any()


def test_calls_of_another_window_are_none():
    calls = Collector().receive(body([web(), cart()])).derived.calls(Window(MINUTE + 1, MINUTE + 9))
    assert all(len(column) == 0 for column in calls)


def test_the_exported_calls_sum_to_the_edges():
    collector = Collector()
    for n in range(20):
        collector.receive(body([web(trace=n + 1, status=2 * (n % 2)), cart(trace=n + 1)]))
    with_own_traces(collector)
    calls, snapshot = collector.derived.calls(WINDOW), collector.derived.snapshot(WINDOW, unknown=True)
    for edge in snapshot.edges:
        ends = [
            (collector.derived.node(a), collector.derived.node(b))
            for a, b in zip(calls.caller, calls.callee, strict=True)
        ]
        at = np.array([pair == (edge.caller, edge.callee) for pair in ends])
        assert edge.calls == at.sum()
        assert edge.errors == (calls.outcome[at] >= FAILED_FROM).sum()
        assert (edge.client.samples if edge.client else 0) == (calls.client_ns[at] >= 0).sum()
        assert (edge.server.samples if edge.server else 0) == (calls.server_ns[at] >= 0).sum()


def with_own_traces(collector):
    """Calls of other shapes: fan-out, a database, one without caller."""
    client = span("q", id=5, trace=500, kind=CLIENT, attributes={"db.system": "sqlite", "db.name": "a.db"})
    callees = [span("c", id=n, trace=501, parent=7, kind=SERVER, start=NOW + n) for n in (8, 9)]
    lonely = span("l", id=1, trace=502, parent=77, kind=SERVER)
    fan = span("f", id=7, trace=501, kind=CLIENT)
    collector.receive(
        body([resource_spans([client, fan], "web"), resource_spans([*callees, lonely], "cart")])
    )


def test_a_restart_ends_in_the_same_graph():
    first = Collector()
    for n, groups in enumerate(([cart()], [web()], [web()], [cart(status=2)])):
        first.receive(body(groups), NOW + n * SECOND)
    first.derived.settle()
    second = Collector()
    for position, content in first.log.bodies.items():
        second.receive(content, NOW + position.block * SECOND)
    second.derived.settle()
    one, two = (c.derived.snapshot(WINDOW, unknown=True) for c in (first, second))
    assert (one.nodes, one.edges) == (two.nodes, two.edges)


def test_duplicates_and_conflicts_are_counted():
    collector = Collector().receive(body([web(), cart()])).receive(body([web(), cart(status=2)]))
    assert collector.edges() == {"client:->service:web": 1, "service:web->service:cart": 1}
    assert collector.telemetry.snapshot()["pairing_duplicates"] == {"same": 2, "conflicting": 1}


def test_a_stale_caller_entry_is_ignored_and_counted():
    stale = "weft=00000000000000aa;liar;x"
    collector = Collector().receive(body([cart(trace_state=stale)]))
    assert collector.edges(unknown=True) == {"unknown:->service:cart": 1}
    assert collector.telemetry.value("caller_stale") == 1


def test_a_valid_caller_entry_names_the_caller_and_no_span_counts_twice():
    entry = "weft=0000000000000002;web;w1"
    collector = Collector().receive(body([cart(trace_state=entry)]))
    assert collector.edges() == {"service:web->service:cart": 1}
    collector.receive(body([web()]))
    assert collector.edges() == {"client:->service:web": 1, "service:web->service:cart": 1}
    assert collector.telemetry.value("caller_mismatch") == 0


def test_evictions_are_counted():
    collector = Collector()
    for n in range(40):
        collector.receive(request([span("x", trace=n + 1, id=i + 1, kind=CLIENT) for i in range(50)]))
    assert collector.telemetry.snapshot()["pairing_evicted"] == {"waiting": 2000 - 1024}
    assert collector.edges() == {"service:cart->unknown:peer": 2000 - 1024}


def test_rollups_that_are_too_large_lose_their_oldest_minutes_and_keep_the_hour():
    collector = Collector(rollup=Bounds(cells=700))
    for n in range(10):
        collector.receive(request([span("x", trace=n + 1, start=NOW + n * MINUTE_NS)]), NOW + n * MINUTE_NS)
        collector.derived.snapshot(WINDOW)
    collector.derived.age(NOW)
    assert collector.telemetry.value("rollup_coarsened", "minutes") == 4
    assert collector.telemetry.value("rollup_coarsened", "hours") == 0
    snapshot = collector.derived.snapshot(Window(MINUTE, MINUTE + 4))
    assert snapshot.window == Window(MINUTE // 60 * 60, -(-(MINUTE + 4) // 60) * 60)
    assert snapshot.totals()["calls"] == sum((MINUTE + n) // 60 == MINUTE // 60 for n in range(10)) > 4
    assert collector.derived.snapshot(Window(MINUTE + 8, MINUTE + 9)).totals()["calls"] == 1


def test_an_empty_body_changes_nothing():
    collector = Collector().receive(b"")
    assert collector.derived.version == 0
    assert collector.edges() == {}


def test_questions_may_be_asked_while_batches_come_in():
    collector, stop, seen, failures = Collector(), threading.Event(), [], []

    def ask():
        while not stop.is_set():
            try:
                snapshot = collector.derived.snapshot(WINDOW)
                seen.append((snapshot.version, snapshot.totals()["calls"]))
                collector.derived.calls(WINDOW)
                trace_of(collector, 5)
            except Exception as failure:
                failures.append(failure)
                raise

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for n in range(200):
            collector.receive(body([web(trace=n + 1), cart(trace=n + 1)]))
    finally:
        stop.set()
        asker.join(30)
    assert not failures
    assert seen == sorted(seen)
