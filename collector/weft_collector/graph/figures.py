"""Cells of a window into the figures of edges or of nodes: sums, and quantiles of both histograms.

A group is an edge, or all edges that share an end. The cells of an edge lie side by side, so a group is a few
stretches of cells; its histograms are added up in an array that has a place for every bucket, and read off it in
order. Quantiles go by rank: the smallest bucket that at least ceil(q * samples) of the samples do not exceed.
Classes of outcomes are few where there are any, so they are kept as the cells that they are (`Outcomes`).

The kernel works on addresses. An edge is a place in `Edges`, a cell is below CELLS by its mask: so it lies either
in the histograms or in a row of the figures.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.cells import CELL_BITS, CELLS, OUTCOME_AT, SEEN_AT, SIGHT_AT, Cells
from weft_collector.graph.histogram import BUCKETS, QUANTILES
from weft_collector.graph.outcomes import FAILED_FROM, OUTCOMES
from weft_collector.kernel import ZERO, kernel, load64, number, routine, store64

__all__ = ["Edges", "Figures", "Outcomes", "Sides", "figures_of", "outcomes_of"]

_OK: Final = OUTCOMES[0]
_SEEN: Final = SEEN_AT - SIGHT_AT
_ERRORS: Final = OUTCOME_AT - SIGHT_AT
_BLAMED: Final = _ERRORS + 1  # outcomes that are neither ok nor failures
_CLIENT: Final = _BLAMED + 1
_SIDE: Final = 5
_COLUMNS: Final = _CLIENT + 2 * _SIDE
_ROW: Final = number(8 * _COLUMNS)
_ERRORS_AT: Final = number(8 * _ERRORS)
_BLAMED_AT: Final = number(8 * _BLAMED)
_FAILURES_FROM: Final = number(OUTCOME_AT + FAILED_FROM)
_SIDES_AT: Final = number(8 * _CLIENT)
_SIDE_BYTES: Final = number(8 * _SIDE)
_HIGHEST: Final = number(8 * (_SIDE - 1))
_HISTOGRAM: Final = number(BUCKETS)

# The control block: the groups' edges one after the other, where those of each group begin and end, where the
# cells of each edge do; the cells; a place for every bucket of both sides, zeros before and after; the result.
_GROUPS, _EDGES, _BOUNDS, _FIRST, _CELLS, _VALUES, _HISTOGRAMS, _FIGURES = (number(8 * n) for n in range(8))

Numbers = NDArray[np.int64]


class Edges(NamedTuple):
    """The cells of a window, and where the edges lie in them.

    Attributes:
        cells: Their codes are edge << CELL_BITS | cell.
        numbers: The edges, ascending.
        first: Where the cells of each begin, and the number of all cells.
    """

    cells: Cells
    numbers: Numbers
    first: Numbers

    @classmethod
    def of(cls, cells: Cells) -> "Edges":
        """The edges of cells."""
        edge = cells.code >> CELL_BITS
        begins = np.concatenate([np.ones(min(1, len(edge)), np.bool_), edge[1:] != edge[:-1]])
        first = np.flatnonzero(begins)
        return cls(cells, edge[first], np.append(first, len(edge)))


class Sides(NamedTuple):
    """What one side measured, by group; where there are no samples the rest means nothing.

    Attributes:
        samples: How many durations.
        buckets: The bucket of each of QUANTILES, and the highest one in use.
    """

    samples: Numbers
    buckets: Numbers

    def of(self, at: Numbers) -> "Sides":
        """Those of some groups, by their places."""
        return Sides(self.samples[at], self.buckets[:, at])


class Outcomes(NamedTuple):
    """How often calls went otherwise than `ok`, by group and class.

    Attributes:
        group: Ascending.
        outcome: A number of `outcomes.OUTCOMES`; each once for a group.
        calls: How many.
    """

    group: Numbers
    outcome: Numbers
    calls: Numbers

    def regrouped(self, groups: Numbers) -> "Outcomes":
        """The same in other groups, given by the old ones; those in groups below 0 are left out."""
        group = groups[self.group]
        kept = group >= 0
        keys, place = np.unique(group[kept] * len(OUTCOMES) + self.outcome[kept], return_inverse=True)
        calls = np.zeros(len(keys), np.int64)
        np.add.at(calls, place.reshape(-1), self.calls[kept])
        return Outcomes(*np.divmod(keys, len(OUTCOMES)), calls)

    def named(self, calls: Numbers) -> list[dict[str, int]]:
        """By group: how many of its calls went how, classes that did not occur left out.

        Groups of which all calls went well share a value where they have equally many: nearly all do.

        Args:
            calls: By group: all its calls.
        """
        counts: list[int] = calls.tolist()
        well = {count: {_OK: count} if count else dict[str, int]() for count in set(counts)}
        found = [well[count] for count in counts]
        rows: list[tuple[int, int, int]] = np.stack(self, axis=1).tolist()
        for group, outcome, count in rows:
            left = found[group].get(_OK, 0) - count
            known = {name: number for name, number in found[group].items() if name != _OK}
            found[group] = ({_OK: left} if left > 0 else {}) | known | {OUTCOMES[outcome]: count}
        return found


def outcomes_of(edges: Edges) -> Outcomes:
    """How the calls of edges went; groups are the edges' places."""
    cell = edges.cells.code & (CELLS - 1)
    at = np.flatnonzero(cell >= OUTCOME_AT)
    group = np.searchsorted(edges.first, at, "right") - 1
    return Outcomes(group, cell[at] - OUTCOME_AT, edges.cells.value[at])


