"""How long a layout takes and how tangled it is.

    python -m benchmarks.layout [--json] [--nodes N ...]

Synthetic service graphs: an entry tier, tiers of services that call the next tier most of the time, a data tier,
popular callees, teams that call each other more than others, and a few calls back.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.figures import Figure, command, parser_of
from weft_collector.render.layout import Layout, Shape, lay_out
from weft_collector.render.positions import Positions
from weft_collector.render.quality import quality

SIZES = (50, 300, 1000)
CALLS_PER_NODE = 2.0
GATES_MS = {50: 30, 300: 300, 1000: 1200}
"""Figures of a loaded machine of two cores; the usual time is a third of it."""


class Tiers(NamedTuple):
    """The nodes of a synthetic graph by tier, and the team of each."""

    tiers: list[list[str]]
    team: dict[str, int]


def _tier_sizes(nodes: int) -> list[int]:
    """Few entries, growing tiers, and a data tier."""
    count = max(4, min(9, int(2 + nodes**0.3)))
    weights = [1, *(4 + 3 * i for i in range(count - 2)), 3 * count]
    sizes = [max(1, nodes * weight // sum(weights)) for weight in weights]
    sizes[-2] += nodes - sum(sizes)
    return sizes


def tiers(nodes: int, dice: random.Random) -> Tiers:
    """Name the nodes of a graph of this size and give each a team."""
    names = iter([f"service-{i:04d}" for i in range(nodes)])
    rows = [[next(names) for _ in range(size)] for size in _tier_sizes(nodes)]
    teams = max(3, nodes // 12)
    return Tiers(rows, {name: dice.randrange(teams) for row in rows for name in row})


def _pick(caller: str, row: Sequence[str], graph: Tiers, dice: random.Random) -> str:
    """A callee of a tier; six times in ten one of the caller's own team, if it has any there."""
    near = [name for name in row if graph.team[name] == graph.team[caller]]
    choice = near if near and dice.random() < 0.6 else row
    return choice[int(len(choice) * dice.random() ** 1.6)]


def _target_tier(tier: int, count: int, dice: random.Random) -> int:
    roll = dice.random()
    if roll < 0.80:
        return tier + 1
    return min(count - 1, tier + 2) if roll < 0.97 else max(0, tier - 1)


def service_graph(nodes: int, seed: int = 7) -> Shape:
    """A graph with about two edges a node, each node called by at least one other (the entries aside)."""
    dice = random.Random(seed)
    graph = tiers(nodes, dice)
    rows = graph.tiers
    edges = {(_pick(name, rows[i - 1], graph, dice), name) for i, row in enumerate(rows) if i for name in row}
    callers = [(name, i) for i, row in enumerate(rows[:-1]) for name in row]
    for _ in range(20 * nodes):
        if len(edges) >= CALLS_PER_NODE * nodes:
            break
        caller, tier = dice.choice(callers)
        callee = _pick(caller, rows[_target_tier(tier, len(rows), dice)], graph, dice)
        if caller != callee:
            edges.add((caller, callee))
    return Shape.of((name for row in rows for name in row), edges)


def changed(shape: Shape, seed: int = 1) -> Shape:
    """The same graph after a deployment: three services more, two less, two edges more."""
    dice = random.Random(seed)
    gone, new = set(dice.sample(shape.nodes, 2)), ["service-new-a", "service-new-b", "service-new-c"]
    added = [(dice.choice(shape.nodes), name) for name in new]
    added += [(dice.choice(shape.nodes), dice.choice(shape.nodes)) for _ in range(2)]
    edges = [(a, b) for a, b in (*shape.edges, *added) if not {a, b} & gone]
    return Shape.of([*(name for name in shape.nodes if name not in gone), *new], edges)


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def measure(nodes: int) -> list[Figure]:
    """Time and quality of a fresh layout, and of a change with kept positions."""
    shape = service_graph(nodes)
    fresh_ms = min(_milliseconds(lambda: lay_out(shape)) for _ in range(3))
    layout = lay_out(shape)
    positions = Positions()
    positions.layout(*shape)
    after = changed(shape)
    change_ms = _milliseconds(lambda: positions.layout(*after))
    kept = positions.layout(*after)
    stayed = [layout.nodes[name] == kept.nodes[name] for name in after.nodes if name in layout.nodes]
    title = f"layout of {nodes:,} nodes"
    return [
        Figure(title, fresh_ms, "ms", f"<= {GATES_MS[nodes]}" if nodes in GATES_MS else ""),
        Figure(f"{title}, after a change", change_ms, "ms"),
        Figure(f"{title}, crossings of {len(shape.edges):,} edges", _crossings(layout, shape), "crossings"),
        Figure(f"{title}, unmoved by a change", 100 * sum(stayed) / len(stayed), "%", ">= 96"),
    ]


def _crossings(layout: Layout, shape: Shape) -> int:
    return quality(layout, shape.edges).crossings


def all_figures(given: argparse.Namespace) -> Sequence[Figure]:
    return [figure for nodes in given.nodes for figure in measure(nodes)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=list(SIZES), help="sizes of the graphs")
    return command(all_figures, parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
