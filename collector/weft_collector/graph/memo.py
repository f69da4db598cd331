"""A function of a few small numbers, worked out once for each distinct combination.

Spans come by the hundred thousand, but what they say about services and peers repeats. So the function is
plain Python, and a kernel finds the combinations that were seen before. The memo is only a cache: when it
is full it is emptied, and nothing changes but the time.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import kernel

Function = Callable[[Sequence[int]], Sequence[int]]


@kernel
def _find(
    rows: NDArray[np.int32],
    keys: NDArray[np.int32],
    index: NDArray[np.int32],
    known: int,
    places: NDArray[np.int32],
) -> int:
    """Give each row the number of its combination; new ones are numbered on from `known`.

    `index` has twice as many places as `keys` has rows, a power of two: at most half of them get filled.
    """
    mask = index.shape[0] - 1
    width = rows.shape[1]
    for i in range(rows.shape[0]):
        mixed = np.uint64(0)
        for j in range(width):
            mixed = (mixed ^ np.uint64(np.uint32(rows[i, j]))) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        at = np.int64(mixed >> np.uint64(32)) & mask
        while True:
            number = index[at] - 1
            if number < 0:
                index[at] = known + 1
                for j in range(width):
                    keys[known, j] = rows[i, j]
                places[i] = known
                known += 1
                break
            same = True
            for j in range(width):
                if keys[number, j] != rows[i, j]:
                    same = False
                    break
            if same:
                places[i] = number
                break
            at = (at + 1) & mask
    return known


class RowMemo:
    """Remembers the values of `function` for rows of `width` numbers; `outputs` values each.

    The numbers come from tables that do not give them out by choice of a sender, so the hash needs no seed.
    `capacity`, a power of two, bounds the combinations that are remembered.
    """

    def __init__(self, function: Function, width: int, outputs: int, capacity: int = 1 << 15) -> None:
        self._function = function
        self._keys = np.zeros((capacity, width), np.int32)
        self._values = np.zeros((capacity, outputs), np.int32)
        self._index = np.zeros(2 * capacity, np.int32)
        self._known = 0

    def __call__(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """The values for each row: an array of length n and width `outputs`."""
        step = len(self._keys) // 2
        parts = [self._look_up(rows[at : at + step]) for at in range(0, max(len(rows), 1), step)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _look_up(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        if self._known + len(rows) > len(self._keys):
            self._index[:] = 0
            self._known = 0
        places = np.empty(len(rows), np.int32)
        known = _find(rows, self._keys, self._index, self._known, places)
        for number in range(self._known, known):
            self._values[number] = self._function(self._keys[number].tolist())
        self._known = known
        return self._values[places]
