"""The graph of any window, over HTTP and never out of a cache: 100 and 1,000 edges, and a very large one.

    python -m benchmarks.graph_windows [--json] [--folder PATH]

Every minute of 24 hours has a call of every edge of the first two graphs; durations of an edge differ by the
minute, so that its histograms are as wide as real ones. The large graph, of 20,000 services and 200,000 edges, is
called once in one minute.

It is asked when everything is sealed. Beside the wall time of the answers stands the collector's CPU time for one,
which other programs disturb less.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.collector import collector
from benchmarks.figures import Figure, command, parser_of
from benchmarks.graph_bodies import graph_bodies
from benchmarks.load import Load, Options, Replays
from benchmarks.pool import Pass, Pool
from benchmarks.questions import DAY_NS, MINUTE_NS, Asker, graph_figures, iso

PASS_MINUTES: Final = 60
PASSES: Final = DAY_NS // MINUTE_NS // PASS_MINUTES
GATES: Final = {100: ("", ""), 1000: ("<= 50", "<= 10")}
LARGE: Final = (20_000, 200_000)
LARGE_TRIES: Final = 3
TRIES: Final = 60


def pool_of(nodes: int, edges: int, minutes: int = 1) -> Pool:
    name = f"graph-{nodes}-{edges}-{minutes}"
    return Pool.kept(name, lambda: graph_bodies(nodes, edges, minutes), seed=4)


def day_figures(edges: int, folder: Path | None) -> list[Figure]:
    """A graph whose every edge is called in every minute of a day."""
    pool = pool_of(edges // 4, edges, PASS_MINUTES)
    end = time.time_ns() // MINUTE_NS * MINUTE_NS
    passes = [Pass(n, end - DAY_NS + n * PASS_MINUTES * MINUTE_NS) for n in range(PASSES)]
    with collector((), folder) as serving:
        Load(serving.url, Replays(pool, passes), Options(seconds=600)).run()
        serving.await_rest()
        asker = Asker(serving.url)
        name, before = f"graph of {edges:,} edges", serving.cpu_seconds()
        figures = graph_figures(asker, end, name, GATES[edges], TRIES)
        asker.close()
        cpu = Figure(f"{name}, CPU of the collector", (serving.cpu_seconds() - before) / TRIES * 1e3, "ms")
    return [*figures, cpu]


def large_figures(folder: Path | None) -> list[Figure]:
    """A graph that is larger than anybody draws."""
    nodes, edges = LARGE
    pool, end = pool_of(nodes, edges), time.time_ns() // MINUTE_NS * MINUTE_NS
    with collector((), folder) as serving:
        Load(serving.url, Replays(pool, [Pass(0, end - 5 * MINUTE_NS)]), Options(seconds=600)).run()
        serving.await_rest()
        asker = Asker(serving.url)
        before = serving.cpu_seconds()
        starts = [end - (10 + n) * MINUTE_NS for n in range(LARGE_TRIES)]
        asked = [asker.ask("/api/v1/graph", [("start", iso(start)), ("end", iso(end))]) for start in starts]
        cpu = (serving.cpu_seconds() - before) / LARGE_TRIES
        asker.close()
    found = json.loads(asked[0].body)
    name = f"graph of {nodes:,} services and {edges:,} edges"
    return [
        Figure(name, sorted(answer.seconds for answer in asked)[LARGE_TRIES // 2], "s", "<= 4", "<= 2"),
        Figure(f"{name}, CPU of the collector", cpu, "s"),
        Figure(f"{name}: edges told", len(found["edges"]), "edges"),
        Figure(f"{name}: nodes told", len(found["nodes"]), "nodes"),
    ]


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    every_day = [figure for edges in GATES for figure in day_figures(edges, given.folder)]
    return every_day + large_figures(given.folder)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--folder", type=Path, help="where data folders are made")
    return command(measure, parser)


if __name__ == "__main__":
    sys.exit(main())
