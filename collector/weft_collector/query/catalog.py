"""What answers are made from, and how long they may take."""

from collections.abc import Callable, Sequence
from typing import Protocol

from weft_collector.store.ports import SpanTable

__all__ = ["Budget", "Catalog"]


class Catalog(Protocol):
    """All spans that are acknowledged and not removed, as tables."""

    def tables(self) -> Sequence[SpanTable]:
        """The tables in the order of the log: sealed segments, then what is not sealed yet. Any thread may ask."""
        ...


class Budget:
    """Time for one answer. It is looked at between steps, so an answer may take one step longer.

    Args:
        clock: Seconds of a clock that never goes back.
        seconds: How long the answer may take.
    """

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._cancelled = False

    def cancel(self) -> None:
        """Nobody waits for the answer any more; any thread may say so."""
        self._cancelled = True

    def over(self) -> bool:
        """Whether the answer is to end with what it has."""
        return self._cancelled or self._clock() >= self._end
