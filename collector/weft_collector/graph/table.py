"""The graph of one window as columns: what answers, values and networkx are made from.

A graph of 200,000 edges has millions of figures. Here they are some forty arrays; whoever wants them as values of
Python (`values`), or as text, makes each of them once and in the order in which they are needed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import starmap
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.figures import Outcomes, Sides
from weft_collector.graph.histogram import BUCKETS, middle_ms, upper_ms
from weft_collector.graph.nodes import UNKNOWN_CALLER, Node
from weft_collector.graph.snapshot import (
    NOTHING_SETTLED,
    Completeness,
    EdgeStats,
    Exactness,
    GraphSnapshot,
    Latency,
    NodeStats,
    Totals,
    Window,
)

__all__ = ["Counts", "GraphTable", "latencies", "measured"]

Numbers = NDArray[np.int64]
T = TypeVar("T")

_EVERY = np.arange(BUCKETS)
_MIDDLE, _UPPER = middle_ms(_EVERY), upper_ms(_EVERY)


class Counts(NamedTuple):
    """Calls, what both sides measured, and how they went, by edge or by node."""

    calls: Numbers
    errors: Numbers
    client: Sides
    server: Sides
    outcomes: Outcomes

    @property
    def named_outcomes(self) -> list[dict[str, int]]:
        """How the calls went, by the names of the classes that occurred."""
        return self.outcomes.named(self.calls)

    def rates(self, seconds: int) -> tuple[list[float], list[float]]:
        """Calls a second, and the share of them that failed."""
        rate = self.calls / (seconds or 1)
        failing = np.divide(self.errors, self.calls, out=np.zeros(len(self.calls)), where=self.calls != 0)
        return rate.tolist(), failing.tolist()


def latencies(side: Sides) -> Iterator[tuple[int, float, float, float, float]]:
    """Samples, three quantiles and the maximum in ms; with no samples the rest means nothing."""
    buckets = np.where(side.samples != 0, side.buckets, 0)
    columns = [side.samples, *_MIDDLE[buckets[:-1]], _UPPER[buckets[-1]]]
    return zip(*(column.tolist() for column in columns), strict=True)


def measured(side: Sides, make: Callable[[int, float, float, float, float], T]) -> Iterator[T | None]:
    """What `make` makes of a side's latencies; None where there are no samples."""
    rows = latencies(side)
    if side.samples.all():
        return starmap(make, rows)
    return (make(*row) if row[0] else None for row in rows)


@dataclass(frozen=True, eq=False)
class GraphTable:
    """The graph of one window.

    Attributes:
        window: The minutes it speaks of.
        version: Grows with every change of the collector's state; equal versions mean equal graphs.
        pending: Caller-side spans in the window that still wait for their callee, and are in no edge yet.
        nodes: Sorted by id.
        inbound: By node: the calls that reach it.
        outbound: By node: the calls that it makes, and how many of them failed.
        caller: By edge: the place of its caller in `nodes`. Edges are sorted by id.
        callee: By edge: that of its callee.
        edges: By edge.
        sights: By kind of completeness, then by edge.
        exactness: Of the graph of all windows.
    """

    window: Window
    version: int
    pending: int
    nodes: tuple[Node, ...]
    inbound: Counts
    outbound: tuple[Numbers, Numbers]
    caller: Numbers
    callee: Numbers
    edges: Counts
    sights: Numbers
    exactness: Exactness = NOTHING_SETTLED

    @cached_property
    def ids(self) -> list[str]:
        """The nodes' ids."""
        return [node.id for node in self.nodes]

    @cached_property
    def ends(self) -> tuple[list[str], list[str]]:
        """By edge: the ids of its caller and of its callee."""
        callers: list[int] = self.caller.tolist()
        callees: list[int] = self.callee.tolist()
        return [self.ids[place] for place in callers], [self.ids[place] for place in callees]

    @property
    def totals(self) -> Totals:
        """Sums over the edges, those of unknown callers left out."""
        unknown = [place for place, node in enumerate(self.nodes) if node == UNKNOWN_CALLER]
        known = ~np.isin(self.caller, unknown)
        calls, errors = int(self.edges.calls[known].sum()), int(self.edges.errors[known].sum())
        return Totals(calls, errors, calls / self.window.seconds if self.window.seconds else 0.0)

    @cached_property
    def values(self) -> GraphSnapshot:
        """The same as values."""
        nodes, edges = tuple(_nodes(self)), tuple(_edges(self))
        return GraphSnapshot(self.window, self.version, nodes, edges, self.pending, self.exactness)


def _nodes(table: GraphTable) -> Iterator[NodeStats]:
    outbound = (column.tolist() for column in table.outbound)
    calls, errors, rates, failing, client, server = _shown(table.inbound, table.window)
    named = table.inbound.named_outcomes
    return map(NodeStats, table.nodes, calls, errors, rates, failing, *outbound, client, server, named)


def _edges(table: GraphTable) -> Iterator[EdgeStats]:
    callers = map(table.nodes.__getitem__, table.caller.tolist())
    callees = map(table.nodes.__getitem__, table.callee.tolist())
    completeness = map(Completeness, *table.sights.tolist())
    named = table.edges.named_outcomes
    return map(EdgeStats, callers, callees, *_shown(table.edges, table.window), completeness, named)


def _shown(counts: Counts, window: Window) -> tuple[Any, ...]:
    client, server = (measured(side, Latency) for side in (counts.client, counts.server))
    return counts.calls.tolist(), counts.errors.tolist(), *counts.rates(window.seconds), client, server
