"""Replayed bodies are whole OTLP requests whose ids and times are those that the pool says."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks import pool as pools
from benchmarks.pool import Pass, Pool
from tests.collector.wire import otlp_factory

NOON = 1_800_000_000_000_000_000
BODIES, SPANS = 4, 100


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "FOLDER", tmp_path)
    return Pool.of(SPANS, BODIES * SPANS)


def spans(data):
    message = ExportTraceServiceRequest.FromString(data)
    return [span for r in message.resource_spans for scope in r.scope_spans for span in scope.spans]


def replayed(pool, replay):
    return [span for body in range(pool.bodies) for span in spans(pool.mended(body, replay))]


def originals():
    return [span for body in otlp_factory.realistic(BODIES, SPANS) for span in spans(body)]


def test_ids_are_the_announced_ones(pool):
    replay = Pass(3, NOON)
    for body in range(pool.bodies):
        traces, ids = pool.ids(body, replay)
        found = [(span.trace_id, span.span_id) for span in spans(pool.mended(body, replay))]
        assert found == [(bytes(t), bytes(s)) for t, s in zip(traces, ids, strict=True)]


def test_passes_share_no_id_but_repeat_when_asked_again(pool):
    first = {span.span_id for span in replayed(pool, Pass(0, NOON))}
    second = {span.span_id for span in replayed(pool, Pass(1, NOON))}
    assert len(first) == len(second) == BODIES * SPANS
    assert not first & second
    assert {span.span_id for span in replayed(pool, Pass(0, NOON + 1))} == first


def test_loads_with_other_seeds_share_no_id(pool):
    first = {span.trace_id for span in replayed(pool, Pass(0, NOON))}
    pool.seed = 1
    assert not first & {span.trace_id for span in replayed(pool, Pass(0, NOON))}


def test_parents_stay_the_same_spans(pool):
    def relations(found):
        place = {(span.trace_id, span.span_id): number for number, span in enumerate(found)}
        return [place.get((s.trace_id, s.parent_span_id), -1 if s.parent_span_id else None) for s in found]

    assert relations(replayed(pool, Pass(5, NOON))) == relations(originals())


def test_times_begin_where_the_pass_does_and_durations_stay(pool):
    found, made = replayed(pool, Pass(0, NOON)), originals()
    assert min(span.start_time_unix_nano for span in found) == NOON
    durations = [[s.end_time_unix_nano - s.start_time_unix_nano for s in some] for some in (found, made)]
    assert durations[0] == durations[1]


def test_a_stretched_pass_moves_traces_apart_but_not_the_spans_of_a_trace(pool):
    near, far = replayed(pool, Pass(0, NOON)), replayed(pool, Pass(0, NOON, 1000.0))
    moved = {}
    for a, b in zip(near, far, strict=True):
        moved.setdefault(a.trace_id, set()).add(b.start_time_unix_nano - a.start_time_unix_nano)
    assert all(len(moves) == 1 for moves in moved.values())
    assert max(move for moves in moved.values() for move in moves) > 900 * pool.span_ns


def test_everything_else_stays_as_it_was_made(pool):
    def rest(span):
        for name in ("trace_id", "span_id", "parent_span_id", "start_time_unix_nano", "end_time_unix_nano"):
            span.ClearField(name)
        return span

    assert [rest(s) for s in replayed(pool, Pass(2, NOON))] == [rest(s) for s in originals()]
