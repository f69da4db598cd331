"""Durable ingest over real sockets, with everything on: how many spans a second, at which cost.

    python -m benchmarks.ingest [--json] [--seconds 8] [--only identity,2048] [--folder PATH] [-- SETTINGS]

For each way of sending a fresh collector is started with a fresh data folder on the disk that you mean, is
warmed, and is then loaded over 8 connections (16 at 512 spans a request). The generator runs in this process:
on two cores it has one of them. Wall figures need a quiet machine; CPU a span of the collector does not.
`python -m benchmarks.ingest -- --retention-bytes 2GiB` passes settings on to `weft serve`.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.collector import Collector, Watch, collector
from benchmarks.figures import Figure, command, parser_of
from benchmarks.load import Load, Options, Replays, Result, Source, compressed
from benchmarks.pool import Pool

WARM_SECONDS: Final = 2.0
PREPARED_RATE: Final = 450_000
"""Compressed spans made ready for each second of load: more than are taken."""
GATES: Final = {
    ("identity", 2048): (">= 350", ">= 500"),
    ("gzip", 2048): (">= 300", ">= 400"),
}
CONNECTIONS: Final = {512: 16, 2048: 8}


class Way(NamedTuple):
    """One way of sending."""

    encoding: str
    per_request: int

    @property
    def title(self) -> str:
        return f"ingest, {self.per_request:,} spans a request, {self.encoding}"


WAYS: Final = tuple(
    Way(encoding, size)
    for encoding, size in (
        ("identity", 2048),
        ("gzip", 2048),
        ("zstd", 2048),
        ("identity", 512),
        ("gzip", 512),
    )
)


class Measured(NamedTuple):
    """What one load showed."""

    result: Result
    cpu: float
    peak: int
    disk: float


def source(way: Way, seconds: float) -> Source:
    """Fresh bodies for one load."""
    pool = Pool.of(way.per_request, seed=time.time_ns())
    if way.encoding == "identity":
        return Replays.now(pool)
    return compressed(pool, way.encoding, int(PREPARED_RATE * (seconds + WARM_SECONDS)))


def measure(serving: Collector, way: Way, seconds: float) -> Measured:
    """Warm a collector and load it."""
    bodies = source(way, seconds)
    options = Options(CONNECTIONS[way.per_request], WARM_SECONDS, encoding=way.encoding)
    Load(serving.url, bodies, options).run()
    disk, cpu = serving.disk_bytes(), serving.cpu_seconds()
    with Watch(serving) as watch:
        result = Load(serving.url, bodies, options._replace(seconds=seconds)).run()
    cpu = serving.cpu_seconds() - cpu
    return Measured(result, cpu, watch.peak, (serving.disk_bytes() - disk) / result.spans)


def figures(way: Way, measured: Measured) -> list[Figure]:
    """The figures of one way."""
    result, title = measured.result, way.title
    spans = result.spans
    return [
        Figure(title, result.rate / 1e3, "k spans/s", *GATES.get((way.encoding, way.per_request), ())),
        Figure(f"{title}: collector's CPU", measured.cpu / spans * 1e6, "us/span"),
        Figure(f"{title}: generator's CPU", result.cpu / spans * 1e6, "us/span"),
        Figure(f"{title}: answer p50", result.latency_ms(50), "ms"),
        Figure(f"{title}: answer p99", result.latency_ms(99), "ms"),
        Figure(f"{title}: answer max", result.latency_ms(100), "ms"),
        Figure(f"{title}: refused and healed", sum(result.refused.values()), "requests"),
        Figure(f"{title}: memory while loading", measured.peak / 1e9, "GB", "<= 1.2", "<= 0.8"),
        Figure(f"{title}: log and derived files", measured.disk, "B/span", "<= 140", "<= 110"),
    ]


def all_figures(given: argparse.Namespace) -> Sequence[Figure]:
    """The figures of every way that was asked for."""
    found: list[Figure] = []
    for way in WAYS:
        if given.only and given.only != f"{way.encoding},{way.per_request}":
            continue
        with collector(tuple(given.settings), given.folder) as serving:
            found += figures(way, measure(serving, way, given.seconds))
    return found


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    parser.add_argument("--only", help="one way, as identity,2048 or gzip,512")
    parser.add_argument("--folder", type=Path, help="where data folders are made")
    parser.add_argument("settings", nargs="*", help="of weft serve, after --")
    return command(all_figures, parser)


if __name__ == "__main__":
    sys.exit(main())
