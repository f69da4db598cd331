"""Search: spans, or traces with such spans, sorted and paged.

A trace stands where its first matching span stands. While spans come in order, a trace is shown at that span
and passed over at all later ones; which one it is follows from the trace itself, so no page needs to know what
earlier pages showed, and each trace is shown exactly once.

Refused: sorting within log files only. It is simpler, and "newest first" would be wrong wherever files overlap:
after an import, and with every late batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.errors import BadQuery
from weft_collector.query.catalog import Budget, Catalog
from weft_collector.query.cursor import Cursor, decode, encode
from weft_collector.query.matching import Matcher
from weft_collector.query.merge import Merge
from weft_collector.query.promoted import column_of, names_of, spellings
from weft_collector.query.question import Condition, Question
from weft_collector.query.source import Found, Plan, Source
from weft_collector.query.trace_rows import ROW_COLUMNS, first_key, span_row, summary, trace_parts
from weft_collector.store.ports import SpanLog, SpanTable
from weft_collector.store.span_tables import SpanTables

__all__ = ["MOST_SPANS", "MOST_TRACES", "Page", "Search", "TokensOf"]

MOST_SPANS: Final = 1000
MOST_TRACES: Final = 200
KEPT_ROWS: Final = 1 << 17
ALL_KEPT_ROWS: Final = 1 << 21
LEAST_KEPT_ROWS: Final = 1 << 12

TokensOf = Callable[[str, str], NDArray[np.uint64]]
"""The hashes under which a value of an attribute may stand in a block's filter."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer.

    Attributes:
        rows: Spans or traces.
        complete: Whether all of the store was looked at that can hold rows of this page. If not, the time was
            over: the next page goes on there, and may hold rows that belong between these.
        cursor: Where the next page begins; None if there is none.
    """

    rows: list[dict[str, Any]]
    complete: bool
    cursor: str | None


class Search:
    """Searches in a catalog; any thread may search.

    Args:
        catalog: The spans.
        log: Their bytes.
        tokens_of: The tokens of an attribute, as the blocks' filters have them.
    """

    def __init__(self, catalog: Catalog, log: SpanLog, tokens_of: TokensOf) -> None:
        self._catalog = catalog
        self._log = log
        self._tokens_of = tokens_of

    def spans(self, question: Question, budget: Budget, limit: int = 20, cursor: str | None = None) -> Page:
        """Spans that match.

        Args:
            question: What they must be.
            budget: How long it may take.
            limit: How many at most.
            cursor: Where to begin: what an earlier page of the same question gave.

        Raises:
            BadQuery: The question, the limit or the cursor makes no sense.
        """
        _check(question, limit, MOST_SPANS)
        begun, question = decode(cursor, question)
        merge = self._merge(self._catalog.tables(), self._plan(question, ROW_COLUMNS), budget, begun)
        rows = [span_row(found.rows, found.row) for found in _up_to(limit, merge)]
        return _page(rows, merge, question)

    def traces(self, question: Question, budget: Budget, limit: int = 20, cursor: str | None = None) -> Page:
        """Traces with at least one span that matches, each with a summary; see `spans`."""
        _check(question, limit, MOST_TRACES)
        begun, question = decode(cursor, question)
        tables = self._catalog.tables()
        merge = self._merge(tables, self._plan(question, ()), budget, begun)
        rows: list[dict[str, Any]] = []
        for row in self._summaries(tables, question, merge):
            rows += [row] if row else []
            if len(rows) == limit:
                break
            if budget.over() and not merge.stopped:
                merge.stopped = True
                break
        return _page(rows, merge, question)

    def _summaries(
        self, tables: SpanTables, question: Question, merge: Merge
    ) -> Iterator[dict[str, Any] | None]:
        """The traces of the spans that come, each at its first one; None for a span that is not."""
        matcher = Matcher(question, self._log)
        seen: set[int] = set()
        for found in _all(merge):
            if found.trace_lo not in seen:
                seen.add(found.trace_lo)
                parts = trace_parts(tables.with_trace(found.trace_lo), found.trace_lo, matcher)
                first = first_key(parts, question.sort) == found.key
                yield summary(parts, question.sort) if first else None

    def _plan(self, question: Question, columns: tuple[str, ...]) -> Plan:
        return Plan(
            question,
            Matcher(question, self._log),
            tuple(names_of(condition.key) for condition in question.conditions),
            [self._tokens(condition) for condition in question.conditions],
            columns,
        )

    def _merge(self, tables: Sequence[SpanTable], plan: Plan, budget: Budget, begun: Cursor) -> Merge:
        kept = max(LEAST_KEPT_ROWS, min(KEPT_ROWS, ALL_KEPT_ROWS // max(1, len(tables))))
        chosen = (table for table in tables if table.number not in begun.done)
        sources = [Source(table, plan, begun.bound_of(table.number), kept) for table in chosen]
        return Merge(sources, budget, begun)

    def _tokens(self, condition: Condition) -> NDArray[np.uint64]:
        promoted = column_of(condition.key) is not None
        forms: Iterable[tuple[str, str]] = spellings(*condition) if promoted else [condition]
        return np.concatenate([self._tokens_of(*form) for form in forms])


def _check(question: Question, limit: int, most: int) -> None:
    question.check()
    if not 1 <= limit <= most:
        raise BadQuery(f"limit={limit} is out of range: 1 to {most}.")


def _all(merge: Merge) -> Iterator[Found]:
    yield from merge
    yield from merge.leftovers()


def _up_to(limit: int, merge: Merge) -> Iterator[Found]:
    for count, found in enumerate(_all(merge), 1):
        yield found
        if count == limit:
            return


def _page(rows: list[dict[str, Any]], merge: Merge, question: Question) -> Page:
    cursor = merge.cursor()
    text = encode(cursor, question) if cursor is not None else None
    return Page(rows, not merge.stopped, text)
