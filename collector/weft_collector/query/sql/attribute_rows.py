"""The texts of attributes for rows that a query looks at: the span's own, else its resource's."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from weft_collector.errors import BadQuery, CorruptLog, NotFound
from weft_collector.query.attributes import Values, resource_attributes, text_of
from weft_collector.query.bytes_of_spans import Pointers, batches, read_messages
from weft_collector.query.columns import numbers
from weft_collector.query.question import LONGEST_KEY
from weft_collector.store.ports import SpanBytes, SpanTable

__all__ = ["FilesGone", "attribute_texts"]


class FilesGone(BadQuery):
    """What a query meets when files are removed while it runs; it may also have made up where a span is."""


_PLACE: Final = ("Block", "Body", "Offset", "Length", "ResourceId")
LONGEST_SPAN: Final = 64 << 20
_NO_SPAN: Final = "attributes() was given a row that is no span."


def attribute_texts(tables: Sequence[SpanTable], log: SpanBytes, asked: pa.Table) -> list[str | None]:
    """The texts, row by row; None where an outer join has no span.

    Args:
        tables: The tables by the number in `_table`.
        log: The spans' bytes.
        asked: Columns `key`, `_table`, `ResourceId`, and where the bytes are. A query can make them up, so
            nothing is believed.

    Raises:
        BadQuery: A key is too long, or a row is no span.
    """
    held = np.flatnonzero(~np.array([key is None for key in asked.column("_table").to_pylist()], np.bool_))
    found: list[str | None] = [None] * asked.num_rows
    rows = asked.take(held)
    if any(rows.column(name).null_count for name in _PLACE):
        raise BadQuery(_NO_SPAN)
    keys: list[str | None] = rows.column("key").to_pylist()
    for key in sorted({key for key in keys if key is not None}):
        of_key = np.flatnonzero(np.array([other == key for other in keys], np.bool_))
        for row, text in zip(
            held[of_key].tolist(), _of_key(tables, log, rows.take(of_key), key), strict=True
        ):
            found[row] = text
    return found


def _of_key(tables: Sequence[SpanTable], log: SpanBytes, rows: pa.Table, key: str) -> list[str | None]:
    if len(key) > LONGEST_KEY:
        raise BadQuery(f"attributes({key[:40]!r}...): a key has at most {LONGEST_KEY} characters.")
    which = numbers(rows, "_table")
    if not 0 <= which.min() <= which.max() < len(tables):
        raise BadQuery(_NO_SPAN)
    found: list[str | None] = [None] * len(which)
    numbered: list[int] = np.unique(which).tolist()
    for number in numbered:
        some = np.flatnonzero(which == number)
        try:
            texts = _texts(tables[number], log, rows.take(some), key)
        except NotFound as error:
            raise FilesGone(f"{_NO_SPAN} {error}") from error
        except (CorruptLog, IndexError, KeyError, ValueError, OverflowError) as error:
            raise BadQuery(f"{_NO_SPAN} {error}") from error
        for row, text in zip(some.tolist(), texts, strict=True):
            found[row] = text
    return found


def _texts(table: SpanTable, log: SpanBytes, rows: pa.Table, key: str) -> list[str | None]:
    places = Pointers(*(numbers(rows, name) for name in _PLACE[:4]))
    if min(int(column.min()) for column in places) < 0 or int(places.length.max()) > LONGEST_SPAN:
        raise BadQuery(_NO_SPAN)
    owners = numbers(rows, "ResourceId")
    inherited = {int(owner): _of_resource(table, int(owner), key) for owner in np.unique(owners)}
    texts: list[str | None] = []
    for start, stop in batches(places.length):
        messages = read_messages(log, table.number, places.take(np.arange(start, stop)))
        texts += Values(messages, key).texts()
    return [
        inherited[owner] if text is None else text for text, owner in zip(texts, owners.tolist(), strict=True)
    ]


def _of_resource(table: SpanTable, number: int, key: str) -> str | None:
    value = resource_attributes(table.resource(number)[0]).get(key)
    return None if value is None else text_of(value)
