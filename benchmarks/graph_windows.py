"""The graph of any window, over HTTP and never out of a cache: 100 and 1,000 edges, and a very large one.

    python -m benchmarks.graph_windows [--json] [--folder PATH]

Every minute of 24 hours has a call of every edge of the first two graphs. The large graph, of 20,000 services
and 200,000 edges, is called once in one minute.
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

MINUTES: Final = DAY_NS // MINUTE_NS
GATES: Final = {100: ("", ""), 1000: ("<= 50", "<= 10")}
LARGE: Final = (20_000, 200_000)
LARGE_TRIES: Final = 3


def pool_of(nodes: int, edges: int) -> Pool:
    return Pool.kept(f"graph-{nodes}-{edges}", lambda: graph_bodies(nodes, edges), seed=4)


def day_figures(edges: int, folder: Path | None) -> list[Figure]:
    """A graph whose every edge is called in every minute of a day."""
    pool = pool_of(edges // 4, edges)
    end = time.time_ns() // MINUTE_NS * MINUTE_NS
    passes = [Pass(n, end - DAY_NS + n * MINUTE_NS) for n in range(MINUTES)]
    with collector((), folder) as serving:
        Load(serving.url, Replays(pool, passes), Options(seconds=600)).run()
        asker = Asker(serving.url)
        figures = graph_figures(asker, end, f"graph of {edges:,} edges", GATES[edges])
        asker.close()
    return figures


def large_figures(folder: Path | None) -> list[Figure]:
    """A graph that is larger than anybody draws."""
    nodes, edges = LARGE
    pool, end = pool_of(nodes, edges), time.time_ns() // MINUTE_NS * MINUTE_NS
    with collector((), folder) as serving:
        Load(serving.url, Replays(pool, [Pass(0, end - 5 * MINUTE_NS)]), Options(seconds=600)).run()
        asker = Asker(serving.url)
        starts = [end - (10 + n) * MINUTE_NS for n in range(LARGE_TRIES)]
        asked = [asker.ask("/api/v1/graph", [("start", iso(start)), ("end", iso(end))]) for start in starts]
        asker.close()
    found = json.loads(asked[0].body)
    name = f"graph of {nodes:,} services and {edges:,} edges"
    return [
        Figure(name, sorted(answer.seconds for answer in asked)[LARGE_TRIES // 2], "s", "<= 4", "<= 2"),
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
