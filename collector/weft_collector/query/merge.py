"""Many sources as one, largest key first, until the time is over.

Always the source with the highest bound takes the next step. So, when the search stops, everything above the
highest bound has been looked at in all tables: that bound is the cursor.

Several tables may be about one log file, as long as it is not sealed. A cursor names files, since pieces become
one segment when they are sealed.
"""

from collections.abc import Iterator, Sequence

from weft_collector.query.catalog import Budget
from weft_collector.query.cursor import Cursor
from weft_collector.query.order import Key
from weft_collector.query.source import Found, Source

__all__ = ["Merge"]


class Merge:
    """See the module.

    Args:
        sources: The sources; none twice for a table.
        budget: When to stop. Some file is always looked into, so that every page comes further than the one
            before.
        begun: Where the search stands.

    Attributes:
        stopped: The time was over before everything was looked at that the page needed.
    """

    def __init__(self, sources: Sequence[Source], budget: Budget, begun: Cursor) -> None:
        self._sources = sources
        self._files: dict[int, list[Source]] = {}
        for source in sources:
            self._files.setdefault(source.table.number, []).append(source)
        self._budget = budget
        self._begun = begun
        self._taken = False
        self._apart = set(begun.bounds)  # files in which the search is further than in all together
        self.stopped = False

    def __iter__(self) -> Iterator[Found]:
        while (found := self._next()) is not None:
            self._taken = True
            yield found

    def _next(self) -> Found | None:
        while True:
            ready, live = _ready(self._sources), _live(self._sources)
            if ready is not None:
                return ready.found.popleft()
            if live is None:
                return None
            if self._budget.over():
                if self._taken or self._has_moved(self.cursor()) or self._file_with_found() is not None:
                    self.stopped = True
                    return None
                live = self._going_on(live)
            live.advance()

    def _file_with_found(self) -> list[Source] | None:
        """The sources of a file that has something to give, whatever the others may find."""
        return next((file for file in self._files.values() if _ready(file) is not None), None)

    def _going_on(self, live: Source) -> Source:
        """The source to look into although the time is over: of files begun, until one gives something or ends."""
        begun = (source for file in self._files.values() if any(s.worked for s in file) for source in file)
        return _live([*begun]) or live

    def leftovers(self) -> Iterator[Found]:
        """What one file has, out of order: where else a search would stand still.

        That is so where the time was over before anything could be taken, as another table might hold a
        larger key.
        """
        now, file = self.cursor(), self._file_with_found()
        if not self.stopped or self._taken or file is None or self._has_moved(now):
            return
        self._apart.add(file[0].table.number)
        while (ready := _ready(file)) is not None:
            yield ready.found.popleft()

    def _has_moved(self, now: Cursor | None) -> bool:
        return now is None or (now.bound, now.done) != (self._begun.bound, self._begun.done)

    def cursor(self) -> Cursor | None:
        """Where the search stands; None at its end."""
        left = {n: bound for n, file in self._files.items() if (bound := _frontier(file)) is not None}
        if not left:
            return None
        bound = min(max(left.values()), self._begun.bound)
        apart = {number: left[number] for number in self._apart & left.keys() if left[number] < bound}
        return Cursor(bound, self._begun.done | (self._files.keys() - left.keys()), apart)


def _ready(sources: Sequence[Source]) -> Source | None:
    """The source with the largest key found, if none of them can find a larger one."""
    held = max((s for s in sources if s.found), key=lambda s: s.found[0].key, default=None)
    live = _live(sources)
    return held if held and (live is None or held.found[0].key >= live.bound) else None


def _live(sources: Sequence[Source]) -> Source | None:
    """The source that can find the largest key."""
    return max((s for s in sources if not s.exhausted), key=lambda s: s.bound, default=None)


def _frontier(file: Sequence[Source]) -> Key | None:
    """The bound of everything in a file that was not taken yet; None if nothing is left."""
    return max((bound for source in file if (bound := source.frontier()) is not None), default=None)
