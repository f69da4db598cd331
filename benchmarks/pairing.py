"""CPU time of making the graph out of decoded columns, and the memory of the pairing table.

Run: python -m benchmarks.pairing [--json] [--spans 1000000] [--live 200000]. Traces of 25 spans over 10 services: server,
local and client spans, two databases, one call that fails; spans come in the order of their ends, each service's
delayed by its exporter, `--live` spans of unfinished traces at any time; 2 % come twice. Batches of 2,048 spans.
Every step is timed alone, on CPU time of this thread: run it on an otherwise idle machine.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.figures import Figure, command, parser_of
from weft_collector.graph.classify import Classifier
from weft_collector.graph.nodes import NodeTable
from weft_collector.graph.pairing import Pairing
from weft_collector.graph.pairing_table import ROW
from weft_collector.graph.rollup import Rollup
from weft_collector.graph.snapshot import Window
from weft_collector.graph.stats import Source, graph_table
from weft_collector.wire.columns import Decoded, Resources, Scopes, Spans

BATCH = 2048
TRACE_NS = 2_000_000_000
START = 1_800_000_000_000_000_000
SERVER, CLIENT, INTERNAL = 2, 3, 1


class Shape(NamedTuple):
    """One span of the trace that is repeated: its parent's row, kind, service, and database if it calls one."""

    parent: int
    kind: int
    service: int
    database: int = 0


def template() -> list[Shape]:
    """A gateway that calls three services, each of which calls two more or a database, through local spans."""
    spans = [Shape(-1, SERVER, 1)]
    for service in (2, 3, 4):
        spans += [
            Shape(0, CLIENT, 1),
            Shape(len(spans), SERVER, service),
            Shape(len(spans) + 1, INTERNAL, service),
        ]
        inside = len(spans) - 1
        spans.append(Shape(inside, CLIENT, service, database=service % 2 + 1))
        for callee in (service + 3, service + 4):
            spans += [Shape(inside, CLIENT, service), Shape(len(spans), SERVER, callee)]
    return spans


class Texts:
    """Texts by number, as the decoder would keep them."""

    texts = (
        "",
        "other",
        *(f"service-{n}" for n in range(1, 11)),
        "postgresql",
        "db1.internal",
        "db2.internal",
    )

    def text(self, number: int) -> str:
        return self.texts[number]

    def __len__(self) -> int:
        return len(self.texts)


