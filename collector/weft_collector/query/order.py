"""The one order of spans in a search, and positions in it.

A span's key is (what is sorted by, log file, block, body, offset): unique, as no two spans stand at one place,
and it stays the same when a file is sealed. Larger keys come first, so the newest of equals comes first too.

A *bound* is a key that everything still to come is smaller than.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.query.bytes_of_spans import Pointers

__all__ = ["TOP", "Key", "smaller"]


class Key(NamedTuple):
    """Place of a span in the order; see above."""

    value: int
    number: int
    block: int
    body: int
    offset: int

    def above(self) -> "Key":
        """The bound under which this key is the first."""
        return self._replace(offset=self.offset + 1)

    @classmethod
    def over(cls, value: int) -> "Key":
        """The bound under which keys of a value, and of smaller ones, are."""
        return cls(value + 1, 0, 0, 0, 0)


TOP: Final = Key(2**63, 0, 0, 0, 0)
"""The bound of everything."""


def smaller(values: NDArray[np.int64], number: int, pointers: Pointers, bound: Key) -> NDArray[np.bool_]:
    """Which of a table's rows are below a bound."""
    if bound.value >= 2**63:
        return np.ones(len(values), np.bool_)
    if bound.value <= -(2**63):
        return np.zeros(len(values), np.bool_)
    below, equal = values < bound.value, values == bound.value
    if number != bound.number:
        return below | equal if number < bound.number else below
    for column, limit in zip((pointers.block, pointers.body, pointers.offset), bound[2:], strict=True):
        below |= equal & (column < limit)
        equal &= column == limit
    return below
