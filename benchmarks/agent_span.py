"""CPU time of one span of the agent's core, beside the OpenTelemetry SDK where that is installed.

Run: python -m benchmarks.agent_span [--json]. Medians of repeats: CPU time of the thread, or of the whole process in
the last row. The SDK runs with its batch processor; its exporter does nothing, but encodes in the last row.
"""

import argparse
import gc
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.trace import SpanKind

from benchmarks.figures import Figure, command, parser_of
from weft.agent import Agent, Parts, silent
from weft.encode import Encoder
from weft.provider import TracerProvider
from weft.reply import Outcome
from weft.reporter import Pace, ThreadReporter
from weft.sampling import always_on
from weft.testing import MemoryTransport, RecordingReporter

SPANS, REPEATS = 20_000, 9
ATTRIBUTES = {
    "http.request.method": "GET",
    "url.full": "http://127.0.0.1:8000/cart/42",
    "server.address": "127.0.0.1",
    "server.port": 8000,
    "http.response.status_code": 200,
    "network.protocol.version": "1.1",
}
ROWS = (
    ("agent: start span + 6 attributes + end", "core", "<= 2.5", "<= 1.5"),
    ("agent: start_as_current_span + 6 attributes", "current", "", ""),
    ("agent: encode to OTLP", "encoding", "", ""),
    ("agent: whole process with encoding", "whole", "", ""),
)


def microseconds(run: Callable[[], object], clock: Callable[[], int] = time.thread_time_ns) -> float:
    """Median CPU time per span of `run`, which makes SPANS spans."""
    found: list[float] = []
    for _ in range(REPEATS):
        gc.collect()
        begin = clock()
        run()
        found.append((clock() - begin) / SPANS / 1000)
    return statistics.median(found)


def making(provider: Any) -> Callable[[], None]:
    tracer = provider.get_tracer("benchmark")

    def run() -> None:
        start_span, kind = tracer.start_span, SpanKind.CLIENT
        with tracer.start_as_current_span("parent"):
            for _ in range(SPANS):
                start_span("GET", None, kind, ATTRIBUTES).end()

    return run


def making_current(provider: Any) -> Callable[[], None]:
    tracer = provider.get_tracer("benchmark")

    def run() -> None:
        for _ in range(SPANS):
            with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes=ATTRIBUTES):
                pass

    return run


def encoding() -> Callable[[], None]:
    reporter = RecordingReporter()
    making(Agent("benchmark", parts=reporter.parts(), hooks=()).provider)()
    encoder = Encoder()

    def run() -> None:
        for first in range(0, SPANS, 2048):
            encoder.encode(reporter.spans[first : first + 2048])

    return run


class Null(MemoryTransport):
    """Forgets what it is sent."""

    def send(self, body: bytes, timeout: float) -> Outcome:
        outcome = super().send(body, timeout)
        self.bodies.clear()
        return outcome


def ours() -> dict[str, float]:
    core = TracerProvider(silent(always_on))
    pace = Pace(queue_spans=10 * SPANS, queue_bytes=2**30)
    agent = Agent("benchmark", parts=Parts(reporter=lambda _: ThreadReporter(Null, pace)), hooks=())
    found = {
        "core": microseconds(making(core)),
        "current": microseconds(making_current(core)),
        "encoding": microseconds(encoding()),
        "whole": whole_process(agent.provider, lambda: agent.flush(30)),
    }
    agent.shutdown()
    return found


def sdk() -> dict[str, float]:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans  # noqa: PLC0415 - optional
    from opentelemetry.sdk.trace import TracerProvider as Provider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415
        BatchSpanProcessor,
        SpanExporter,
        SpanExportResult,
    )

    class Exporter(SpanExporter):
        def __init__(self, work: Callable[[Any], object]) -> None:
            self._work = work

        def export(self, spans: Any) -> SpanExportResult:
            self._work(spans)
            return SpanExportResult.SUCCESS

    def provider(work: Callable[[Any], object]) -> Provider:
        made = Provider()
        made.add_span_processor(BatchSpanProcessor(Exporter(work), max_queue_size=100 * SPANS))
        return made

    idle, busy = provider(len), provider(lambda spans: encode_spans(spans).SerializeToString())
    found = {
        "core": microseconds(making(idle)),
        "current": microseconds(making_current(idle)),
        "whole": whole_process(busy, lambda: busy.force_flush(30_000)),
    }
    idle.shutdown()
    busy.shutdown()
    return found


def whole_process(provider: Any, flush: Callable[[], object]) -> float:
    make = making(provider)

    def run() -> None:
        make()
        flush()

    return microseconds(run, time.process_time_ns)


def measure(_: argparse.Namespace) -> Sequence[Figure]:
    mine = ours()
    theirs = sdk() if importlib.util.find_spec("opentelemetry.sdk") else {}
    figures = [Figure(title, mine[key], "us/span", gate, goal) for title, key, gate, goal in ROWS]
    beside = [(title, key) for title, key, *_ in ROWS if key in theirs]
    figures += [Figure(f"{title}, SDK", theirs[key], "us/span") for title, key in beside]
    if theirs:
        ratio = theirs["whole"] / mine["whole"]
        figures.append(Figure("agent: whole process, times cheaper than SDK", ratio, "x", ">= 6", ">= 10"))
    return figures


def main() -> int:
    return command(measure, parser_of(__doc__))


if __name__ == "__main__":
    sys.exit(main())
