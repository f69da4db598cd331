"""Everything that can be asked of the spans, with one bound on time and on how many ask at once."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from weft_collector.errors import Unavailable
from weft_collector.query.catalog import Budget, Catalog
from weft_collector.query.distinct import Distinct
from weft_collector.query.search import Search, TokensOf
from weft_collector.store.ports import SpanLog

__all__ = ["Queries", "QueryLimits"]

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


class Queries:
    """Searches, lists and traces over one catalog; any thread may ask.

    Args:
        catalog: The spans.
        log: Their bytes.
        tokens_of: The tokens of an attribute, as the blocks' filters have them.
        clock: Seconds of a clock that never goes back.
        limits: Bounds.
    """

    def __init__(
        self,
        catalog: Catalog,
        log: SpanLog,
        tokens_of: TokensOf,
        clock: Callable[[], float],
        limits: QueryLimits | None = None,
    ) -> None:
        self.catalog = catalog
        self.log = log
        self.search = Search(catalog, log, tokens_of)
        self.distinct = Distinct(catalog, log)
        self._clock = clock
        self._limits = limits or QueryLimits()
        self._slots = threading.BoundedSemaphore(self._limits.at_once)

    @contextmanager
    def budget(self) -> Generator[Budget]:
        """Time for one search, once it is its turn.

        Raises:
            Unavailable: Too many others run.
        """
        if not self._slots.acquire(timeout=self._limits.seconds):
            raise Unavailable(
                f"{self._limits.at_once} searches run already; ask again later.", _RETRY_SECONDS
            )
        try:
            yield Budget(self._clock, self._limits.seconds)
        finally:
            self._slots.release()
