"""The encoder against golden files and against the official protobuf classes.

The golden files are the contract with the collector: `*.bin` is what the agent sends, `*.json` the same for
reading. `python -m tests.agent.golden` writes them anew; a change in them is a change of the wire.
"""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags

from tests.agent.golden import CASES, FOLDER, readable
from tests.agent.otlp import attributes, decode, plain, spans
from weft.agent import Agent
from weft.encode import Encoder, varint
from weft.testing import RecordingReporter
from weft.tracestate import States


@pytest.mark.parametrize("name", CASES)
def test_golden_files(name):
    expected = (FOLDER / f"{name}.bin").read_bytes()
    assert Encoder().encode(CASES[name]()) == expected
    assert decode(expected).SerializeToString(deterministic=True) == expected
    assert readable(expected) == json.loads((FOLDER / f"{name}.json").read_text())


def test_every_golden_file_has_its_case():
    assert {path.stem for path in Path(FOLDER).iterdir()} == set(CASES)


def test_a_second_batch_is_the_same_as_the_first():
    encoder = Encoder()
    for name, case in CASES.items():
        made = case()
        assert encoder.encode(made) == encoder.encode(made), name


scalars = st.one_of(
    st.text(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(),
    st.none(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
names = st.text(min_size=1, max_size=20)
utf8 = st.text(st.characters(codec="utf-8"), max_size=20)


def as_read(value):
    """What protobuf gives back for a value that was set."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list | tuple):
        return [as_read(item) for item in value]
    if isinstance(value, dict):
        return {as_read(str(key)): as_read(item) for key, item in value.items()}
    return value


@given(
    attributes_=st.dictionaries(names, values, max_size=6),
    name=st.text(max_size=40),
    kind=st.sampled_from(SpanKind),
    times=st.tuples(st.integers(1, 2**64 - 1), st.integers(1, 2**64 - 1)),
    events=st.lists(st.tuples(st.text(max_size=10), st.dictionaries(names, scalars, max_size=3)), max_size=3),
    outcome=st.sampled_from(StatusCode),
    words=utf8,
    ids=st.tuples(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1)),
)
def test_protobuf_reads_what_was_set_and_would_write_the_same(
    *, attributes_, name, kind, times, events, outcome, words, ids
):
    reporter = RecordingReporter()
    agent = Agent("service", parts=reporter.parts(), hooks=())
    linked = SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(1), trace_state=States([("k", "v")]))
    span = agent.provider.get_tracer("scope", "1").start_span(
        name, kind=kind, attributes=attributes_, start_time=times[0]
    )
    for event, pairs in events:
        span.add_event(event, pairs, 5)
    span.add_link(linked, {"n": 1})
    span.set_status(outcome, words)
    span.end(times[1])
    body = Encoder().encode([span])
    request = decode(body)
    assert request.SerializeToString(deterministic=True) == body
    ((_, read),) = spans(request)
    assert attributes(read.attributes) == as_read(attributes_)
    assert (read.name, read.kind) == (as_read(name), kind.value + 1)
    assert (read.start_time_unix_nano, read.end_time_unix_nano) == (times[0], max(times))
    assert [(e.name, attributes(e.attributes), e.time_unix_nano) for e in read.events] == [
        (as_read(event), as_read(pairs), 5) for event, pairs in events
    ]
    assert read.status.code == outcome.value
    assert read.status.message == (words if outcome is StatusCode.ERROR else "")
    assert read.links[0].trace_id == ids[0].to_bytes(16, "big")
    assert (read.links[0].trace_state, read.links[0].flags) == ("k=v", 0x301)
    assert read.trace_id == span.trace_id.to_bytes(16, "big")


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        (2**63, str(2**63)),
        (-(2**63), -(2**63)),
        (-1, -1),
        (1 << 100_000, "<integer>"),
        (math.inf, math.inf),
        (-0.0, -0.0),
        ("\ud800", "?"),
        ("x" * 5000, "x" * 5000),
        (True, True),
        (1, 1),
    ],
    ids=str.split("above-int64 min minus huge inf zero surrogate long true one"),
)
def test_values_at_the_edges(agent, reporter, given_, read):
    agent.provider.get_tracer("t").start_span("s", attributes={"k": given_}).end()
    ((_, span),) = spans(decode(Encoder().encode(reporter.spans)))
    found = plain(span.attributes[0].value)
    assert (found, type(found)) == (read, type(read))


def test_equal_numbers_of_different_types_keep_their_types(agent, reporter):
    tracer = agent.provider.get_tracer("t")
    for value in (1, True, 1.0, 0, False, 0.0):
        tracer.start_span("s", attributes={"k": value}).end()
    found = [plain(span.attributes[0].value) for _, span in spans(decode(Encoder().encode(reporter.spans)))]
    assert [(value, type(value)) for value in found] == [
        (1, int), (True, bool), (1.0, float), (0, int), (False, bool), (0.0, float),
    ]  # fmt: skip


def test_spans_are_grouped_by_resource_and_scope():
    reporter = RecordingReporter()
    one, two = (Agent(name, parts=reporter.parts(), hooks=()) for name in ("one", "two"))
    for agent in (one, two, one):
        for scope in ("a", "b", "a"):
            agent.provider.get_tracer(scope).start_span(scope).end()
    request = decode(Encoder().encode(reporter.spans))
    assert [attributes(r.resource.attributes)["service.name"] for r in request.resource_spans] == [
        "one",
        "two",
    ]
    assert sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans) == 9


def test_a_span_that_cannot_be_encoded_is_counted_and_the_rest_is_sent(agent, reporter):
    tracer = agent.provider.get_tracer("t")
    for name in ("good", "bad", "good"):
        tracer.start_span(name).end()
    reporter.spans[1].flags = "broken from outside"
    encoder = Encoder()
    assert [span.name for _, span in spans(decode(encoder.encode(reporter.spans)))] == ["good", "good"]
    assert encoder.dropped == {"unencodable": 1}


def test_an_end_before_the_start_and_impossible_times_are_mended(agent, reporter):
    tracer = agent.provider.get_tracer("t")
    tracer.start_span("back", start_time=10).end(5)
    tracer.start_span("negative", start_time=-10).end(5)
    tracer.start_span("huge", start_time=1).end(2**70)
    found = [
        (s.start_time_unix_nano, s.end_time_unix_nano)
        for _, s in spans(decode(Encoder().encode(reporter.spans)))
    ]
    assert found == [(10, 10), (0, 0), (0, 0)]


def test_what_the_encoder_remembers_is_bounded(agent, reporter):
    from weft.encode import MAX_REMEMBERED

    tracer = agent.provider.get_tracer("t")
    for n in range(2 * MAX_REMEMBERED):
        tracer.start_span(str(n), attributes={"k": str(n)}).end()
    encoder = Encoder()
    encoder.encode(reporter.spans)
    assert len(encoder._remembered) <= MAX_REMEMBERED
    assert len(encoder._names) <= MAX_REMEMBERED


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, b"\0"), (127, b"\x7f"), (128, b"\x80\x01"), (2**64 - 1, b"\xff" * 9 + b"\x01")],
)
def test_varint(number, encoded):
    assert varint(number) == encoded
