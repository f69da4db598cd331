"""What answers are made from, and how long they may take."""

from collections.abc import Callable
from typing import Protocol

from weft_collector.query.caller import Caller
from weft_collector.store.span_tables import SpanTables

__all__ = ["Budget", "Catalog"]


class Catalog(Protocol):
    """All spans that are acknowledged and not removed, as tables."""

    def tables(self) -> SpanTables:
        """The tables of this moment; any thread may ask."""
        ...


class Budget:
    """Time for one answer. It is looked at between steps, so an answer may take one step longer.

    Args:
        clock: Seconds of a clock that never goes back.
        seconds: How long the answer may take.
        caller: Who waits for it.

    Attributes:
        spent: Whether the answer was told to end.
    """

    def __init__(self, clock: Callable[[], float], seconds: float, caller: Caller | None = None) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._caller = caller or Caller()
        self.spent = False

    def over(self) -> bool:
        """Whether the answer is to end with what it has.

        Raises:
            CallerGone: Nobody waits for it any more.
        """
        self._caller.check()
        self.spent |= self._clock() >= self._end
        return self.spent
