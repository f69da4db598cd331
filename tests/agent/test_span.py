import traceback

import pytest
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tests.agent.test_values import Raising
from weft.agent import Agent
from weft.core import Core
from weft.values import UNREADABLE


@pytest.fixture
def tracer(agent):
    return agent.provider.get_tracer("scope", "1.2", "https://schema", {"a": 1})


@pytest.fixture
def span(tracer):
    return tracer.start_span("work")


def test_it_shows_what_instrumentations_read(tracer, clock, agent):
    remote = SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(1))
    parent = tracer.start_span("parent")
    from opentelemetry.trace import set_span_in_context

    span = tracer.start_span(
        "work", set_span_in_context(parent), SpanKind.CLIENT, {"k": "v"}, [Link(remote, {"l": 1})], 42
    )
    assert (span.name, span.kind, dict(span.attributes), span.start_time) == (
        "work",
        SpanKind.CLIENT,
        {"k": "v"},
        42,
    )
    assert span.end_time is None
    assert span.is_recording()
    assert span.parent == parent.get_span_context()
    assert span.context == span.get_span_context()
    assert span.context.trace_id == parent.context.trace_id
    assert span.context.is_valid
    assert span.context.trace_flags.sampled
    assert not span.context.is_remote
    assert (span.links[0].context, dict(span.links[0].attributes)) == (remote, {"l": 1})
    assert span.resource.attributes["service.name"] == "cart"
    scope = span.instrumentation_scope
    assert (scope.name, scope.version, scope.schema_url, dict(scope.attributes)) == (
        "scope", "1.2", "https://schema", {"a": 1},
    )  # fmt: skip
    assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (0, 0, 0)
    assert (span.status.status_code, list(span.events)) == (StatusCode.UNSET, [])
    clock.advance(7)
    span.end()
    assert span.end_time == clock.now
    assert not span.is_recording()


def test_the_fast_span_context_is_the_apis_class_in_every_field(span):
    context = span.get_span_context()
    assert type(context) is SpanContext
    again = SpanContext(
        context.trace_id, context.span_id, context.is_remote, context.trace_flags, context.trace_state
    )
    assert context == again
    assert context.is_valid is again.is_valid is True
    assert span.get_span_context() is context


def test_a_root_is_sampled_and_says_that_its_id_is_random(span):
    assert span.context.trace_flags == 0x03
    assert span.parent is None


def test_attributes_are_read_only(span):
    with pytest.raises(TypeError):
        span.attributes["a"] = 1


def test_the_first_end_counts_and_nothing_is_written_after_it(span, reporter, clock):
    span.end(5)
    clock.advance(1)
    span.end()
    span.set_attribute("a", 1)
    span.set_attributes({"b": 1})
    span.update_name("other")
    span.set_status(StatusCode.ERROR)
    span.add_event("late")
    span.add_link(span.context)
    span.record_exception(ValueError())
    assert reporter.spans == [span]
    assert (span.end_time, span.name, dict(span.attributes)) == (5, "work", {})
    assert (span.status.status_code, span.events, span.links) == (StatusCode.UNSET, (), ())


@pytest.mark.parametrize(
    ("steps", "code", "words"),
    [
        ([(StatusCode.ERROR, "why")], StatusCode.ERROR, "why"),
        ([(StatusCode.ERROR, "why"), (StatusCode.OK, None)], StatusCode.OK, None),
        ([(StatusCode.OK, None), (StatusCode.ERROR, "late")], StatusCode.OK, None),
        ([(StatusCode.ERROR, "why"), (StatusCode.UNSET, None)], StatusCode.ERROR, "why"),
        ([(StatusCode.ERROR, "one"), (StatusCode.ERROR, "two")], StatusCode.ERROR, "two"),
        ([(Status(StatusCode.ERROR, "object"), None)], StatusCode.ERROR, "object"),
        ([(StatusCode.OK, "words"), (StatusCode.UNSET, None)], StatusCode.OK, None),
        ([("nonsense", None)], StatusCode.UNSET, None),
    ],
)
def test_ok_is_final_and_unset_is_ignored(span, steps, code, words):
    for step in steps:
        span.set_status(*step)
    assert (span.status.status_code, span.status.description) == (code, words)


