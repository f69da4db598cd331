"""However the same spans are divided over requests, doors and codecs, the same is stored."""

import asyncio
import gzip
import zlib
from collections import Counter
from itertools import pairwise

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.collector.derived import derived_over
from tests.collector.wire import odd_requests as odd
from tests.collector.wire.json_oracle import to_json
from tests.collector.wire.otlp_factory import NOW
from weft_collector.intake import Intake, IntakeOptions
from weft_collector.query.traces import find_trace, raw_spans
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Transport
from weft_collector.store.span_schema import POINTER, SCHEMA
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles, ManualClock
from weft_collector.wire.otlp_protobuf import Decoder

TRACES = (1, 2)
COLUMNS = [name for name in SCHEMA.names if name not in POINTER]
CODECS = {
    None: bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
DOORS = (Transport.HTTP_PROTOBUF, Transport.HTTP_JSON, Transport.GRPC)

times = st.integers(NOW - 10**9, NOW)
links = st.builds(
    Span.Link,
    trace_id=st.binary(min_size=16, max_size=16),
    span_id=st.binary(min_size=8, max_size=8),
    trace_state=odd.texts,
    attributes=odd.attributes,
)
spans = st.builds(
    Span,
    trace_id=st.sampled_from([number.to_bytes(16, "big") for number in TRACES]),
    parent_span_id=st.sampled_from([b"", b"\x02" * 8]),
    trace_state=odd.entries,
    flags=st.integers(0, 2**32 - 1),
    name=odd.texts,
    kind=st.integers(0, 5),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=odd.attributes,
    dropped_attributes_count=st.integers(0, 2**32 - 1),
    events=st.lists(odd.events, max_size=2),
    links=st.lists(links, max_size=2),
)


@st.composite
def groups(draw):
    """Some spans, each with a resource and a scope of its own, and with an id that no other has."""
    found = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        span = draw(spans)
        span.span_id = number.to_bytes(8, "big")
        scoped = ScopeSpans(scope=draw(odd.scopes), spans=[span], schema_url=draw(odd.texts))
        found.append(
            ResourceSpans(resource=draw(odd.resources), scope_spans=[scoped], schema_url=draw(odd.texts))
        )
    return found


@st.composite
def deliveries(draw, sent):
    """Bodies of these groups, each with its content-encoding and its door."""
    cuts = sorted({0, *draw(st.lists(st.integers(0, len(sent)), max_size=4)), len(sent)})
    bodies = []
    for first, end in pairwise(cuts):
        request, door = (
            ExportTraceServiceRequest(resource_spans=sent[first:end]),
            draw(st.sampled_from(DOORS)),
        )
        codec = draw(st.sampled_from(["gzip", None] if door is Transport.GRPC else list(CODECS)))
        plain = to_json(request) if door is Transport.HTTP_JSON else request.SerializeToString()
        bodies.append((CODECS[codec](plain), codec, door))
    return bodies


def stored(bodies):
    """What is there after these bodies: messages and columns of each span."""
    files, telemetry, decoder = ForgetfulFiles(), Telemetry(), Decoder(seed=1)
    log = Log(files, telemetry, LogOptions(floor_bytes=0))
    derived = derived_over(log, files, decoder, telemetry)
    intake = Intake(log, decoder, derived, telemetry, IntakeOptions(ManualClock(NOW), tick_seconds=0.01))
    intake.start()

    async def submit():
        return [await intake.submit(*body) for body in bodies]

    try:
        answers = asyncio.run(submit())
        assert all(answer.rejected == () for answer in answers)
        assert sum(answer.spans for answer in answers) == sum(table.rows for table in derived.tables())
        rows = [row for table in derived.tables() for row in in_ns(table.read(COLUMNS)).to_pylist()]
        return Counter(messages(log, derived)), sorted(rows, key=lambda row: row["SpanId"])
    finally:
        intake.stop()
        log.close()


def in_ns(table):
    """The table with its times as numbers: Python's own have no nanoseconds."""
    place = table.column_names.index("Timestamp")
    return table.set_column(place, "Timestamp", table["Timestamp"].cast(pa.int64()))


def messages(log, derived):
    for number in TRACES:
        for raw in raw_spans(log, find_trace(derived.tables(), 0, number)):
            parts = zip(
                (Span, Resource, InstrumentationScope), (raw.span, raw.resource, raw.scope), strict=True
            )
            whole = tuple(kind.FromString(part).SerializeToString(deterministic=True) for kind, part in parts)
            yield *whole, raw.resource_schema, raw.scope_schema


def check(data, sent):
    together = ExportTraceServiceRequest(resource_spans=sent).SerializeToString()
    expected = stored([(together, None, Transport.HTTP_PROTOBUF)])
    assert len(expected[1]) == len(sent)
    assert stored(data.draw(deliveries(sent))) == expected


@settings(deadline=None, max_examples=60)
@given(st.data(), groups())
def test_the_same_spans_are_stored_however_they_come(data, sent):
    check(data, sent)


@pytest.mark.long
@settings(deadline=None, max_examples=3_000)
@given(st.data(), groups())
def test_the_same_spans_are_stored_however_they_come_at_length(data, sent):
    check(data, sent)
