"""Signed call rows into signed cells: the one unit that rollups count.

A cell is one counter of one edge in one minute: a bucket of a histogram, a kind of completeness, a
class of outcomes. Everything the graph knows is a sum of cells, so adding, taking back, merging minutes and
merging edges are all the same addition, and what was never seen takes no room at all.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.histogram import BUCKETS
from weft_collector.graph.nodes import OTHER_NUMBER
from weft_collector.kernel import ZERO, inline, kernel

CELL_BITS = 11
CELLS = 1 << CELL_BITS
CLIENT_AT = 0
"""First cell of the callers' histogram."""
SERVER_AT = BUCKETS
"""First cell of the callees' histogram."""
SIGHT_AT = 2 * BUCKETS
"""First cell of the kinds of completeness, in their order; the fifth counts spans that wait."""
SEEN_AT = SIGHT_AT + 5
"""Spans of the caller's node: says only that there were some."""
OUTCOME_AT = SEEN_AT + 1
"""First cell of the classes of outcomes, in their order; that of `ok` is never used, as it is all the others."""

EDGE_BITS = 20
MAX_EDGES = 1 << EDGE_BITS
MINUTE_SHIFT = EDGE_BITS + CELL_BITS

_COUNT, _REFUSED = range(2)


class Edges(NamedTuple):
    """Numbers for pairs of nodes; number 0 is `other -> other`, for every pair beyond the capacity.

    Attributes:
        ends: caller << 16 | callee, by number.
        places: number + 1 by hash, open addressing; 0 where empty.
        state: How many numbers are given, and how often there was none left.
    """

    ends: NDArray[np.uint32]
    places: NDArray[np.int32]
    state: NDArray[np.int64]

    def ends_of(self, edges: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Node numbers of the callers and of the callees of edges."""
        ends = self.ends[edges].astype(np.int64)
        return ends >> 16, ends & 0xFFFF

    @property
    def given(self) -> int:
        """How many numbers are given."""
        return int(self.state[_COUNT])

    @property
    def refused(self) -> int:
        """How many rows went to `other -> other`."""
        return int(self.state[_REFUSED])


def make_edges(capacity: int = MAX_EDGES) -> Edges:
    """An empty table for `capacity` edges, a power of two of at most MAX_EDGES."""
    edges = Edges(np.zeros(capacity, np.uint32), np.zeros(2 * capacity, np.int32), np.zeros(2, np.int64))
    encode(np.array([OTHER_NUMBER << 16 | OTHER_NUMBER], np.uint32), edges, np.zeros(1, np.int32))
    return edges


@inline
def number_of(pair: np.uint32, edges: Edges) -> int:
    """The number of a pair of nodes, a new one if the pair is new."""
    mask = edges.places.shape[0] - 1
    at = int((np.uint64(pair) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask
    while edges.places[at] != 0 and edges.ends[edges.places[at] - 1] != pair:
        at = (at + 1) & mask
    if edges.places[at] == 0:
        count = edges.state[_COUNT]
        if count == edges.ends.shape[0]:
            edges.state[_REFUSED] += 1
            return ZERO
        edges.ends[count] = pair
        edges.state[_COUNT] = count + 1
        edges.places[at] = count + 1
    return int(edges.places[at]) - 1


@kernel
def encode(pairs: NDArray[np.uint32], edges: Edges, numbers: NDArray[np.int32]) -> None:
    """The number of each pair of nodes."""
    for i in range(pairs.shape[0]):
        numbers[i] = number_of(pairs[i], edges)


class Cells(NamedTuple):
    """Counters and their values.

    Attributes:
        code: minute, edge and cell (or edge and cell alone), each once, ascending.
        value: What to add to each; never 0.
    """

    code: NDArray[np.int64]
    value: NDArray[np.int64]


def of_presence(minutes: NDArray[np.int64], nodes: NDArray[np.int32], edges: Edges) -> Cells:
    """That these nodes had spans in these minutes."""
    numbers = np.empty(len(nodes), np.int32)
    encode((nodes << 16 | nodes).astype(np.uint32), edges, numbers)
    codes = np.sort((minutes << EDGE_BITS | numbers) << CELL_BITS | SEEN_AT)
    return summed(codes, np.ones(len(codes), np.int64))


def summed(codes: NDArray[np.int64], counts: NDArray[np.int64]) -> Cells:
    """Equal codes, which stand side by side, as one; sums of 0 left out."""
    if not len(codes):
        return Cells(codes, counts)
    first = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    sums = np.add.reduceat(counts, first)
    kept = sums != 0
    return Cells(codes[first][kept], sums[kept])


def standing(cells: Cells) -> Cells:
    """Cells without those below 0.

    A withdrawal can be there before the booking that it takes back: what a pairing table had forgotten, and books
    in its own way until the log file is settled (`settling.py`).
    """
    kept = cells.value > 0
    if kept.all():
        return cells
    return Cells(cells.code[kept], cells.value[kept])


def total(parts: Sequence[Cells]) -> Cells:
    """The sum of cells in any order."""
    codes = np.concatenate([np.zeros(0, np.int64), *(part.code for part in parts)])
    counts = np.concatenate([np.zeros(0, np.int64), *(part.value for part in parts)])
    order = np.argsort(codes, kind="stable")
    return summed(codes[order], counts[order])


def renumbered(cells: Cells, numbers: Sequence[int]) -> Cells:
    """Cells with other numbers for their edges, given by the old ones; no longer in order."""
    edge = (cells.code >> CELL_BITS) & (MAX_EDGES - 1)
    return Cells(cells.code + ((np.array(numbers, np.int64)[edge] - edge) << CELL_BITS), cells.value)
