"""The matching spans of one table, largest key first, found in steps.

A step is small, so that a search can stop between two of them:

1. the summary: whether anything can match at all, and how large a key can be;
2. the keys that met: whether a span can have all attributes that are asked for;
3. the token filters: which blocks can hold what matches;
4. a load: the columns that decide, and of the rows that fit the few others; the largest keys stay;
5. for each batch of these: the spans' own bytes, where columns do not decide.

After every step `bound` says what can still come. So a search for the newest 20 looks inside a few thousand
spans, however many there are that fit as far as columns tell.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weft_collector.query.bytes_of_spans import Pointers, batches
from weft_collector.query.columns import equal_text, numbers, pointers, trace_lows
from weft_collector.query.matching import Matcher, Tested
from weft_collector.query.order import Key, smaller
from weft_collector.query.question import SORTS, Question
from weft_collector.store.ports import SpanTable
from weft_collector.store.span_schema import POINTER

__all__ = ["Found", "Plan", "Source"]

#: What tells where a row's bytes are, and so its place in the order.
_PLACE: Final = POINTER[:4]


class Plan(NamedTuple):
    """What all sources of a search share.

    Attributes:
        question: The question.
        matcher: Compares rows with it.
        keys: For each attribute that is asked for, the keys under which it may have been sent.
        tokens: Likewise the tokens under which it may stand.
        columns: What is to be read of a span that matches, beside what matching needs.
    """

    question: Question
    matcher: Matcher
    keys: tuple[tuple[str, ...], ...]
    tokens: Sequence[NDArray[np.uint64]]
    columns: tuple[str, ...]


class Found(NamedTuple):
    """A span that matches.

    Attributes:
        key: Its place in the order.
        trace_lo: Low half of its trace id.
        rows: Rows of the plan's columns.
        row: Which of them is its own.
    """

    key: Key
    trace_lo: int
    rows: pa.Table
    row: int


class _Loaded(NamedTuple):
    """Rows that fit by columns, largest key first; what was left out is below `rest`."""

    table: pa.Table
    values: NDArray[np.int64]
    where: Pointers
    rest: Key | None

    def key(self, number: int, row: int) -> Key:
        """The key of a row, made for the few that are asked for."""
        return Key(*map(int, (self.values[row], number, *(column[row] for column in self.where[:3]))))


class Source:
    """See the module.

    Args:
        table: The table.
        plan: What is looked for.
        bound: Only what is below it.
        kept: How many of the largest keys a load keeps.

    Attributes:
        bound: Whatever is found later is below it.
        found: What was found and not taken yet, largest key first.
        exhausted: Nothing more will be found.
        worked: Some spans were looked at, or shown to be none that match.
    """

    def __init__(self, table: SpanTable, plan: Plan, bound: Key, kept: int) -> None:
        self.table = table
        self.bound = bound
        self.found: deque[Found] = deque()
        self.exhausted = False
        self.worked = False
        self._plan = plan
        self._kept = kept
        self._steps = self._walk()
        if plan.question.sort == "start":
            self.bound = min(bound, Key.over(table.latest_ns))

    def advance(self) -> None:
        """Take the next step."""
        self.exhausted = next(self._steps, None) is None
        self.worked |= self.exhausted

    def frontier(self) -> Key | None:
        """The bound of everything that was not taken yet; None if nothing is left."""
        if self.found:
            return self.found[0].key.above()
        return None if self.exhausted else self.bound

    def _walk(self) -> Iterator[bool]:
        largest = self._by_summary()
        if largest is None:
            return
        self.bound = min(self.bound, Key.over(largest))
        yield True
        if not self.table.may_meet(self._plan.keys):
            return
        blocks = self.table.blocks_with(self._plan.tokens) if self._plan.tokens else None
        rest: Key | None = self.bound
        while rest is not None and (blocks is None or len(blocks)):
            loaded = self._load(blocks, rest)
            yield from self._look(loaded)
            rest = loaded.rest
            self.worked = True

    def _by_summary(self) -> int | None:
        """The largest value to sort by that a matching span can have; None if there is no such span."""
        question = self._plan.question
        never = self._plan.matcher.never or not self.table.rows
        if never or self.table.latest_ns < question.start_ns or self.table.earliest_ns >= question.end_ns:
            return None
        summary = self.table.summary()
        fits = _possible(summary, question)
        largest = numbers(summary, "LatestNs" if question.sort == "start" else "LongestNs")[fits]
        return int(largest.max()) if len(largest) else None

    def _load(self, blocks: NDArray[np.uint32] | None, bound: Key) -> _Loaded:
        table = self._read()
        values, where = numbers(table, SORTS[self._plan.question.sort]), pointers(table)
        fits = self._plan.matcher.in_window(table)
        rows = np.flatnonzero(fits & smaller(values, self.table.number, where, bound))
        if blocks is not None:
            rows = rows[np.isin(where.block[rows], blocks)]
        rest = None
        if len(rows) > self._kept:
            least = int(np.partition(values[rows], -self._kept)[-self._kept])
            left = rows[values[rows] < least]
            rows = rows[values[rows] >= least]
            rest = Key(least, 0, 0, 0, 0) if len(left) else None
        rows = rows[np.lexsort((where.offset[rows], where.body[rows], where.block[rows], values[rows]))[::-1]]
        return _Loaded(table.take(rows), values[rows], where.take(rows), rest)

    def _read(self) -> pa.Table:
        """The rows that fit by columns: those that decide first, the others of rows that are left."""
        plan = self._plan
        inside = ("ResourceId",) if plan.matcher.looks_inside else ()
        names = ("Timestamp", SORTS[plan.question.sort], *_PLACE, *inside, "TraceId", *plan.columns)
        wanted = list(dict.fromkeys(names))
        if not plan.matcher.columns:
            return self.table.read(wanted)
        fits = plan.matcher.by_columns(self.table.read(plan.matcher.columns))
        return self.table.take(wanted, np.flatnonzero(fits))

    def _look(self, loaded: _Loaded) -> Iterator[bool]:
        """Look inside the loaded rows, batch by batch."""
        where, number = loaded.where, self.table.number
        lows = trace_lows(loaded.table)
        for start, stop in batches(where.length):
            for row in self._fitting(loaded, np.arange(start, stop)):
                self.found.append(Found(loaded.key(number, row), int(lows[row]), loaded.table, row))
            self.bound = loaded.key(number, stop - 1)
            self.worked = True
            yield True
        if loaded.rest is not None:
            self.bound = min(self.bound, loaded.rest)

    def _fitting(self, loaded: _Loaded, rows: NDArray[np.intp]) -> list[int]:
        """Which of some loaded rows match."""
        if self._plan.matcher.looks_inside:
            tested = Tested(loaded.where.take(rows), numbers(loaded.table, "ResourceId")[rows])
            rows = rows[self._plan.matcher.by_attributes(self.table, tested)]
        found: list[int] = rows.tolist()
        return found


def _possible(summary: pa.Table, question: Question) -> NDArray[np.bool_]:
    """Which rows of a summary may stand for spans that match."""
    fits = numbers(summary, "EarliestNs") < question.end_ns
    fits &= numbers(summary, "LatestNs") >= question.start_ns
    for name, text in question.texts.items():
        if name != "StatusCode":
            fits &= equal_text(summary, name, text)
    if question.status == "Error":
        fits &= numbers(summary, "Errors") > 0
    if question.least_ns is not None:
        fits &= numbers(summary, "LongestNs") >= question.least_ns
    return fits
