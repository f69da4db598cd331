import asyncio

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from weft.agent import Agent
from weft.provider import TracerProvider
from weft.span import Span
from weft.testing import RecordingReporter
from weft.tracestate import States
from weft.unsampled import Unsampled


@pytest.fixture
def tracer(agent):
    return agent.provider.get_tracer("t")


def remote(flags=1, state=None):
    context = SpanContext(0xA, 0xB, is_remote=True, trace_flags=TraceFlags(flags), trace_state=state)
    return set_span_in_context(NonRecordingSpan(context), Context())


def test_a_provider_without_arguments_records_and_sends_nowhere():
    with TracerProvider().get_tracer("t").start_as_current_span("s") as span:
        span.set_attribute("a", 1)
        assert trace.get_current_span() is span
    assert dict(span.attributes) == {"a": 1}
    assert TracerProvider().force_flush()
    TracerProvider().shutdown()


def test_spans_nest_through_the_current_context(tracer, reporter):
    with tracer.start_as_current_span("a") as a:
        with tracer.start_as_current_span("b") as b:
            pass
        c = tracer.start_span("c")
        c.end()
    assert b.parent == c.parent == a.context
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert [span.name for span in reporter.spans] == ["b", "c", "a"]


def test_an_empty_context_makes_a_root(tracer):
    with tracer.start_as_current_span("a") as a:
        root = tracer.start_span("root", context=Context())
    assert root.parent is None
    assert root.context.trace_id != a.context.trace_id


def test_a_remote_parent_is_kept_as_such(tracer):
    span = tracer.start_span("s", remote(3, States([("foreign", "1")])))
    assert span.parent == SpanContext(
        0xA, 0xB, is_remote=True, trace_flags=TraceFlags(3), trace_state=span.state
    )
    assert span.parent.is_remote
    assert span.context.trace_state == {"foreign": "1"}


def test_the_entry_of_the_remote_caller_stays_with_the_span_that_it_called(tracer):
    span = tracer.start_span("s", remote(1, States([("weft", "x;y;z"), ("foreign", "1")])))
    child = tracer.start_span("child", set_span_in_context(span))
    assert span.state.to_header() == "weft=x;y;z,foreign=1"
    assert span.context.trace_state.to_header() == child.state.to_header() == "foreign=1"


def test_an_unsampled_parent_makes_unsampled_children_with_context(tracer, reporter):
    with tracer.start_as_current_span("s", remote(flags=2)) as span:
        child = tracer.start_span("child")
        child.end()
    assert type(span) is type(child) is Unsampled
    assert span.get_span_context().trace_id == child.get_span_context().trace_id == 0xA
    assert child.get_span_context().trace_flags == 2
    assert child.get_span_context().is_valid
    assert child.get_span_context().span_id != span.get_span_context().span_id
    assert reporter.spans == []


def test_always_on_records_under_an_unsampled_parent(reporter):
    agent = Agent("s", sampler="always_on", parts=reporter.parts())
    span = agent.provider.get_tracer("t").start_span("s", remote(flags=0))
    assert type(span) is Span
    assert span.context.trace_flags.sampled


def test_always_off_roots_pass_on_a_trace(reporter):
    agent = Agent("s", sampler="always_off", parts=reporter.parts())
    span = agent.provider.get_tracer("t").start_span("s")
    span.end()
    assert span.get_span_context().is_valid
    assert not span.get_span_context().trace_flags.sampled
    assert reporter.spans == []


def test_an_invalid_parent_is_no_parent(tracer):
    span = tracer.start_span("s", set_span_in_context(trace.INVALID_SPAN, Context()))
    assert span.parent is None


@pytest.mark.parametrize("value", ["no span", None, 3])
def test_rubbish_in_the_context_is_no_parent(tracer, value):
    from weft.context import SPAN_KEY

    assert tracer.start_span("s", Context({SPAN_KEY: value})).parent is None


def test_errors_of_the_block_are_recorded(tracer, reporter):
    with pytest.raises(KeyError), tracer.start_as_current_span("s", kind=SpanKind.SERVER):
        raise KeyError("x")
    (span,) = reporter.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "KeyError: 'x'")
    assert span.events[0].attributes["exception.type"] == "KeyError"


def test_leaving_by_an_exit_exception_is_no_error(tracer, reporter):
    with pytest.raises(GeneratorExit), tracer.start_as_current_span("s"):
        raise GeneratorExit
    assert reporter.spans[0].status.status_code is StatusCode.UNSET


def test_options_of_the_block(tracer, reporter):
    options = {"record_exception": False, "set_status_on_exception": False, "end_on_exit": False}
    with pytest.raises(KeyError), tracer.start_as_current_span("s", **options) as span:
        raise KeyError
    assert span.is_recording()
    assert (span.status.status_code, span.events) == (StatusCode.UNSET, ())
    assert reporter.spans == []


def test_the_decorator_makes_a_span_for_each_call(tracer, reporter):
    @tracer.start_as_current_span("work", attributes={"a": 1})
    def work(x):
        """Doc."""
        assert trace.get_current_span().name == "work"
        return x + 1

    assert [work(1), work(2)] == [2, 3]
    assert work.__doc__ == "Doc."
    assert [span.name for span in reporter.spans] == ["work", "work"]
    assert reporter.spans[0].span_id != reporter.spans[1].span_id


def test_the_decorator_waits_for_a_coroutine(tracer, reporter, clock):
    @tracer.start_as_current_span("work")
    async def work():
        clock.advance(5)
        await asyncio.sleep(0)
        clock.advance(5)
        return trace.get_current_span().name

    assert asyncio.run(work()) == "work"
    assert reporter.spans[0].end_time - reporter.spans[0].start_time == 10


def test_use_span_of_the_api_works(tracer, reporter):
    span = tracer.start_span("s")
    with trace.use_span(span):
        assert trace.get_current_span() is span
    with pytest.raises(KeyError), trace.use_span(span, end_on_exit=True):
        raise KeyError
    assert reporter.spans == [span]
    assert span.status.status_code is StatusCode.ERROR


def test_tasks_keep_their_own_parents(tracer):
    async def branch(name):
        with tracer.start_as_current_span(name) as span:
            await asyncio.sleep(0)
            child = tracer.start_span("child")
            assert child.parent == span.context

    async def main():
        with tracer.start_as_current_span("root"):
            await asyncio.gather(*(branch(str(n)) for n in range(5)))

    asyncio.run(main())


def test_a_following_tracer_serves_the_agent_of_the_current_span(agent, reporter):
    others = RecordingReporter()
    other = Agent("other", parts=others.parts())
    follower = TracerProvider(agent.core, follows=True).get_tracer("library")
    with other.provider.get_tracer("t").start_as_current_span("theirs"):
        follower.start_span("call").end()
        agent.provider.get_tracer("t").start_span("explicitly ours").end()
    follower.start_span("alone").end()
    assert [span.name for span in others.spans] == ["call", "theirs"]
    assert [span.name for span in reporter.spans] == ["explicitly ours", "alone"]
    assert reporter.spans[0].parent == others.spans[1].context


def test_a_following_tracer_follows_unsampled_spans_too(agent):
    other = Agent("other", sampler="always_off", parts=RecordingReporter().parts())
    follower = TracerProvider(agent.core, follows=True).get_tracer("library")
    with other.provider.get_tracer("t").start_as_current_span("theirs"):
        assert follower.start_span("call").core is other.core
