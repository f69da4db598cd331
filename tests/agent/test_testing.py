from weft.agent import Agent
from weft.reply import Outcome
from weft.testing import ManualClock, MemoryTransport, RecordingReporter, SequentialIds


def test_the_kit_of_its_docstring():
    reporter = RecordingReporter()
    clock = ManualClock(100)
    agent = Agent("cart", parts=reporter.parts(clock))
    span = agent.provider.get_tracer("t").start_span("a")
    clock.advance(5)
    span.end()
    assert [(s.name, s.trace_id, s.span_id, s.start_time, s.end_time) for s in reporter.spans] == [
        ("a", 1, 1, 100, 105)
    ]
    assert agent.flush()
    assert agent.dropped == {}
    assert agent.shutdown()
    assert reporter.closed


def test_ids_count_up():
    ids = SequentialIds()
    assert [ids.trace_id(), ids.span_id(), ids.span_id()] == [1, 1, 2]


def test_the_transport_answers_as_it_is_told():
    transport = MemoryTransport([Outcome(delivered=False)])
    assert not transport.send(b"a", 1).delivered
    assert transport.send(b"b", 1).delivered
    assert transport.bodies == [b"b"]
