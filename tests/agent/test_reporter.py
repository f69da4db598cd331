import gc
import threading
import time

import pytest

from tests.agent.otlp import decode, spans
from tests.waiting import wait_until
from weft.reply import Outcome
from weft.reporter import THREAD_NAME, Pace, ThreadReporter
from weft.testing import MemoryTransport

AWAY = Outcome(delivered=False, retryable=True, problem="nobody there")
QUICK = Pace(delay=0.01)


class Gate(MemoryTransport):
    """Holds every body back until the gate is open."""

    def __init__(self, outcomes=()) -> None:
        super().__init__(outcomes)
        self.open = threading.Event()
        self.reached = threading.Event()

    def send(self, body, timeout):
        self.reached.set()
        self.open.wait(20)
        return super().send(body, timeout)


@pytest.fixture
def make_span(agent):
    tracer = agent.provider.get_tracer("t")
    return lambda name="s": tracer.start_span(name)


@pytest.fixture
def start():
    started: list[ThreadReporter] = []

    def make(transport, pace=QUICK, **options) -> ThreadReporter:
        started.append(ThreadReporter(lambda: transport, pace, **options))
        return started[-1]

    yield make
    for reporter in started:
        reporter.shutdown(5)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == THREAD_NAME]


def arrived(transport: MemoryTransport) -> list[str]:
    return [span.name for body in transport.bodies for _, span in spans(decode(body))]


def test_the_thread_starts_with_the_first_span_and_ends_with_shutdown(start, make_span):
    reporter = start(MemoryTransport())
    assert threads() == []
    reporter.report(make_span())
    assert threads() == [THREAD_NAME]
    assert reporter.shutdown(5)
    assert threads() == []


def test_waiting_spans_go_out_by_themselves_after_the_delay(start, make_span):
    transport = MemoryTransport()
    start(transport).report(make_span("alone"))
    wait_until(lambda: arrived(transport) == ["alone"])


def test_a_full_batch_does_not_wait(start, make_span):
    transport = MemoryTransport()
    reporter = start(transport, Pace(delay=3600, batch_spans=10))
    for _ in range(10):
        reporter.report(make_span())
    wait_until(lambda: len(arrived(transport)) == 10)


def test_batches_are_bounded(start, make_span):
    transport = MemoryTransport()
    reporter = start(transport, Pace(delay=3600, batch_spans=10))
    for _ in range(35):
        reporter.report(make_span())
    assert reporter.flush(10)
    assert len(arrived(transport)) == 35
    assert max(len(list(spans(decode(body)))) for body in transport.bodies) <= 10


def test_flush_is_true_when_all_was_taken(start, make_span):
    transport = MemoryTransport()
    reporter = start(transport, Pace(delay=3600))
    assert reporter.flush(1)
    reporter.report(make_span("a"))
    assert reporter.flush(10)
    assert arrived(transport) == ["a"]
    assert reporter.sent == 1
    assert reporter.flush(10)


@pytest.mark.parametrize(
    "outcome",
    [Outcome(delivered=False, problem="HTTP 400"), Outcome(delivered=True, rejected=1)],
    ids=["refused", "rejected"],
)
def test_flush_is_false_when_something_was_lost(start, make_span, outcome):
    reporter = start(MemoryTransport([outcome]), Pace(delay=3600))
    reporter.report(make_span())
    assert not reporter.flush(10)
    reporter.report(make_span())
    assert reporter.flush(10)


def test_flush_covers_a_batch_that_is_on_its_way(start, make_span):
    gate = Gate([Outcome(delivered=False, problem="HTTP 400")])
    reporter = start(gate)
    reporter.report(make_span())
    assert gate.reached.wait(10)
    results = []
    flushing = threading.Thread(target=lambda: results.append(reporter.flush(10)))
    flushing.start()
    gate.open.set()
    flushing.join()
    assert results == [False]


def test_flush_keeps_its_deadline_when_the_collector_hangs(start, make_span):
    gate = Gate()
    reporter = start(gate)
    reporter.report(make_span())
    assert gate.reached.wait(10)
    begin = time.monotonic()
    assert not reporter.flush(0.2)
    assert time.monotonic() - begin < 2
    gate.open.set()


def test_flush_hurries_a_pause_before_the_next_attempt(start, make_span):
    transport = MemoryTransport([AWAY])
    reporter = start(transport, spread=lambda: 100.0)  # a pause of 50 s
    reporter.report(make_span("a"))
    wait_until(lambda: not transport._outcomes)
    assert reporter.flush(10)
    assert arrived(transport) == ["a"]


