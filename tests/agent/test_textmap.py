import pytest
from opentelemetry import baggage, propagate, trace
from opentelemetry.context import Context

from tests.agent.test_headers import PARENT, S, T
from weft.textmap import TextMap, host_of, serve_global_propagation


@pytest.fixture
def tracer(agent):
    return agent.provider.get_tracer("t")


def test_extract_makes_a_remote_parent_and_baggage():
    context = TextMap().extract({"traceparent": PARENT, "tracestate": "foo@@bar=1", "baggage": "a=b"})
    found = trace.get_current_span(context).get_span_context()
    assert (found.trace_id, found.span_id, found.is_remote, found.trace_state.to_header()) == (
        T,
        S,
        True,
        "foo@@bar=1",
    )
    assert baggage.get_all(context) == {"a": "b"}


def test_extract_of_nothing_leaves_the_context():
    context = Context({"k": 1})
    assert TextMap().extract({}, context) == context
    assert TextMap().extract({}) == Context()


def test_what_is_injected_is_extracted(tracer):
    carrier: dict[str, str] = {}
    with tracer.start_as_current_span("s", attributes={"server.address": "localhost"}) as span:
        TextMap().inject(carrier)
    assert carrier.keys() == {"traceparent", "tracestate"}
    found = trace.get_current_span(TextMap().extract(carrier)).get_span_context()
    assert (found.trace_id, found.span_id) == (span.trace_id, span.span_id)


@pytest.mark.parametrize(
    ("attributes", "host"),
    [
        ({"server.address": "cart"}, "cart"),
        ({"net.peer.name": "cart"}, "cart"),
        ({"http.host": "cart:8000"}, "cart"),
        ({"url.full": "http://cart:8000/x"}, "cart"),
        ({"http.url": "http://cart:8000/x"}, "cart"),
        ({"http.url": 3}, None),
        ({}, None),
    ],
)
def test_the_host_comes_from_the_current_span(tracer, attributes, host):
    assert host_of(tracer.start_span("s", attributes=attributes)) == host
    assert host_of(None) is None


def test_an_unknown_or_strange_host_is_told_neither_caller_nor_baggage(tracer):
    for attributes in ({}, {"server.address": "example.com"}, {"url.full": "http://[broken"}):
        carrier: dict[str, str] = {}
        with tracer.start_as_current_span("s", attributes=attributes):
            TextMap().inject(carrier, baggage.set_baggage("a", "b"))
        assert carrier.keys() == {"traceparent"}


def test_a_hostile_carrier_never_raises(tracer):
    with tracer.start_as_current_span("s"):
        TextMap().inject(None)
    assert TextMap().extract(None) == Context()


def test_the_environments_own_choice_of_propagators_is_kept(monkeypatch):
    before = propagate.get_global_textmap()
    monkeypatch.setattr(propagate, "_HTTP_TEXT_FORMAT", before)
    monkeypatch.setenv("OTEL_PROPAGATORS", "b3")
    serve_global_propagation()
    assert propagate.get_global_textmap() is before
    monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext, baggage")
    serve_global_propagation()
    assert isinstance(propagate.get_global_textmap(), TextMap)
    assert propagate.get_global_textmap().fields == {"traceparent", "tracestate", "baggage"}
