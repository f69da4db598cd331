"""Columns of a span table as numpy arrays."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weft_collector.query.bytes_of_spans import Pointers
from weft_collector.store.span_columns import words_of
from weft_collector.store.span_schema import POINTER

__all__ = ["equal_text", "numbers", "pointers", "texts", "trace_halves", "trace_lows"]


def numbers(table: pa.Table, name: str) -> NDArray[np.int64]:
    """A column of numbers or times (ns since the epoch)."""
    column = table.column(name)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    values: NDArray[Any] = column.to_numpy()
    return values.astype(np.int64, copy=False)


def equal_text(table: pa.Table, name: str, wanted: str) -> NDArray[np.bool_]:
    """Where a column of texts has a value; one comparison of numbers a row."""
    parts = [_equal_chunk(chunk, wanted) for chunk in table.column(name).chunks]
    return np.concatenate(parts) if parts else np.zeros(0, np.bool_)


def _equal_chunk(chunk: Any, wanted: str) -> NDArray[np.bool_]:
    if not pa.types.is_dictionary(chunk.type):
        plain: NDArray[np.bool_] = pc.equal(chunk, wanted).fill_null(False).to_numpy(zero_copy_only=False)
        return plain
    place: int = chunk.dictionary.index(wanted).as_py()
    if place < 0:
        return np.zeros(len(chunk), np.bool_)
    equal: NDArray[np.bool_] = chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) == place
    return equal


def texts(table: pa.Table, name: str) -> list[str]:
    """A column of texts, row by row; empty where there is none."""
    return [value or "" for value in table.column(name).to_pylist()]


def trace_lows(table: pa.Table) -> NDArray[np.uint64]:
    """The low halves of the trace ids."""
    return words_of(table["TraceId"], -1)


def trace_halves(table: pa.Table) -> NDArray[np.uint64]:
    """The high and the low half of each trace id."""
    return np.stack([words_of(table["TraceId"]), trace_lows(table)], axis=1)


def pointers(table: pa.Table) -> Pointers:
    """Where the rows' spans are in the log."""
    return Pointers(*(numbers(table, name) for name in POINTER[:4]))
