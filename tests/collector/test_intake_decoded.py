"""The intake with the real decoder, log, derived state and disk: bytes in, the very same bytes out."""

import asyncio
import gzip

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.collector.derived import derived_over
from weft_collector.errors import MalformedBody
from weft_collector.intake import Accepted, Intake, IntakeOptions
from weft_collector.query.traces import find_trace, raw_spans
from weft_collector.store.files import RealFiles
from weft_collector.store.log import Log, LogOptions
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ManualClock
from weft_collector.wire.otlp_protobuf import Decoder

HOUR_NS = 3_600_000_000_000


class Collector:
    def __init__(self, folder):
        telemetry, clock = Telemetry(), ManualClock()
        files, decoder = RealFiles(folder), Decoder()
        self.log = Log(files, telemetry, LogOptions(floor_bytes=0))
        self.derived = derived_over(self.log, files, decoder, telemetry)
        self.intake = Intake(self.log, decoder, self.derived, telemetry, IntakeOptions(clock))
        self.replayed = self.intake.replay(lambda _: None)
        self.intake.start()

    def submit(self, *bodies, encoding=None):
        async def run():
            return await asyncio.gather(
                *(self.intake.submit(b, encoding) for b in bodies), return_exceptions=True
            )

        return asyncio.run(run())

    def trace(self, number):
        """Span, resource and scope messages of a trace."""
        messages = (Span, Resource, InstrumentationScope)
        return [
            tuple(
                kind.FromString(part)
                for kind, part in zip(messages, (raw.span, raw.resource, raw.scope), strict=True)
            )
            for raw in raw_spans(self.log, find_trace(self.derived.tables(), 0, number))
        ]

    def close(self):
        self.intake.stop()
        self.log.close()


@pytest.fixture
def start(tmp_path):
    running = []

    def start():
        running.append(Collector(tmp_path))
        return running[-1]

    yield start
    for collector in running:
        collector.close()


def request(trace, services=("web", "cart"), late=False):
    """One span in each of two scopes of each service."""
    message = ExportTraceServiceRequest()
    for number, service in enumerate(services):
        group = message.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = service
        for scope in ("a", "b"):
            scoped = group.scope_spans.add()
            scoped.scope.name = scope * (1 + number)
            span = scoped.spans.add(name=f"{service} {scope}", start_time_unix_nano=ManualClock()() - 5)
            span.trace_id = trace.to_bytes(16, "big")
            span.span_id = (100 + 10 * number + ord(scope)).to_bytes(8, "big")
            span.events.add(name="kept as it came")
            if late and scope == "b":
                span.start_time_unix_nano += 2 * HOUR_NS
    return message


def expected(message):
    return [
        (span, group.resource, scoped.scope)
        for group in message.resource_spans
        for scoped in group.scope_spans
        for span in scoped.spans
    ]


def test_spans_come_out_as_they_went_in_before_and_after_a_restart(start):
    messages = {trace: request(trace) for trace in range(1, 6)}
    collector = start()
    bodies = [m.SerializeToString() for m in messages.values()]
    assert collector.submit(*bodies) == [Accepted(4, ())] * 5
    for _ in range(2):
        for trace, message in messages.items():
            assert collector.trace(trace) == expected(message)
        collector.close()
        collector = start()
        assert collector.replayed == 20


def test_a_compressed_body_is_the_same_body(start):
    collector = start()
    message = request(7)
    assert collector.submit(gzip.compress(message.SerializeToString()), encoding="gzip") == [Accepted(4, ())]
    assert collector.trace(7) == expected(message)


def test_spans_that_are_refused_stay_refused_at_replay(start):
    collector = start()
    (accepted,) = collector.submit(request(9, late=True).SerializeToString())
    assert accepted.spans == 2
    assert sum(count for _, count in accepted.rejected) == 2
    live = collector.trace(9)
    collector.close()
    collector = start()
    assert collector.replayed == 2
    assert collector.trace(9) == live
    assert [span.name for span, _, _ in live] == ["web a", "cart a"]


def test_a_truncated_body_fails_alone(start):
    collector = start()
    whole = request(3).SerializeToString()
    good, cut = collector.submit(whole, whole[:-7])
    assert good == Accepted(4, ())
    assert isinstance(cut, MalformedBody)
    assert len(list(collector.log.replay())) == 1


def test_an_empty_request_is_accepted(start):
    assert start().submit(b"") == [Accepted(0, ())]
