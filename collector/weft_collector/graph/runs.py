"""Runs: sorted cells in half the bytes of `Cells`, and the sum of many of them.

A window is a hundred runs and more, of some ten thousand cells each. Their sum is made block by block of edges:
each run goes on to the end of the block, adding to an array that has a place for every cell of it; then the
places that were touched are given out in order and cleared. The array (1 MiB) stays in a core's cache, each run
is read from end to end, and nothing depends on how many edges there are or how far apart.

A sum of 0 is left out, so what was booked and taken back takes no room. Values are kept in four bytes, or in
eight where one of the run needs it: a day of a busy edge has more calls than four bytes can count.

Refused: one array for all edges (16 KiB an edge, nearly all of it zeros that have to be made and looked at), and
sorting (ten times as long).

The kernel works on addresses. Codes below the end of a block are at least its beginning, since runs are sorted:
so all places lie in the array. The result has room for all cells of all runs.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.cells import Cells
from weft_collector.kernel import ZERO, kernel, load8, load32, load64, number, store8, store64

__all__ = ["Run", "added_up", "total_of"]

_BLOCK: Final = number(1 << 17)  # cells: those of 64 edges
_FAR: Final = number(1 << 40)
_GROUP_BITS: Final = 6  # cells that are looked at together
_CODES, _VALUES, _LENGTH, _WIDE, _AT = (number(8 * field) for field in range(5))
_ROW: Final = number(40)
# The control block: where the rows of the runs lie and how many there are, a place for every cell of a block and
# one for every group of 64, both zeros before and after, and where the result goes.
_RUNS, _COUNT, _TOTALS, _TOUCHED, _TO_CODES, _TO_VALUES = (number(8 * field) for field in range(6))
_SIGN: Final = number(1 << 31)
_NARROW: Final = (1 << 31) - 1


class Run(NamedTuple):
    """Sorted cells of one stretch of time; never changed once made.

    Attributes:
        code: edge << CELL_BITS | cell, each once, ascending.
        value: 32-bit numbers, or 64-bit ones.
    """

    code: NDArray[np.uint32]
    value: NDArray[np.int32] | NDArray[np.int64]

    @classmethod
    def of(cls, code: NDArray[np.int64], value: NDArray[np.int64]) -> "Run":
        """A run of its own memory."""
        narrow = not len(value) or max(int(value.max()), -int(value.min())) <= _NARROW
        return cls(code.astype(np.uint32), value.astype(np.int32) if narrow else value.copy())


@kernel
def _sum(control: int) -> int:
    """Add up what the control block names; the length of the result."""
    runs, count = load64(control + _RUNS), load64(control + _COUNT)
    totals, touched = load64(control + _TOTALS), load64(control + _TOUCHED)
    codes, values = load64(control + _TO_CODES), load64(control + _TO_VALUES)
    block = _BLOCK
    length, first, left = ZERO, ZERO, True
    while left:
        left = False
        end = first + block
        following = _FAR
        for run in range(count):
            row = runs + run * _ROW
            at, stop, wide = load64(row + _AT), load64(row + _LENGTH), load64(row + _WIDE)
            code_at, value_at = load64(row + _CODES), load64(row + _VALUES)
            while at < stop:
                code = load32(code_at + 4 * at)
                if code >= end:
                    following = min(following, code)
                    left = True
                    break
                value = load64(value_at + 8 * at) if wide else (load32(value_at + 4 * at) ^ _SIGN) - _SIGN
                place = totals + 8 * (code - first)
                store64(place, load64(place) + value)
                store8(touched + ((code - first) >> _GROUP_BITS), 1)
                at += 1
            store64(row + _AT, at)
        for group in range(block >> _GROUP_BITS):
            if load8(touched + group) == 0:
                continue
            store8(touched + group, 0)
            for cell in range(group << _GROUP_BITS, (group + 1) << _GROUP_BITS):
                value = load64(totals + 8 * cell)
                if value != 0:
                    store64(totals + 8 * cell, 0)
                    store64(codes + 8 * length, first + cell)
                    store64(values + 8 * length, value)
                    length += 1
        first = following // block * block
    return length


def added_up(runs: Sequence[Run]) -> Cells:
    """The sum of runs; codes are edge << CELL_BITS | cell."""
    rows = np.array([_row(run) for run in runs], np.int64).reshape(-1, 5)
    totals, touched = np.zeros(_BLOCK, np.int64), np.zeros(_BLOCK >> _GROUP_BITS, np.uint8)
    room = int(rows[:, 2].sum())
    code, value = np.empty(room, np.int64), np.empty(room, np.int64)
    places = [array.ctypes.data for array in (rows, totals, touched, code, value)]
    control = np.array([places[0], len(runs), *places[1:]], np.int64)
    length = _sum(control.ctypes.data)
    return Cells(code[:length].copy(), value[:length].copy())


def _row(run: Run) -> tuple[int, int, int, bool, int]:
    code, value = (column.__array_interface__["data"][0] for column in run)
    return code, value, len(run.code), run.value.itemsize == 8, 0


def total_of(runs: Sequence[Run]) -> Run:
    """The sum of runs, as a run."""
    return runs[0] if len(runs) == 1 else Run.of(*added_up(runs))