@routine
def _read_off(histograms: int, low: int, high: int, base: int, out: int) -> None:
    """What one side measured, from the places `low` to `high`, which are zeros afterwards."""
    samples = ZERO
    for bucket in range(low, high):
        samples += load64(histograms + 8 * bucket)
    store64(out, samples)
    running, found, highest = ZERO, ZERO, low
    for bucket in range(low, high):
        count = load64(histograms + 8 * bucket)
        if count == 0:
            continue
        store64(histograms + 8 * bucket, 0)
        running += count
        highest = bucket
        while found < len(QUANTILES) and running >= math.ceil(QUANTILES[found] * samples):
            found += 1
            store64(out + 8 * found, bucket - base)
    store64(out + _HIGHEST, highest - base)


@kernel
def _figures(control: int) -> None:
    """One row of figures for each group that the control block names."""
    edges, bounds, first = load64(control + _EDGES), load64(control + _BOUNDS), load64(control + _FIRST)
    cells, values = load64(control + _CELLS), load64(control + _VALUES)
    histograms, figures = load64(control + _HISTOGRAMS), load64(control + _FIGURES)
    for group in range(load64(control + _GROUPS)):
        row = figures + group * _ROW
        low0, high0, low1, high1 = _HISTOGRAM, ZERO, 2 * _HISTOGRAM, _HISTOGRAM
        for member in range(load64(bounds + 8 * group), load64(bounds + 8 * group + 8)):
            at = first + 8 * load64(edges + 8 * member)
            for i in range(load64(at), load64(at + 8)):
                cell = load64(cells + 8 * i) & (CELLS - 1)
                place = histograms + 8 * cell
                if cell >= OUTCOME_AT:
                    place = row + (_ERRORS_AT if cell >= _FAILURES_FROM else _BLAMED_AT)
                elif cell >= SIGHT_AT:
                    place = row + 8 * (cell - SIGHT_AT)
                elif cell >= BUCKETS:
                    low1, high1 = min(low1, cell), max(high1, cell + 1)
                else:
                    low0, high0 = min(low0, cell), max(high0, cell + 1)
                store64(place, load64(place) + load64(values + 8 * i))
        _read_off(histograms, low0, high0, ZERO, row + _SIDES_AT)
        _read_off(histograms, low1, high1, _HISTOGRAM, row + _SIDES_AT + _SIDE_BYTES)


class Figures(NamedTuple):
    """Figures of groups, one each.

    Attributes:
        sights: By kind; calls are the sum of the first four.
        errors: Calls that failed.
        seen: Not 0 where the caller had spans.
        client: What callers measured.
        server: What callees measured.
    """

    sights: Numbers
    errors: Numbers
    seen: Numbers
    client: Sides
    server: Sides

    def of(self, at: Numbers) -> "Figures":
        """Those of some groups, by their places."""
        sides = self.client.of(at), self.server.of(at)
        return Figures(self.sights[:, at], self.errors[at], self.seen[at], *sides)


def figures_of(edges: Edges, order: Numbers, bounds: Numbers) -> Figures:
    """The figures of groups of edges.

    Args:
        edges: All edges.
        order: Places of edges, group by group.
        bounds: Where the places of each group begin in `order`, and their number.
    """
    groups = len(bounds) - 1
    figures = np.zeros((groups, _COLUMNS), np.int64)
    given = map(np.ascontiguousarray, (order, bounds, edges.first, *edges.cells))
    arrays = [*given, np.zeros(2 * BUCKETS, np.int64), figures]
    control = np.array([groups, *(array.ctypes.data for array in arrays)], np.int64)
    _figures(control.ctypes.data)
    table = figures.T
    sides = [Sides(table[at], table[at + 1 : at + _SIDE]) for at in (_CLIENT, _CLIENT + _SIDE)]
    return Figures(table[:_SEEN], table[_ERRORS], table[_SEEN], *sides)
