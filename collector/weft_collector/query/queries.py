"""Everything that can be asked of the spans, with one bound on time and on how many ask at once."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from weft_collector.errors import CallerGone, Unavailable
from weft_collector.query.caller import Caller, Turns
from weft_collector.query.catalog import Budget, Catalog
from weft_collector.query.distinct import Distinct
from weft_collector.query.search import Search, TokensOf
from weft_collector.store.ports import SpanLog
from weft_collector.telemetry import Telemetry

__all__ = ["Queries", "QueryLimits", "Searched"]

_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """Bounds of searches.

    Attributes:
        seconds: How long one may take.
        at_once: How many run at a time; others wait that long, and are refused then.
    """

    seconds: float = 2.0
    at_once: int = 4


class Searched(NamedTuple):
    """What is searched.

    Attributes:
        catalog: The spans.
        log: Their bytes.
        tokens_of: The tokens of an attribute, as the blocks' filters have them.
    """

    catalog: Catalog
    log: SpanLog
    tokens_of: TokensOf


class Queries:
    """Searches, lists and traces over one catalog; any thread may ask.

    Args:
        searched: The spans.
        telemetry: Where searches are counted that were refused or ended.
        clock: Seconds of a clock that never goes back.
        limits: Bounds.
    """

    def __init__(
        self,
        searched: Searched,
        telemetry: Telemetry,
        clock: Callable[[], float],
        limits: QueryLimits | None = None,
    ) -> None:
        self.catalog, self.log = searched.catalog, searched.log
        self.search = Search(*searched)
        self.distinct = Distinct(searched.catalog, searched.log)
        self._telemetry = telemetry
        self._clock = clock
        self._limits = limits or QueryLimits()
        self._turns = Turns(self._limits.at_once, self._limits.seconds)

    @contextmanager
    def budget(self, caller: Caller) -> Generator[Budget]:
        """Time for one search, once it is its turn.

        Raises:
            Unavailable: Too many others run.
            CallerGone: Nobody waits for it any more.
        """
        with self._counting(), self._turns.turn(caller, self._busy()):
            budget = Budget(self._clock, self._limits.seconds, caller)
            yield budget
            self._telemetry.count("searches_ended", "out_of_time", int(budget.spent))

    def _busy(self) -> Unavailable:
        return Unavailable(f"{self._limits.at_once} searches run already; ask again later.", _RETRY_SECONDS)

    @contextmanager
    def _counting(self) -> Generator[None]:
        try:
            yield
        except Unavailable:
            self._telemetry.count("searches_ended", "busy")
            raise
        except CallerGone:
            self._telemetry.count("searches_ended", "caller_gone")
            raise
