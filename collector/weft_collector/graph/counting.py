"""Signed call rows counted into cells: what thousands of rows say is a few hundred counters.

Rows are counted in a hash table that fits a core's cache, and only the codes that came up are sorted. Sorting
everything that the rows say, and adding up equal neighbours, takes eight times as long. When the table is
half full its cells are given out, and counting goes on with an empty one: cells are sums, so it does not
matter how they are divided.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.cells import (
    CELL_BITS,
    CLIENT_AT,
    EDGE_BITS,
    OUTCOME_AT,
    SERVER_AT,
    SIGHT_AT,
    Cells,
    Edges,
    number_of,
)
from weft_collector.graph.pairing_table import WAITING_SIGHT
from weft_collector.kernel import ZERO, inline, kernel

__all__ = ["Counting"]

_PLACES: Final = 1 << 15  # of the table; a power of two
_PER_ROW: Final = 4  # cells that a row counts at most


class _Counts(NamedTuple):
    """The table.

    Attributes:
        code: Code + 1 by hash, open addressing; 0 where empty.
        value: The sum for the code of the same place.
        used: The codes that are in the table, in the order in which they came.
    """

    code: NDArray[np.int64]
    value: NDArray[np.int64]
    used: NDArray[np.int64]


@inline
def _place_of(code: int, counts: _Counts) -> int:
    """Where a code is, or would be."""
    mask = counts.code.shape[0] - 1
    at: int = int((np.uint64(code) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & mask
    while counts.code[at] != 0 and counts.code[at] != code + 1:
        at = (at + 1) & mask
    return at


@inline
def _add(code: int, sign: int, counts: _Counts, used: int) -> int:
    """Add to a counter; how many codes there are now."""
    at = _place_of(code, counts)
    if counts.code[at] == 0:
        counts.code[at] = code + 1
        counts.used[used] = code
        used += 1
    counts.value[at] += sign
    return used


@kernel
def _count(rows: Any, first: int, edges: Edges, counts: _Counts) -> tuple[int, int]:
    """Count the rows from `first` on, until the table is half full; the row to go on with, and the codes."""
    used = ZERO
    for i in range(first, rows.shape[0]):
        if used > counts.used.shape[0] - _PER_ROW:
            return i, used
        row = rows[i]
        edge = number_of(np.uint32(int(row.caller) << 16 | int(row.callee)), edges)
        base = (int(row.minute) << EDGE_BITS | edge) << CELL_BITS
        sign = int(row.sign)
        used = _add(base | SIGHT_AT + int(row.sight), sign, counts, used)
        if row.sight == WAITING_SIGHT:
            continue
        if row.outcome:
            used = _add(base | OUTCOME_AT + int(row.outcome), sign, counts, used)
        if row.client >= 0:
            used = _add(base | CLIENT_AT + int(row.client), sign, counts, used)
        if row.server >= 0:
            used = _add(base | SERVER_AT + int(row.server), sign, counts, used)
    return rows.shape[0], used


@kernel
def _collect(codes: NDArray[np.int64], counts: _Counts, values: NDArray[np.int64]) -> None:
    """The sums of codes; the table is empty afterwards."""
    for i in range(codes.shape[0]):
        at = _place_of(int(codes[i]), counts)
        values[i] = counts.value[at]
        counts.value[at] = 0
    counts.code[:] = 0


class Counting:
    """Turns rows into cells.

    Args:
        edges: Where pairs of nodes get their numbers.
    """

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        code, value = np.zeros((2, _PLACES), np.int64)
        self._counts = _Counts(code, value, np.zeros(_PLACES // 2, np.int64))

    def of_rows(self, rows: NDArray[np.void]) -> Iterator[Cells]:
        """What call rows (pairing_table.ROW) add to which minute, edge and cell."""
        done = 0
        while done < len(rows):
            done, used = _count(rows, done, self._edges, self._counts)
            codes = np.sort(self._counts.used[:used])
            values = np.empty(used, np.int64)
            _collect(codes, self._counts, values)
            kept = values != 0
            yield Cells(codes[kept], values[kept])
