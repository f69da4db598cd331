"""A long load at 80 % of the rate that was just measured, with retention on and readers running.

    python -m benchmarks.soak [--json] [--seconds 600] [--retention-bytes 10GiB] [--rate N] [--folder PATH]

Readers ask for traces that were acknowledged, graphs, and searches, one after the other and without an end.
At the end: is memory flat (a line through the second half), was every reader answered within a second, is
everything acknowledged there (a sample of the newest spans, older ones may be retained away), and was every
refusal a 429 or 503 that sending again healed (anything else ends the load with an error).
"""

import argparse
import random
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from benchmarks.collector import Collector, Watch, collector
from benchmarks.figures import Figure, command, parser_of
from benchmarks.load import Body, Load, Options, Replays, Result
from benchmarks.pool import Pool
from benchmarks.questions import Asker, iso

SHARE: Final = 0.8
MEASURING_SECONDS: Final = 15.0
SETTLING_SECONDS: Final = 5.0
NEWEST_SPANS: Final = 1_500_000
SAMPLED: Final = 200
PAUSE_SECONDS: Final = 0.05


class Readers:
    """Threads that ask until they are told to end.

    Args:
        url: The collector's address.
        pool: Knows the ids of what was sent.
        result: Of the load that is under way.
    """

    def __init__(self, url: str, pool: Pool, result: Result) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self._url, self._pool, self._result = url, pool, result
        self._ending = threading.Event()
        kinds: dict[str, Callable[[Asker, random.Random], tuple[int, float]]]
        kinds = {"trace": self._trace, "graph": self._graph, "search": self._search}
        self._threads = [threading.Thread(target=self._read, args=kind) for kind in kinds.items()]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _read(self, name: str, ask: Callable[[Asker, random.Random], tuple[int, float]]) -> None:
        asker, chance = Asker(self._url), random.Random(name)
        while not self._ending.wait(PAUSE_SECONDS):
            try:
                status, seconds = ask(asker, chance)
            except OSError as error:
                self.errors.append(f"{name}: {error}")
                break
            if name == "search" and status in {404, 405}:
                break  # this collector has no search
            self.seconds[name].append(seconds)
            if status != 200:
                self.errors.append(f"{name}: {status}")
        asker.close()

    def _trace(self, asker: Asker, chance: random.Random) -> tuple[int, float]:
        bodies = newest(self._result, self._pool)
        if not bodies:
            return 200, 0.0
        body = chance.choice(bodies)
        trace = chance.choice(self._pool.ids(body.number, body.replay)[0])
        asked = asker.ask(f"/api/v1/traces/{bytes(trace).hex()}")
        return asked.status, asked.seconds

    def _graph(self, asker: Asker, chance: random.Random) -> tuple[int, float]:
        asked = asker.ask("/api/v1/graph", [("window", f"{chance.randrange(5, 120)}m")])
        return asked.status, asked.seconds

    def _search(self, asker: Asker, chance: random.Random) -> tuple[int, float]:
        now = time.time_ns()
        tenant = f"app.tenant.id=tenant-{chance.randrange(500)}"
        window = [("start", iso(now - 15 * 60 * 10**9)), ("end", iso(now)), ("limit", "20")]
        asked = asker.ask("/api/v1/traces", [("service", "cart-service"), ("attribute", tenant), *window])
        return asked.status, asked.seconds


def newest(result: Result, pool: Pool) -> Sequence[Body]:
    """The newest bodies that were acknowledged."""
    count = NEWEST_SPANS // pool.spans_of(0)
    return result.acknowledged[-count:]


def lost(url: str, pool: Pool, bodies: Sequence[Body]) -> int:
    """How many spans of a sample are not shown."""
    asker, chance, missing = Asker(url), random.Random(1), 0
    for body in chance.choices(bodies, k=SAMPLED):
        traces, spans = pool.ids(body.number, body.replay)
        row = chance.randrange(len(traces))
        asked = asker.ask(f"/api/v1/traces/{bytes(traces[row]).hex()}")
        missing += bytes(spans[row]).hex().encode() not in asked.body
    asker.close()
    return missing


def growth(samples: Sequence[tuple[float, int]]) -> float:
    """By how many percent memory grows in the second half, by a line through it."""
    half = samples[len(samples) // 2 :]
    times, sizes = np.array(half, dtype=float).T
    slope = np.polyfit(times - times[0], sizes, 1)[0]
    return float(100 * slope * (times[-1] - times[0]) / sizes.mean())


def soaked(serving: Collector, given: argparse.Namespace) -> list[Figure]:
    """Measure the rate, load at a share of it, and look."""
    pool = Pool.of(2048, seed=time.time_ns())
    source = Replays.now(pool)
    rate = given.rate or Load(serving.url, source, Options(seconds=MEASURING_SECONDS)).run().rate
    time.sleep(SETTLING_SECONDS)
    load = Load(serving.url, source, Options(seconds=given.seconds, rate=SHARE * rate))
    with Watch(serving, 1.0) as watch, Readers(serving.url, pool, load.result) as readers:
        result = load.run()
    for error in sorted(set(readers.errors)):
        print(f"reader: {error}", file=sys.stderr)
    missing = lost(serving.url, pool, newest(result, pool))
    slowest = [
        Figure(f"soak: slowest {name} of {len(seconds):,}", max(seconds), "s", "<= 1")
        for name, seconds in readers.seconds.items()
    ]
    return [
        Figure("soak: rate measured before", rate / 1e3, "k spans/s"),
        Figure("soak: rate held", result.rate / 1e3, "k spans/s"),
        Figure("soak: rate held of the rate asked for", 100 * result.rate / (SHARE * rate), "%", ">= 95"),
        Figure("soak: spans", result.spans / 1e6, "M"),
        Figure("soak: refused with 429 or 503, and healed", sum(result.refused.values()), "requests"),
        Figure("soak: answer p99", result.latency_ms(99), "ms"),
        Figure("soak: answer max", result.latency_ms(100), "ms"),
        *slowest,
        Figure("soak: readers' errors", len(readers.errors), "answers", "<= 0"),
        Figure("soak: acknowledged spans not found", missing, f"of {SAMPLED}", "<= 0"),
        Figure("soak: memory's growth in the second half", growth(watch.samples), "%", "<= 5"),
        Figure("soak: memory, peak", watch.peak / 1e9, "GB", "<= 1.2", "<= 0.8"),
        Figure("soak: disk", serving.disk_bytes() / 1e9, "GB"),
    ]


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    with collector(("--retention-bytes", given.retention_bytes), given.folder) as serving:
        return soaked(serving, given)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--retention-bytes", default="10GiB", help="retention by size")
    parser.add_argument("--rate", type=float, default=0.0, help="spans a second; measured if left out")
    parser.add_argument("--folder", type=Path, help="where the data folder is made")
    return command(measure, parser)


if __name__ == "__main__":
    sys.exit(main())
