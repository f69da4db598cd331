"""What a table of edge counts is made of: minutes with their keys and cells, and numbers for rows.

Not thread-safe: the table holds its lock. What they are for stands in `edge_counts.py`.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import cells as ce
from weft_collector.graph.edge_rows import Row

__all__ = ["NEW_ROW_PLACES", "ROW_PLACES", "Keys", "Minute", "Rows"]

_MINUTE_PLACES: Final = 160
ROW_PLACES: Final = 8  # of a row in a minute
NEW_ROW_PLACES: Final = 48  # of a row that is in no other minute, beside its texts

Keys = NDArray[np.uint64]


def _places_of(row: Row) -> int:
    texts = (*row.calls, row.caller.instance, row.callee.instance)
    nodes = (
        (node.name, node.namespace, node.environment, node.system)
        for node in (row.caller.node, row.callee.node)
    )
    return NEW_ROW_PLACES + sum(map(len, (*texts, *(text for node in nodes for text in node)))) // 8


class Rows:
    """Numbers of the rows that are in any minute; a number that is given back is given again.

    Attributes:
        by_number: Rows; None where a number is free.
        places: What all rows take.
    """

    def __init__(self) -> None:
        self.by_number: list[Row | None] = []
        self.places = 0
        self._numbers: dict[Row, int] = {}
        self._uses: list[int] = []
        self._free: list[int] = []

    def number(self, row: Row) -> int | None:
        """The number of a row, if it has one."""
        return self._numbers.get(row)

    def enter(self, row: Row) -> int:
        """The number of a row, which one minute more has."""
        number = self._numbers.get(row)
        if number is None:
            number = self._new(row)
        self._uses[number] += 1
        return number

    def leave(self, numbers: Iterable[int]) -> None:
        """One minute less has these rows."""
        for number in numbers:
            self._uses[number] -= 1
            row = self.by_number[number]
            if row is not None and not self._uses[number]:
                self.by_number[number] = None
                self._free.append(number)
                self.places -= _places_of(row)
                del self._numbers[row]

    def _new(self, row: Row) -> int:
        if self._free:
            number = self._free.pop()
            self.by_number[number] = row
        else:
            number = len(self.by_number)
            self.by_number.append(row)
            self._uses.append(0)
        self._numbers[row] = number
        self.places += _places_of(row)
        return number


class Minute:
    """The keys and cells of one minute.

    Attributes:
        keys: Of its points, ascending.
        rows: Numbers of its rows.
    """

    def __init__(self) -> None:
        self.keys: Keys = np.zeros(0, np.uint64)
        self.rows: set[int] = set()
        self._runs: list[ce.Cells] = []

    @property
    def places(self) -> int:
        """What it takes, in units of 8 bytes, beside its rows themselves."""
        cells = sum(len(run.code) for run in self._runs)
        return _MINUTE_PLACES + 2 * cells + len(self.keys) + ROW_PLACES * len(self.rows)

    def unknown(self, keys: Keys) -> list[int]:
        """Places of the keys that are new, in order; of equal ones the first."""
        first = np.sort(np.unique(keys, return_index=True)[1])
        at = np.searchsorted(self.keys, keys[first])
        inside = at < len(self.keys)
        known = np.zeros(len(first), np.bool_)
        known[inside] = self.keys[at[inside]] == keys[first][inside]
        new: list[int] = first[~known].tolist()
        return new

    def add(self, keys: Keys, cells: ce.Cells) -> None:
        """Add the keys and cells of points that are new."""
        self.keys = np.sort(np.concatenate([self.keys, keys]))
        self._runs.append(cells)
        while len(self._runs) > 1 and len(self._runs[-2].code) < 2 * len(self._runs[-1].code):
            self._runs[-2:] = [ce.total(self._runs[-2:])]

    def total(self) -> ce.Cells:
        """Its cells, each once; those of a minute to which something was added."""
        if len(self._runs) > 1:
            self._runs = [ce.total(self._runs)]
        return self._runs[0]
