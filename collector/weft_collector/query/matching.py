"""Which rows of a table are what a question asks for: columns first, then the spans' own bytes."""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weft_collector.query.attributes import Values, Wanted, resource_attributes
from weft_collector.query.bytes_of_spans import Pointers, read_messages
from weft_collector.query.columns import equal_text, numbers
from weft_collector.query.promoted import NUMBERS, column_of
from weft_collector.query.question import Condition, Question
from weft_collector.store.ports import SpanLog, SpanTable

__all__ = ["Matcher", "Tested"]

V = TypeVar("V", int, str)
KEPT_RESOURCES: Final = 4096
_LARGEST_COLUMN: Final = 2**31 - 1


class Tested(NamedTuple):
    """Rows whose attributes are to be looked at.

    Attributes:
        pointers: Where their spans are.
        resources: The `ResourceId` of each.
    """

    pointers: Pointers
    resources: NDArray[np.int64]


class Matcher:
    """A question in the forms in which it is compared.

    Args:
        question: The question.
        log: Where the bytes of spans are read from.
    """

    def __init__(self, question: Question, log: SpanLog) -> None:
        self._question = question
        self._log = log
        self._texts = question.texts
        self._numbers: dict[str, int] = {}
        self._conditions: list[Condition] = []
        self._wanted: list[Wanted] = []
        self._never = False
        self._resources: dict[bytes, list[bool]] = {}
        for condition in question.conditions:
            self._sort_in(condition)

    def _sort_in(self, condition: Condition) -> None:
        column = column_of(condition.key)
        if column is None:
            self._conditions.append(condition)
            self._wanted.append(Wanted(condition.value))
        elif column in NUMBERS:
            self._demand(self._numbers, column, int(condition.value))
        else:
            self._demand(self._texts, column, condition.value)

    def _demand(self, demands: dict[str, V], column: str, value: V) -> None:
        """Ask for a value; an absent one, or two different ones, can never be there."""
        self._never |= not value or demands.get(column, value) != value
        if isinstance(value, int):
            self._never |= value > _LARGEST_COLUMN
        demands[column] = value

    @property
    def columns(self) -> list[str]:
        """The columns that `by_columns` reads; none if every row fits."""
        question = self._question
        measured = ["Duration"] if (question.least_ns, question.most_ns) != (None, None) else []
        return [*measured, *self._texts, *self._numbers]

    @property
    def never(self) -> bool:
        """Whether no span can be what is asked for."""
        return self._never

    @property
    def looks_inside(self) -> bool:
        """Whether columns alone do not decide."""
        return bool(self._conditions)

    def by_columns(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows fit as far as columns tell, their start apart."""
        question = self._question
        fits = np.ones(table.num_rows, np.bool_)
        if question.least_ns is not None:
            fits &= numbers(table, "Duration") >= question.least_ns
        if question.most_ns is not None:
            fits &= numbers(table, "Duration") <= question.most_ns
        for name, text in self._texts.items():
            fits &= equal_text(table, name, text)
        for name, number in self._numbers.items():
            fits &= numbers(table, name) == number
        return fits & (not self._never)

    def in_window(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows started in the window: column `Timestamp`."""
        start = numbers(table, "Timestamp")
        return (start >= self._question.start_ns) & (start < self._question.end_ns)

    def by_attributes(self, table: SpanTable, rows: Tested) -> NDArray[np.bool_]:
        """Which rows have the attributes that are no columns."""
        fits = np.ones(len(rows.resources), np.bool_)
        if not self._conditions:
            return fits
        by_resource = self._by_resource(table, rows.resources)
        own = np.array([table.spans_have(condition.key) for condition, _ in self._each()], np.bool_)
        fits &= by_resource[~own].all(axis=0)  # no span of the table has these attributes itself
        undecided = np.flatnonzero(fits & ~by_resource.all(axis=0))
        if len(undecided):
            messages = read_messages(self._log, table.number, rows.pointers.take(undecided))
            for (condition, wanted), known in zip(self._each(), by_resource, strict=True):
                fits[undecided] &= known[undecided] | Values(messages, condition.key).matches(wanted)
        return fits

    def _by_resource(self, table: SpanTable, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each condition, which rows' resources have the value."""
        distinct, inverse = np.unique(ids, return_inverse=True)
        having = [self._resource_has(table.resource(int(number))[0]) for number in distinct]
        return np.array(having, np.bool_).reshape(len(distinct), -1)[inverse].T

    def _resource_has(self, resource: bytes) -> list[bool]:
        """Whether a resource has each value; the same resource comes again and again, in tables as in bodies."""
        known = self._resources.get(resource)
        if known is None:
            given = resource_attributes(resource)
            known = [c.key in given and w.is_value(given[c.key]) for c, w in self._each()]
            if len(self._resources) < KEPT_RESOURCES:
                self._resources[resource] = known
        return known

    def _each(self) -> Sequence[tuple[Condition, Wanted]]:
        return list(zip(self._conditions, self._wanted, strict=True))
