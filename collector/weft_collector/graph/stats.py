"""Sums of cells into the graph of a window, all edges and nodes at once."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import cells as ce
from weft_collector.graph.figures import Edges, Figures, Outcomes, figures_of, outcomes_of
from weft_collector.graph.nodes import UNKNOWN_CALLER_NUMBER, Node
from weft_collector.graph.pairing_table import WAITING_SIGHT
from weft_collector.graph.snapshot import NOTHING_SETTLED, Exactness, Window
from weft_collector.graph.table import Counts, GraphTable

__all__ = ["Source", "graph_table"]

Numbers = NDArray[np.int64]
_NODES = 1 << 16
_KINDS = int(WAITING_SIGHT)  # of completeness; what waits is no call yet


class Source(NamedTuple):
    """What a graph is made from.

    Attributes:
        window: Which minutes.
        version: Of the rollup when `cells` were taken.
        cells: The window's sums.
        ends: Node numbers of the callers and callees of edge numbers.
        node: A node by its number.
        exactness: Of the graph when `cells` were taken.
    """

    window: Window
    version: int
    cells: ce.Cells
    ends: Callable[[Numbers], tuple[Numbers, Numbers]]
    node: Callable[[int], Node]
    exactness: Exactness = NOTHING_SETTLED


class _Edges(NamedTuple):
    """The edges of a window that are shown, in any order.

    Attributes:
        at: Their places in the window's edges.
        caller: Places of their callers in the nodes.
        callee: Those of their callees.
        figures: Theirs.
        outcomes: Theirs, by their places here.
    """

    at: Numbers
    caller: Numbers
    callee: Numbers
    figures: Figures
    outcomes: Outcomes


def graph_table(source: Source, *, unknown: bool = False) -> GraphTable:
    """The graph of a window; with `unknown` also the edges of unknown callers."""
    edges = Edges.of(source.cells)
    figures = figures_of(edges, np.arange(len(edges.numbers)), np.arange(len(edges.numbers) + 1))
    callers, callees = source.ends(edges.numbers)
    known = np.full(len(callers), unknown) | (callers != UNKNOWN_CALLER_NUMBER)
    called = known & figures.sights[:_KINDS].any(axis=0)
    numbers = np.unique(
        np.concatenate([callers[called], callees[called], callers[known & (figures.seen != 0)]])
    )
    nodes, places = _by_id(numbers, source.node)
    at = _in_order(nodes, np.flatnonzero(called), places[callers], places[callees])
    place = np.full(len(callers), -1)
    place[at] = np.arange(len(at))
    outcomes = outcomes_of(edges).regrouped(place)
    shown = _Edges(at, places[callers[at]], places[callees[at]], figures.of(at), outcomes)
    return GraphTable(
        window=source.window,
        version=source.version,
        pending=int(figures.sights[WAITING_SIGHT].sum()),
        nodes=nodes,
        inbound=_inbound(edges, shown, len(nodes)),
        outbound=_outbound(shown, len(nodes)),
        caller=shown.caller,
        callee=shown.callee,
        edges=_counts(shown.figures, outcomes),
        sights=shown.figures.sights[:_KINDS],
        exactness=source.exactness,
    )


def _by_id(numbers: Numbers, node: Callable[[int], Node]) -> tuple[tuple[Node, ...], Numbers]:
    """The nodes of numbers, sorted by id, and the place of each number."""
    order = sorted(numbers.tolist(), key=lambda number: node(number).id)
    places = np.zeros(_NODES, np.int64)
    places[order] = np.arange(len(order))
    return tuple(map(node, order)), places


def _in_order(nodes: tuple[Node, ...], at: Numbers, caller: Numbers, callee: Numbers) -> Numbers:
    """Places of edges, sorted by the edges' ids.

    An id is `caller id->callee id`, and no node id holds the arrow. So no caller's id with its arrow is the
    beginning of another one's, and edges go by that first.
    """
    arrows = [f"{node.id}->" for node in nodes]
    rank = np.empty(len(nodes), np.int64)
    rank[sorted(range(len(nodes)), key=arrows.__getitem__)] = np.arange(len(nodes))
    return at[np.lexsort((callee[at], rank[caller[at]]))]


def _counts(figures: Figures, outcomes: Outcomes) -> Counts:
    return Counts(_calls(figures), figures.errors, figures.client, figures.server, outcomes)


def _calls(figures: Figures) -> Numbers:
    calls: Numbers = figures.sights[:_KINDS].sum(axis=0)
    return calls


def _inbound(edges: Edges, shown: _Edges, nodes: int) -> Counts:
    order = np.argsort(shown.callee, kind="stable")
    bounds = np.searchsorted(shown.callee[order], np.arange(nodes + 1))
    figures = figures_of(edges, shown.at[order], bounds)
    return _counts(figures, shown.outcomes.regrouped(shown.callee))


def _outbound(shown: _Edges, nodes: int) -> tuple[Numbers, Numbers]:
    sums = np.zeros((2, nodes), np.int64)
    np.add.at(sums[0], shown.caller, _calls(shown.figures))
    np.add.at(sums[1], shown.caller, shown.figures.errors)
    return sums[0], sums[1]
