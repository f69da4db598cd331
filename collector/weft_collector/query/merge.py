"""Many sources as one, largest key first, until the time is over.

Always the source with the highest bound takes the next step. So, when the search stops, everything above the
highest bound has been looked at in all tables: that bound is the cursor.
"""

from collections.abc import Iterator, Sequence

from weft_collector.query.catalog import Budget
from weft_collector.query.cursor import Cursor
from weft_collector.query.source import Found, Source

__all__ = ["Merge"]


class Merge:
    """See the module.

    Args:
        sources: The sources; none twice for a table.
        budget: When to stop. Some source is always carried on until it has looked at something, so that every
            page comes further than the one before.
        begun: Where the search stands.

    Attributes:
        stopped: The time was over before everything was looked at that the page needed.
    """

    def __init__(self, sources: Sequence[Source], budget: Budget, begun: Cursor) -> None:
        self._sources = sources
        self._budget = budget
        self._begun = begun
        self._taken = False
        self._apart = set(begun.bounds)  # tables that were carried further than all together
        self.stopped = False

    def __iter__(self) -> Iterator[Found]:
        while (found := self._next()) is not None:
            self._taken = True
            yield found

    def _next(self) -> Found | None:
        while True:
            held = max((s for s in self._sources if s.found), key=lambda s: s.found[0].key, default=None)
            live = max((s for s in self._sources if not s.exhausted), key=lambda s: s.bound, default=None)
            if held and (live is None or held.found[0].key >= live.bound):
                return held.found.popleft()
            if live is None:
                return None
            if self._budget.over() and any(source.worked for source in self._sources):
                self.stopped = True
                return None
            live.advance()

    def leftovers(self) -> Iterator[Found]:
        """What one source has found, out of order: where else a search would stand still.

        That is so where the time was over before anything could be taken, as another table might hold a
        larger key.
        """
        now = self.cursor()
        if not self.stopped or self._taken or now is None or self._has_moved(now):
            return
        source = next(source for source in self._sources if source.worked)
        self._apart.add(source.table.number)
        while source.found:
            yield source.found.popleft()

    def _has_moved(self, now: Cursor) -> bool:
        return (now.bound, now.done) != (self._begun.bound, self._begun.done)

    def cursor(self) -> Cursor | None:
        """Where the search stands; None at its end."""
        left = {s.table.number: bound for s in self._sources if (bound := s.frontier()) is not None}
        if not left:
            return None
        done = frozenset(s.table.number for s in self._sources) - left.keys()
        bound = min(max(left.values()), self._begun.bound)
        apart = {number: left[number] for number in self._apart & left.keys() if left[number] < bound}
        return Cursor(bound, self._begun.done | done, apart)
