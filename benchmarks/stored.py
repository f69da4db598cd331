"""Traces by id and searches over some million spans of a day, on a collector that has just taken them in.

    python -m benchmarks.stored [--json] [--spans 4000000] [--folder PATH]

The same questions are asked at 100 million spans by `make bench-large`, for which the gates are meant.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.collector import collector
from benchmarks.figures import Figure, command, parser_of
from benchmarks.load import Load, Options, Replays
from benchmarks.pool import Pool
from benchmarks.questions import Asker, day, search_figures, trace_figures


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    pool, end_ns = Pool.of(2048, seed=2), time.time_ns()
    with collector((), given.folder) as serving:
        source = Replays(pool, day(pool, given.spans, end_ns))
        result = Load(serving.url, source, Options(seconds=600, spans=given.spans)).run()
        asker = Asker(serving.url)
        figures = trace_figures(asker, pool, result.acknowledged) + search_figures(asker, end_ns)
        asker.close()
        memory = Figure(
            "memory after loading and asking", serving.rss_bytes() / 1e9, "GB", "<= 1.2", "<= 0.8"
        )
        disk = Figure(
            "disk with everything", serving.disk_bytes() / result.spans, "B/span", "<= 140", "<= 110"
        )
    return [*figures, memory, disk]


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--spans", type=int, default=4_000_000)
    parser.add_argument("--folder", type=Path, help="where the data folder is made")
    return command(measure, parser)


if __name__ == "__main__":
    sys.exit(main())
