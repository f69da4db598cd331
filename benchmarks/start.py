"""How long `weft serve` takes until it serves: the very first time, later, and with a log to read again.

    python -m benchmarks.start [--json] [--spans 4000000] [--folder PATH]

The first start has an empty cache of kernels, as after an installation. `--spans` are loaded before the
restart; `make bench-large` measures it with 100 million.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.collector import Collector, collector
from benchmarks.figures import Figure, command, parser_of
from benchmarks.load import Load, Options, Replays
from benchmarks.pool import Pool

STARTS: Final = 3


def first_starts(folder: Path | None) -> list[Figure]:
    """With an empty cache of kernels, and with the one that this start left."""
    with tempfile.TemporaryDirectory() as cache:
        seconds = []
        for _ in range(1 + STARTS):
            began = time.perf_counter()
            with collector((), folder, Path(cache)) as serving:
                seconds.append(serving.await_ready())
                memory = serving.rss_bytes()
            print(f"started in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    return [
        Figure("very first start, kernels compile", seconds[0], "s", "<= 15", "<= 8"),
        Figure("start with compiled kernels", sorted(seconds[1:])[STARTS // 2], "s", "<= 2"),
        Figure("memory after the start", memory / 1e6, "MB"),
    ]


def restart(folder: Path | None, spans: int) -> list[Figure]:
    """After a load, and after the collector was told to stop."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        before = Collector(place)
        before.await_ready()
        Load(before.url, Replays.now(Pool.of(2048, seed=1)), Options(seconds=600, spans=spans)).run()
        before.stop()
        after = Collector(place)
        try:
            seconds = after.await_ready()
        finally:
            after.stop()
    return [Figure(f"restart with {spans / 1e6:g} M spans", seconds, "s", "<= 4", "<= 2")]


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    return first_starts(given.folder) + restart(given.folder, given.spans)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--spans", type=int, default=4_000_000, help="loaded before the restart")
    parser.add_argument("--folder", type=Path, help="where data folders are made")
    return command(measure, parser)


if __name__ == "__main__":
    sys.exit(main())