class TeapotError(Exception):
    pass


def test_exceptions_carry_the_class_with_its_module(span):
    try:
        raise TeapotError("short and stout")  # noqa: TRY301 - its traceback is compared
    except TeapotError as error:
        span.record_exception(error, {"extra": 1, "exception.message": "mine"})
        lines = traceback.format_exc()
    event = span.events[0]
    assert event.name == "exception"
    assert event.attributes["exception.type"].endswith("test_span.TeapotError")
    assert event.attributes["exception.message"] == "mine"
    assert event.attributes["exception.stacktrace"] == lines
    assert event.attributes["exception.escaped"] == "False"
    assert event.attributes["extra"] == 1
    span.record_exception(ValueError("builtin"), escaped=True)
    assert span.events[1].attributes["exception.type"] == "ValueError"
    assert span.events[1].attributes["exception.escaped"] == "True"


def test_leaving_a_with_block_by_an_exception_ends_the_span_as_an_error(tracer, reporter):
    with pytest.raises(ValueError, match="broken"), tracer.start_span("work"):
        raise ValueError("broken")
    (span,) = reporter.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ValueError: broken"
    assert [event.name for event in span.events] == ["exception"]


def test_what_an_exception_does_can_be_chosen(tracer, reporter):
    with (
        pytest.raises(ValueError),
        tracer.start_span("w", record_exception=False, set_status_on_exception=False),
    ):
        raise ValueError
    assert reporter.spans[0].status.status_code is StatusCode.UNSET
    assert not reporter.spans[0].events


def test_limits_drop_what_is_beyond_and_count_it(reporter):
    agent = Agent(
        "small",
        parts=reporter.parts(),
        attribute_count_limit=2,
        attribute_value_length_limit=4,
        event_count_limit=1,
        link_count_limit=1,
    )
    tracer = agent.provider.get_tracer("t")
    span = tracer.start_span("s", attributes={"a": 1, "b": 2, "c": 3})
    span.set_attribute("b", "x" * 999)
    for _ in range(3):
        span.add_event("e", {"k": "long text", "l": 1, "m": 2})
        span.add_link(span.context)
    assert dict(span.attributes) == {"a": 1, "b": "xxxx"}
    assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (1, 2, 2)
    assert dict(span.events[0].attributes) == {"k": "long", "l": 1}


def test_by_default_128_attributes_fit(span):
    span.set_attributes({str(n): n for n in range(130)})
    assert len(span.attributes) == 128
    assert span.dropped_attributes == 2


class RaisingMapping(dict):
    def items(self):
        raise RuntimeError("hostile")

    __iter__ = __len__ = keys = items

    def __bool__(self):
        return True


class RaisingError(Exception):
    def __str__(self):
        raise RuntimeError("hostile")


def test_hostile_objects_never_raise_into_the_host(tracer, reporter):
    span = tracer.start_span(Raising(), attributes=RaisingMapping())
    span.set_attribute(Raising(), 1)
    span.set_attribute("", 1)
    span.set_attribute("value", Raising())
    span.set_attributes(RaisingMapping())
    span.set_attributes({Raising(): 1})
    span.add_event(Raising(), {"k": Raising()}, timestamp="no time")
    span.add_link("no context")
    span.record_exception(RaisingError())
    span.set_status(StatusCode.ERROR, Raising())
    span.update_name(Raising())
    span.end("no time")
    assert (span.name, span.attributes["value"]) == (UNREADABLE, UNREADABLE)
    assert reporter.spans == [span]
    tracer.start_span("links", links=["no link"], start_time="no time").end()
    assert reporter.spans[1].links == ()


def test_an_error_that_cannot_be_printed_leaves_the_block_as_itself(tracer, reporter):
    with pytest.raises(RaisingError), tracer.start_as_current_span("work"):
        raise RaisingError
    assert reporter.spans[0].status.status_code is StatusCode.ERROR


def test_its_size_counts_long_values(span):
    small = span.size
    span.set_attribute("long", "x" * 10_000)
    span.add_event("e", {"k": "y" * 10_000})
    assert span.size > small + 20_000


def test_a_core_cannot_be_changed(agent):
    with pytest.raises(AttributeError):
        agent.core.resource = None
    assert isinstance(agent.core, Core)
