"""Sums of cells into the figures of edges and nodes, all of a window at once."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import cells as ce
from weft_collector.graph.histogram import BUCKETS, QUANTILES, middle_ms, upper_ms
from weft_collector.graph.nodes import UNKNOWN_CALLER_NUMBER, Node
from weft_collector.graph.pairing_table import WAITING_SIGHT
from weft_collector.graph.snapshot import Completeness, EdgeStats, GraphSnapshot, Latency, NodeStats, Window

Numbers = NDArray[np.int64]


class _Groups(NamedTuple):
    """Cells of many groups (edges, or nodes), sorted by group and cell.

    Attributes:
        name: Of each cell's group, a number.
        cell: Which counter of the group.
        value: What it counts to.
    """

    name: Numbers
    cell: Numbers
    value: Numbers

    def total(self, cell: int) -> dict[int, int]:
        """One counter of every group that has it."""
        at = self.cell == cell
        return dict(zip(self.name[at].tolist(), self.value[at].tolist(), strict=True))

    def latencies(self, first_cell: int) -> dict[int, Latency]:
        """The histogram of every group that has one."""
        at = (self.cell >= first_cell) & (self.cell < first_cell + BUCKETS)
        return latencies(self.name[at], self.cell[at] - first_cell, self.value[at])


def latencies(names: Numbers, buckets: Numbers, counts: Numbers) -> dict[int, Latency]:
    """Quantiles by rank: the smallest bucket that at least ceil(q * samples) of the samples do not exceed."""
    if not len(names):
        return {}
    first = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
    last = np.append(first[1:], len(names)) - 1
    running = np.cumsum(counts)
    before = running[first] - counts[first]
    samples = running[last] - before
    ranks = [np.ceil(q * samples).astype(np.int64) for q in QUANTILES]
    found = [buckets[np.searchsorted(running, before + rank)] for rank in ranks]
    columns = [samples, *(middle_ms(bucket) for bucket in found), upper_ms(buckets[last])]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {name: Latency(*row) for name, row in zip(names[first].tolist(), rows, strict=True)}


class _Side(NamedTuple):
    """Calls and errors that many groups have, with the latencies of both ends."""

    calls: dict[int, int]
    errors: dict[int, int]
    client: dict[int, Latency]
    server: dict[int, Latency]
    sights: tuple[dict[int, int], ...]


def _side(groups: _Groups) -> _Side:
    sights = tuple(groups.total(ce.SIGHT_AT + kind) for kind in range(4))
    names = set[int]().union(*sights)
    calls = {name: sum(sight.get(name, 0) for sight in sights) for name in names}
    errors = groups.total(ce.ERRORS_AT)
    return _Side(calls, errors, groups.latencies(ce.CLIENT_AT), groups.latencies(ce.SERVER_AT), sights)


def _regrouped(groups: _Groups, new_names: Numbers) -> _Groups:
    """The same cells added up under other names."""
    codes = new_names << ce.CELL_BITS | groups.cell
    order = np.argsort(codes, kind="stable")
    total = ce.summed(codes[order], groups.value[order])
    return _Groups(total.code >> ce.CELL_BITS, total.code & ce.CELLS - 1, total.value)


class Source(NamedTuple):
    """What a snapshot is made from.

    Attributes:
        window: Which minutes.
        version: Of the rollup when `cells` were taken.
        cells: The window's sums.
        ends: Node numbers of the callers and callees of edge numbers.
        node: A node by its number.
    """

    window: Window
    version: int
    cells: ce.Cells
    ends: Callable[[Numbers], tuple[Numbers, Numbers]]
    node: Callable[[int], Node]


def snapshot(source: Source, *, unknown: bool = False) -> GraphSnapshot:
    """The graph of a window; with `unknown` also the edges of unknown callers."""
    code = source.cells.code
    groups = _Groups(code >> ce.CELL_BITS, code & ce.CELLS - 1, source.cells.value)
    pending = sum(groups.total(ce.SIGHT_AT + WAITING_SIGHT).values())
    if not unknown:
        callers, _ = source.ends(groups.name)
        groups = _Groups(*(column[callers != UNKNOWN_CALLER_NUMBER] for column in groups))
    view = _View(source, groups)
    return GraphSnapshot(source.window, source.version, view.nodes(), view.edges(), pending)


class _View:
    """Builds the values of one snapshot."""

    def __init__(self, source: Source, groups: _Groups) -> None:
        self._node = source.node
        self._seconds = source.window.seconds or 1
        callers, callees = source.ends(groups.name)
        ends = zip(callers.tolist(), callees.tolist(), strict=True)
        self._ends = dict(zip(groups.name.tolist(), ends, strict=True))
        self._seen = groups.total(ce.SEEN_AT)
        self._by_edge = _side(groups)
        self._inbound = _side(_regrouped(groups, callees))
        self._outbound = _side(_regrouped(groups, callers))

    def edges(self) -> tuple[EdgeStats, ...]:
        return tuple(sorted(map(self._edge, self._by_edge.calls), key=lambda edge: edge.id))

    def nodes(self) -> tuple[NodeStats, ...]:
        """Whoever calls or is called, and the services that had spans."""
        seen = {self._ends[edge][0] for edge in self._seen}
        numbers = seen.union(self._inbound.calls, self._outbound.calls)
        return tuple(sorted(map(self._node_stats, numbers), key=lambda stats: stats.node.id))

    def _edge(self, number: int) -> EdgeStats:
        side = self._by_edge
        calls, errors = side.calls[number], side.errors.get(number, 0)
        caller, callee = map(self._node, self._ends[number])
        return EdgeStats(
            caller=caller,
            callee=callee,
            calls=calls,
            errors=errors,
            rate=calls / self._seconds,
            error_rate=errors / calls,
            client=side.client.get(number),
            server=side.server.get(number),
            completeness=Completeness(*(sight.get(number, 0) for sight in side.sights)),
        )

    def _node_stats(self, number: int) -> NodeStats:
        inbound, outbound = self._inbound, self._outbound
        calls, errors = inbound.calls.get(number, 0), inbound.errors.get(number, 0)
        return NodeStats(
            node=self._node(number),
            calls=calls,
            errors=errors,
            rate=calls / self._seconds,
            error_rate=errors / calls if calls else 0.0,
            outbound_calls=outbound.calls.get(number, 0),
            outbound_errors=outbound.errors.get(number, 0),
            client=inbound.client.get(number),
            server=inbound.server.get(number),
        )
