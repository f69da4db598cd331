"""Decoding OTLP protobuf into columns, beside upb's parser: CPU time on one core.

    python -m benchmarks.decode [--json]

Rates are the best of several repetitions, from process CPU time (the kernels run on one thread), and include
all of the work in Python. Each body is copied just before it is decoded, untimed, as a body in the collector
has just been received or inflated; `cold` is the rate over 7 MB of bodies that were not. upb only parses: its
messages have yet to be looped over. The kernels' first compile and their load from the cache are timed in
processes of their own.
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

from benchmarks.figures import Figure, command, parser_of

SIZES = (512, 2048, 8192)
GATE, GOAL = ">= 2.5", ">= 4"
FIRST_GATE = "<= 8"  # about half of the 15 seconds that all kernels may take together
ROUNDS = 15

WARM = """
import time
from weft_collector.wire.otlp_protobuf import Decoder
before = time.process_time()
Decoder().warm()
print(time.process_time() - before)
"""


def bodies(spans: int) -> list[bytes]:
    """About 16,000 spans in requests of `spans` each."""
    from tests.collector.wire.otlp_factory import realistic  # noqa: PLC0415 - not timed

    return list(realistic(max(2, 16_384 // spans), spans))


def best_rate(decode: Callable[[bytes], object], requests: list[bytes], spans: int, *, fresh: bool) -> float:
    """M spans per second of CPU in the quickest of some runs over all requests."""
    gc.collect()
    runs = []
    for _ in range(ROUNDS):
        spent = 0
        for request in requests:
            body = bytes(bytearray(request)) if fresh else request
            before = time.process_time_ns()
            decode(body)
            spent += time.process_time_ns() - before
        runs.append(spent)
    return round(1000 * spans * len(requests) / min(runs), 2)


def rates(spans: int) -> list[Figure]:
    """Rates of one core: Weft's, and that of upb's parse alone."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415 - not timed
        ExportTraceServiceRequest,
    )

    from weft_collector.wire.otlp_protobuf import Decoder  # noqa: PLC0415 - not timed

    requests, decoder = bodies(spans), Decoder()

    def decode(body: bytes) -> object:
        return decoder.decode(body, 2**62)

    decode(requests[0])
    title, unit = f"decode, {spans:,} spans a request", "M spans/s/core"
    upb = ExportTraceServiceRequest.FromString
    return [
        Figure(title, best_rate(decode, requests, spans, fresh=True), unit, GATE, GOAL),
        Figure(f"{title}, cold", best_rate(decode, requests, spans, fresh=False), unit),
        Figure(f"{title}, upb's parse only", best_rate(upb, requests, spans, fresh=True), unit),
    ]


def start_times() -> list[Figure]:
    """CPU of the decoder's kernels in a process with an empty cache, and in the next one."""
    with tempfile.TemporaryDirectory() as cache:
        environ = os.environ | {"WEFT_CACHE": cache}
        first, cached = (
            float(subprocess.run([sys.executable, "-c", WARM], env=environ, stdout=-1, check=True).stdout)
            for _ in range(2)
        )
    return [
        Figure("decoder's kernels, first compile", first, "s of CPU", FIRST_GATE),
        Figure("decoder's kernels, cached load", cached, "s of CPU"),
    ]


def measure(_: argparse.Namespace) -> Sequence[Figure]:
    return [figure for spans in SIZES for figure in rates(spans)] + start_times()


def main() -> int:
    return command(measure, parser_of(__doc__))


if __name__ == "__main__":
    sys.exit(main())
