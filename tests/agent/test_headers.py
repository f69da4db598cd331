from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from weft.core import Remote
from weft.headers import Headers, call_headers, outgoing, read, with_baggage
from weft.tracestate import States

T, S = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
PARENT = f"00-{T:032x}-{S:016x}-01"


def test_arrival():
    arrival = read(Headers([PARENT], ["foo=1", "weft=x"], ["a=b"]))
    assert arrival.parent == Remote(T, S, 1, arrival.parent.passed, remote=True)
    assert arrival.parent.passed.to_header() == "foo=1,weft=x"
    assert arrival.baggage == {"a": "b"}


def test_two_traceparents_are_none_and_tracestate_alone_means_nothing():
    assert read(Headers([PARENT, PARENT])).parent is None
    assert read(Headers([], ["foo=1"])).parent is None
    assert read(Headers(["rubbish"], ["foo=1"], ["a=b"])) == (None, {"a": "b"})
    assert read(Headers()) == (None, {})


def test_a_call_to_a_private_host_carries_everything(agent):
    span = agent.provider.get_tracer("t").start_span("s")
    context = baggage.set_baggage("user", "a b", Context())
    found = dict(call_headers(span, context, "127.0.0.1"))
    assert found["traceparent"] == f"00-{span.trace_id:032x}-{span.span_id:016x}-03"
    assert found["tracestate"] == f"weft={span.span_id:016x};cart;{agent.instance}"
    assert found["baggage"] == "user=a%20b"


def test_a_call_to_a_stranger_carries_the_trace_only(agent):
    remote = SpanContext(
        T, S, is_remote=True, trace_flags=TraceFlags(1), trace_state=States([("foo", "1"), ("weft", "x")])
    )
    span = agent.provider.get_tracer("t").start_span("s", set_span_in_context(NonRecordingSpan(remote)))
    context = baggage.set_baggage("user", "a", Context())
    found = dict(call_headers(span, context, "example.com"))
    assert found == {"traceparent": f"00-{T:032x}-{span.span_id:016x}-01", "tracestate": "foo=1"}


def test_outgoing_without_a_span_is_nothing():
    assert outgoing(Context(), "localhost") == []
    assert (
        outgoing(set_span_in_context(NonRecordingSpan(SpanContext(0, 0, is_remote=False))), "localhost") == []
    )


def test_a_foreign_span_is_passed_on(agent):
    foreign = SpanContext(
        T, S, is_remote=False, trace_flags=TraceFlags(1), trace_state=States([("foo", "1")])
    )
    found = dict(outgoing(set_span_in_context(NonRecordingSpan(foreign)), "localhost"))
    assert found == {"traceparent": PARENT, "tracestate": "foo=1"}


def test_baggage_enters_the_context():
    context = with_baggage({"a": "b"}, Context())
    assert baggage.get_all(context) == {"a": "b"}
    assert with_baggage({}, context) is context
