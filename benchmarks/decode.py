"""Decoding OTLP protobuf into columns, beside upb's parser: CPU time on one core.

    python benchmarks/decode.py [--json]

Rates are the best of several repetitions, from process CPU time (the kernels run on one thread), and include
all of the work in Python. Each body is copied just before it is decoded, untimed, as a body in the collector
has just been received or inflated; `cold` is the rate over 7 MB of bodies that were not. upb only parses: its
messages have yet to be looped over. The kernels' first compile and their load from the cache are timed in
processes of their own.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SIZES = (512, 2048, 8192)
GATE, GOAL = 2.5, 4.0  # M spans/s on one core
FIRST_START_GATE = 8.0  # seconds of CPU: about half of the 15 that all kernels may take together
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
    sys.path.insert(0, str(ROOT))
    from tests.collector.wire.otlp_factory import realistic  # noqa: PLC0415 - needs the line above

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


def rates(spans: int) -> dict[str, Any]:
    """M spans/s of one core: Weft, and upb's parse alone."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415 - not timed
        ExportTraceServiceRequest,
    )

    from weft_collector.wire.otlp_protobuf import Decoder  # noqa: PLC0415 - not timed

    requests, decoder = bodies(spans), Decoder()

    def decode(body: bytes) -> object:
        return decoder.decode(body, 2**62)

    decode(requests[0])
    found = best_rate(decode, requests, spans, fresh=True)
    return {
        "spans a request": spans,
        "bytes a span": sum(map(len, requests)) // (spans * len(requests)),
        "M spans/s": found,
        "cold": best_rate(decode, requests, spans, fresh=False),
        "upb parse only": best_rate(ExportTraceServiceRequest.FromString, requests, spans, fresh=True),
        "gate": GATE,
        "goal": GOAL,
        "held": found >= GATE,
    }


def start_times() -> dict[str, Any]:
    """Seconds of CPU for the kernels of a process with an empty cache, and of the next one."""
    with tempfile.TemporaryDirectory() as cache:
        environ = os.environ | {"WEFT_CACHE": cache}
        first, cached = (
            float(subprocess.run([sys.executable, "-c", WARM], env=environ, stdout=-1, check=True).stdout)
            for _ in range(2)
        )
    return {
        "first compile, s": round(first, 2),
        "cached load, s": round(cached, 2),
        "gate": FIRST_START_GATE,
        "held": first <= FIRST_START_GATE,
    }


def main() -> int:
    """Print the figures; 1 if one misses its gate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures = {"decode": [rates(spans) for spans in SIZES], "start": start_times()}
    if arguments.json:
        print(json.dumps(figures))
    else:
        for row in (*figures["decode"], figures["start"]):
            print("  ".join(f"{name}: {value}" for name, value in row.items()))
    return 0 if all(row["held"] for row in (*figures["decode"], figures["start"])) else 1


if __name__ == "__main__":
    sys.exit(main())