def test_reporting_never_waits_for_a_hanging_collector(start, make_span):
    gate = Gate()
    reporter = start(gate, Pace(delay=0.001, queue_spans=100, batch_spans=10))
    reporter.report(make_span())
    assert gate.reached.wait(10)
    prepared = [make_span() for _ in range(2000)]
    begin = time.thread_time()
    for span in prepared:
        reporter.report(span)
    assert time.thread_time() - begin < 1
    assert reporter.dropped == {"queue_full": 1900}
    gate.open.set()
    assert reporter.flush(10)
    assert len(arrived(gate)) == 101


def test_shutdown_sends_what_waits_and_takes_no_more(start, make_span):
    transport = MemoryTransport()
    reporter = start(transport, Pace(delay=3600))
    reporter.report(make_span("a"))
    assert reporter.shutdown(5)
    reporter.report(make_span("late"))
    assert arrived(transport) == ["a"]
    assert reporter.dropped == {"closed": 1}
    assert transport.closed == 1
    assert reporter.shutdown(5)
    assert reporter.flush(1)


def test_shutdown_without_a_span_is_safe(start):
    reporter = start(MemoryTransport())
    assert reporter.shutdown(1)
    assert reporter.shutdown(1)


def test_shutdown_with_a_dead_collector_is_quick_and_counts_exactly(start, make_span):
    reporter = start(MemoryTransport([AWAY] * 1000), Pace(delay=3600, batch_spans=10))
    for _ in range(25):
        reporter.report(make_span())
    begin = time.monotonic()
    assert not reporter.shutdown(5)
    assert time.monotonic() - begin < 3
    assert sum(reporter.dropped.values()) == 25


def test_shutdown_during_a_long_pause_does_not_wait_for_it(start, make_span):
    transport = MemoryTransport([AWAY] * 1000)
    reporter = start(transport, spread=lambda: 100.0)
    reporter.report(make_span())
    wait_until(lambda: len(transport._outcomes) < 1000)
    begin = time.monotonic()
    assert not reporter.shutdown(5)
    assert time.monotonic() - begin < 3
    assert reporter.dropped == {"collector_unreachable": 1}


def test_shutdown_with_a_hanging_collector_keeps_its_deadline_and_counts_exactly(start, make_span):
    gate = Gate()
    reporter = start(gate, Pace(delay=0.001, batch_spans=10))
    reporter.report(make_span())
    assert gate.reached.wait(10)
    for _ in range(24):
        reporter.report(make_span())
    begin = time.monotonic()
    assert not reporter.shutdown(0.2)
    assert time.monotonic() - begin < 2
    assert reporter.dropped == {"shutdown": 25}
    gate.open.set()
    wait_until(lambda: threads() == [])
    assert reporter.dropped == {"shutdown": 25}


def test_a_transport_that_breaks_costs_its_batch_and_no_more(start, make_span):
    class Broken(MemoryTransport):
        def send(self, body, timeout):
            if not self.bodies:
                self.bodies.append(b"")
                raise AssertionError("a bug")
            return super().send(body, timeout)

    transport = Broken()
    reporter = start(transport, Pace(delay=3600))
    reporter.report(make_span("a"))
    assert not reporter.flush(10)
    assert reporter.dropped == {"internal_error": 1}
    reporter.report(make_span("b"))
    assert reporter.flush(10)


def test_a_process_that_allows_no_thread_sends_at_shutdown(start, make_span, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    transport = MemoryTransport()
    reporter = start(transport)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    reporter.report(make_span("a"))
    assert not reporter.flush(1)
    assert reporter.shutdown(5)
    assert arrived(transport) == ["a"]


def test_a_span_that_ends_inside_a_garbage_collection_is_taken(start, make_span):
    transport = MemoryTransport()
    reporter = start(transport, Pace(delay=3600))

    class Ending:
        def __init__(self):
            self.ring, self.span = self, make_span("collected")

        def __del__(self):
            reporter.report(self.span)

    Ending()
    gc.collect()
    assert reporter.flush(10)
    assert arrived(transport) == ["collected"]


def test_the_sender_thread_suppresses_instrumentation(start, make_span):
    from weft import context

    seen = []

    class Looking(MemoryTransport):
        def send(self, body, timeout):
            seen.append(context.suppressed(context.current()))
            return super().send(body, timeout)

    reporter = start(Looking())
    reporter.report(make_span())
    assert reporter.flush(10)
    assert seen == [True]


def test_an_abandoned_reporter_takes_nothing(start, make_span):
    reporter = start(MemoryTransport())
    reporter.abandon()
    reporter.report(make_span())
    assert reporter.dropped == {"closed": 1}
    assert threads() == []
