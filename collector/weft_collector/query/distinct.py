"""What there is to search for: services, operations, attribute keys and their values.

Services and operations come out of the tables' summaries and are exact. Values of promoted attributes are read
from their columns, newest tables first, until the time is over. Other attributes are no columns: keys and values
of these are sampled from the newest spans, and the answer says that it is incomplete.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weft_collector.query.attributes import Messages, Values, resource_attributes, span_attributes, text_of
from weft_collector.query.bytes_of_spans import Pointers, read_messages
from weft_collector.query.catalog import Budget, Catalog
from weft_collector.query.columns import equal_text, numbers, pointers
from weft_collector.query.promoted import COLUMNS, NUMBERS, column_of
from weft_collector.store.ports import SpanLog, SpanTable
from weft_collector.store.span_schema import POINTER

__all__ = ["MOST_NAMES", "Distinct", "Names"]

MOST_NAMES: Final = 1000
#: How many of a table's newest spans are looked at for a key's values, and for keys.
SAMPLED_VALUES: Final = 65_536
SAMPLED_KEYS: Final = 2_048
SAMPLED_BYTES: Final = 32 << 20
LONGEST_SHOWN: Final = 1_024


class Names(NamedTuple):
    """Names in order.

    Attributes:
        names: The names.
        complete: Whether there are no others.
    """

    names: list[str]
    complete: bool


class Distinct:
    """Lists what there is; any thread may ask.

    Args:
        catalog: The spans.
        log: Their bytes.
    """

    def __init__(self, catalog: Catalog, log: SpanLog) -> None:
        self._catalog = catalog
        self._log = log

    def services(self, budget: Budget, limit: int = MOST_NAMES) -> Names:
        """The services that have spans."""
        found = _Collected(limit)
        for table in self._newest(found, budget):
            found.take(_unique(table.summary(), "ServiceName"))
        return found.names()

    def operations(self, service: str, budget: Budget, limit: int = MOST_NAMES) -> Names:
        """The names of a service's spans."""
        found = _Collected(limit)
        for table in self._newest(found, budget):
            summary = table.summary()
            rows = np.flatnonzero(equal_text(summary, "ServiceName", service))
            found.take(_unique(summary.take(rows), "SpanName"))
        return found.names()

    def keys(self, budget: Budget, limit: int = MOST_NAMES) -> Names:
        """The attributes of spans and resources: those with columns, and those of the newest spans."""
        found = _Collected(limit)
        found.take(names[0] for names in COLUMNS.values())
        for table in self._newest(found, budget):
            messages, resources = self._sample(table, SAMPLED_KEYS, found)
            for resource in resources:
                found.take(resource_attributes(resource))
            for row in np.flatnonzero(messages.lengths >= 0).tolist():
                found.take(span_attributes(messages.message(row)))
        return found.names()

    def values(self, key: str, budget: Budget, limit: int = MOST_NAMES) -> Names:
        """The values of an attribute as texts."""
        found = _Collected(limit)
        column = column_of(key)
        for table in self._newest(found, budget):
            if column is None:
                self._sample_values(table, key, found)
            elif column in NUMBERS:
                found.take(
                    str(number) for number in np.unique(numbers(table.read([column]), column)) if number
                )
            else:
                found.take(_unique(table.read([column]), column))
        return found.names()

    def _sample_values(self, table: SpanTable, key: str, found: "_Collected") -> None:
        messages, resources = self._sample(table, SAMPLED_VALUES, found)
        given = (resource_attributes(resource).get(key) for resource in resources)
        found.take(text_of(value) for value in given if value is not None)
        found.take(text for text in Values(messages, key).texts() if text)

    def _newest(self, found: "_Collected", budget: Budget) -> Iterator[SpanTable]:
        """Tables, newest first, as long as there is time and room."""
        for count, table in enumerate(reversed(self._catalog.tables())):
            if found.full or (count and budget.over()):
                found.whole = False
                return
            yield table

    def _sample(self, table: SpanTable, most: int, found: "_Collected") -> tuple[Messages, list[bytes]]:
        """The spans that came last in a table, and their resources."""
        rows = table.read(POINTER)
        places = pointers(rows)
        last = _last(places, most)
        chosen = last[: _within(places.length[last])]
        found.whole &= len(chosen) == table.rows
        ids = np.unique(numbers(rows, "ResourceId")[chosen])
        messages = read_messages(self._log, table.number, places.take(chosen))
        return messages, [table.resource(int(number))[0] for number in ids]


def _last(places: Pointers, most: int) -> NDArray[np.intp]:
    """The rows that stand last in the log."""
    place = places.block.astype(np.uint64) << np.uint64(32) | places.body.astype(np.uint64)
    if len(place) <= most:
        return np.arange(len(place))
    return np.argpartition(place, len(place) - most)[-most:]


def _within(lengths: NDArray[np.int64]) -> int:
    """How many spans have at most SAMPLED_BYTES together."""
    return int(np.searchsorted(np.cumsum(lengths), SAMPLED_BYTES, side="right"))


class _Collected:
    """Distinct names up to a limit.

    Args:
        limit: How many.

    Attributes:
        whole: Whether everything was looked at so far.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._names: set[str] = set()
        self.whole = True

    @property
    def full(self) -> bool:
        """Whether there are more names than room."""
        return len(self._names) > self._limit

    def take(self, names: Iterable[str]) -> None:
        """Take over names; empty ones are none, and very long ones are left out."""
        for name in names:
            if self.full:
                return
            if len(name) > LONGEST_SHOWN:
                self.whole = False
            elif name:
                self._names.add(name)

    def names(self) -> Names:
        """The answer."""
        return Names(sorted(self._names)[: self._limit], self.whole and not self.full)


def _unique(table: pa.Table, name: str) -> Iterator[str]:
    """The distinct texts of a column."""
    values: Iterable[Any] = table.column(name).unique().to_pylist()
    return (value for value in values if value)
