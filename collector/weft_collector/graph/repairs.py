"""How many spans may be judged without a relative that the pairing table had let go, by log file.

**Theory.** What is sealed is exact (`settling.py`). What is not is what the pairing table knew when it came, and that is
the same unless a relative of a span had left the table. Relatives start within moments of each other, and the table
lets go in the order of arrival; so a span that starts no later than one that has left may have a relative among
those. It is counted, and so is a span that left while its relative was missing: a callee or a local span whose
parent was, a caller side that still waited for its callee. A count is kept for each log file, as sealing the file
repairs all that it holds.

The count errs on the side of more. What it cannot see: a span that starts later than all that have left, though
its parent is one of those, as a message that was consumed long after it was sent. It counts when it leaves itself.

Refused: counting every span whose parent is not there. Half of all spans come before their parents, and some systems
never send any; so a log would go on to a new file each minute for nothing.

Bounded by the log files that are not sealed. Not thread-safe: `Derived` holds its lock.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from weft_collector.graph.pairing import Pairing

__all__ = ["REPAIR_AFTER_NS", "Repairs"]

REPAIR_AFTER_NS: Final = 60_000_000_000
"""How old a log file is when it is sealed for the sake of its repairs."""


@dataclass(slots=True)
class _File:
    """A log file that is not sealed: the arrival of its first spans, and how many of its spans count."""

    begun_ns: int
    pending: int = 0


class Repairs:
    """Counts them.

    Args:
        pairing: The table.
    """

    def __init__(self, pairing: Pairing) -> None:
        self._pairing = pairing
        self._files: dict[int, _File] = {}
        self._begins: deque[tuple[int, int]] = deque()  # number of a file's first arrival, and the file's own
        self._counted = pairing.counters()

    @property
    def pending(self) -> int:
        """How many spans count."""
        return sum(file.pending for file in self._files.values())

    def begin(self, number: int, arrived_ns: int) -> None:
        """Spans of a log file come next; to be called before the table takes them."""
        if number not in self._files:
            self._files[number] = _File(arrived_ns)
            self._begins.append((self._pairing.arrivals, number))
            self._counted = self._pairing.counters()

    def note(self, number: int) -> None:
        """The table has taken spans of a log file in."""
        before, self._counted = self._counted, self._pairing.counters()
        new = {name: count - before[name] for name, count in self._counted.items()}
        self._files[number].pending += new["late"]
        left = self._pairing.arrivals - self._pairing.capacity
        while len(self._begins) > 1 and self._begins[1][0] < left:
            self._begins.popleft()
        first, file = self._begins[0]
        if first < left and file in self._files:
            self._files[file].pending += new["evicted_orphans"] + new["evicted_waiting"]

    def sealed(self, number: int) -> None:
        """What a log file adds to the graph is exact now."""
        self._files.pop(number, None)

    def overdue(self, now_ns: int) -> int | None:
        """The newest log file, if it has spans that count and is old enough to be sealed for that."""
        number = max(self._files, default=0)
        file = self._files.get(number)
        overdue = file and file.pending and file.begun_ns + REPAIR_AFTER_NS <= now_ns
        return number if overdue else None