class Load:
    """All spans of the run, in order of arrival."""

    def __init__(self, count: int, live: int) -> None:
        random = np.random.default_rng(1)
        shapes = template()
        size = len(shapes)
        traces = -(-count // size)
        self.trace = np.repeat(random.integers(1, 1 << 63, traces, dtype=np.uint64), size)
        ids = random.integers(1, 1 << 63, (traces, size), dtype=np.uint64)
        parents = np.array([s.parent for s in shapes])
        self.span = ids.ravel()
        self.parent = np.where(parents >= 0, ids[:, parents], 0).ravel().astype(np.uint64)
        kinds, services, databases = (np.array(c) for c in list(zip(*shapes, strict=True))[1:])
        self.kind, self.service, self.database = (np.tile(c, traces) for c in (kinds, services, databases))
        begin = np.repeat(np.arange(traces) * (TRACE_NS * size // live), size)
        self.start = START + begin + np.tile(np.arange(size) * 1_000_000, traces)
        self.end = self.start + random.lognormal(16, 1, len(self.start)).astype(np.int64)
        delay = random.integers(0, TRACE_NS, (traces, 11))[np.repeat(np.arange(traces), size), self.service]
        order = np.argsort(self.end + delay, kind="stable")
        twice = random.choice(len(order), len(order) // 50)
        self.order = np.insert(order, np.minimum(twice + 500, len(order)), order[twice])

    def batch(self, first: int) -> Decoded:
        at = self.order[first : first + BATCH]
        n = len(at)
        none, nothing = np.zeros(n, np.int32), np.zeros(10, np.int32)
        service = np.arange(2, 12, dtype=np.int32)
        database = self.database[at]
        wide = {"trace_hi": np.zeros(n, np.uint64), "trace_lo": self.trace[at], "span_id": self.span[at]}
        columns = dict.fromkeys(Spans._fields, none) | wide
        columns |= {"parent_id": self.parent[at], "start": self.start[at], "end": self.end[at]}
        columns |= {
            "kind": self.kind[at].astype(np.uint8),
            "status": (self.span[at] % 100 == 0).astype(np.uint8) * 2,
        }
        columns |= {
            "caller_stale": np.zeros(n, np.uint8),
            "resource": (self.service[at] - 1).astype(np.int32),
        }
        columns |= {"db_system": np.where(database, 12, 0).astype(np.int32)}
        columns |= {"server_address": np.where(database, 12 + database, 0).astype(np.int32)}
        resources = Resources(service, service, *[nothing] * 8)
        return Decoded(Spans(**columns), resources, Scopes(*[nothing] * 3), ())


class Timer:
    """CPU seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str, work):
        begin = time.thread_time()
        result = work()
        self.seconds[step] = self.seconds.get(step, 0.0) + time.thread_time() - begin
        return result


def drain(pairing: Pairing, batch: np.ndarray, first: int) -> list:
    return [rows.copy() for rows in pairing.take(batch, first, first)]


def measure(count: int, live: int, capacity: int) -> list[Figure]:
    """The rate of each step, and other figures."""
    load = Load(count, live)
    texts, nodes, timer = Texts(), NodeTable(), Timer()
    classifier, rollup = Classifier(texts, nodes), Rollup()
    pairing = Pairing(classifier.owners, capacity)
    drain(Pairing(classifier.owners, 16), classifier.classify(load.batch(0)).batch, 0)  # compiles
    rollup.add(np.zeros(0, ROW))
    table = pairing._table  # noqa: SLF001 - a collector that has run for a minute has touched its memory
    table.entries.view(np.uint8).fill(0)
    table.indexes.fill(0)
    total = len(load.order)
    for first in range(0, total, BATCH):
        decoded = load.batch(first)
        batch = timer("classify", lambda d=decoded: classifier.classify(d)).batch
        for rows in timer("pair", lambda c=batch, f=first: drain(pairing, c, f)):
            timer("roll up", lambda r=rows: rollup.add(r))
    for rows in pairing.flush():
        timer("roll up", lambda r=rows: rollup.add(r))
    window = Window(START // 60_000_000_000, START // 60_000_000_000 + 60)
    cells = timer("snapshot", lambda: rollup.window(window))
    made = timer("snapshot", lambda: graph_table(Source(window, 1, cells, rollup.ends, nodes.node)).values)
    seconds = timer.seconds
    together = seconds["classify"] + seconds["pair"] + seconds["roll up"]
    unit = "M spans/s/core"
    return [
        Figure("classify", total / seconds["classify"] / 1e6, unit),
        Figure("pair", total / seconds["pair"] / 1e6, unit, ">= 3", ">= 5"),
        Figure("roll up", total / seconds["roll up"] / 1e6, unit),
        Figure("classify, pair and roll up", total / together / 1e6, unit),
        Figure("an entry of the pairing table", pairing.nbytes / pairing.capacity, "B", "<= 60"),
        Figure("snapshot of the pairing benchmark", seconds["snapshot"] * 1e3, "ms"),
        Figure("calls of the pairing benchmark", sum(edge.calls for edge in made.edges), "calls"),
        Figure("evicted by the pairing benchmark", pairing.counters()["evicted"], "entries"),
    ]


def all_figures(given: argparse.Namespace) -> Sequence[Figure]:
    return measure(given.spans, given.live, given.entries)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--live", type=int, default=200_000)
    parser.add_argument("--entries", type=int, default=1 << 20)
    return command(all_figures, parser)


if __name__ == "__main__":
    sys.exit(main())
