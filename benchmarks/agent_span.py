"""CPU time of one span of the agent's core, beside the OpenTelemetry SDK where that is installed.

Run: python benchmarks/agent_span.py. Medians of repeats: CPU time of the thread, or of the whole process in
the last row. The SDK runs with its batch processor; its exporter does nothing, but encodes in the last row.
"""

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

from opentelemetry.trace import SpanKind

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
    ("start + 6 attributes + end", "core", "<= 2.5"),
    ("start_as_current_span + 6 attributes", "current", ""),
    ("encode to OTLP", "encoding", ""),
    ("whole process with encoding", "whole", "ratio >= 6"),
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


def main() -> None:
    mine = ours()
    theirs = sdk() if importlib.util.find_spec("opentelemetry.sdk") else {}
    print(f"{'CPU time per span, us':<40}{'weft':>8}{'SDK':>8}{'ratio':>8}   gate")
    for title, key, gate in ROWS:
        other = theirs.get(key)
        beside = f"{other:8.2f}{other / mine[key]:7.1f}x" if other else f"{'-':>8}{'-':>8}"
        print(f"{title:<40}{mine[key]:8.2f}{beside}   {gate}")


if __name__ == "__main__":
    main()
