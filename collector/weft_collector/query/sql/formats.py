"""The rows of a SQL answer as JSON, CSV, a table for a terminal, Parquet or Arrow."""

import csv
import io
import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pyarrow as pa
from pyarrow import ipc, parquet

from weft_collector.query.sql.runner import Answer
from weft_collector.query.times import iso

__all__ = ["FORMATS", "Format"]

_NS: Final[Mapping[str, int]] = MappingProxyType({"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_WIDEST: Final = 60


class Format(NamedTuple):
    """How an answer is written.

    Attributes:
        media_type: Of the bytes.
        write: Makes them.
        binary: Whether a terminal could not show them.
    """

    media_type: str
    write: Callable[[Answer], bytes]
    binary: bool = False


def _columns(table: pa.Table) -> list[list[Any]]:
    """The columns as values that JSON has; times as ISO-8601 to the nanosecond, bytes in hex."""
    return [_column(table.column(number)) for number in range(len(table.column_names))]


def _column(column: pa.ChunkedArray) -> list[Any]:
    factor = _NS.get(getattr(column.type, "unit", ""), 0)
    if pa.types.is_timestamp(column.type) and factor:
        return [
            None if value is None else iso(value * factor) for value in column.cast(pa.int64()).to_pylist()
        ]
    return [_plain(value) for value in column.to_pylist()]


def _plain(value: Any) -> Any:
    return value if value is None else _PLAIN.get(value.__class__, str)(value)


_PLAIN: Final[dict[type, Callable[[Any], Any]]] = {
    bool: bool,
    int: int,
    str: str,
    float: lambda value: value if math.isfinite(value) else str(value),
    bytes: bytes.hex,
    dict: lambda value: {str(key): _plain(item) for key, item in value.items()},
    list: lambda value: [_plain(item) for item in value],
    tuple: lambda value: [_plain(item) for item in value],
    datetime: datetime.isoformat,
}


def _json(answer: Answer) -> bytes:
    rows = list(zip(*_columns(answer.rows), strict=True))
    columns = [{"name": field.name, "type": str(field.type)} for field in answer.rows.schema]
    document = {"columns": columns, "rows": rows, "truncated": answer.truncated}
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def _csv(answer: Answer) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(map(_cell, answer.rows.column_names))
    writer.writerows(map(_cell, row) for row in zip(*_columns(answer.rows), strict=True))
    return out.getvalue().encode(errors="replace")


def _cell(value: Any) -> Any:
    """A value that a spreadsheet shows instead of computing: texts come from outside."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return _shown(value)


def _shown(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list | bool) else "" if value is None else value


def _table(answer: Answer) -> bytes:
    """Columns side by side; nothing that a terminal would obey, and no cell wider than 60 characters."""
    cells = [[_printable(name), *map(_printable, column)] for name, column in zip(
        answer.rows.column_names, _columns(answer.rows), strict=True
    )]  # fmt: skip
    widths = [max(map(len, column)) for column in cells]
    padded = ([text.ljust(width) for text in column] for column, width in zip(cells, widths, strict=True))
    head, *rows = ["  ".join(row).rstrip() for row in zip(*padded, strict=True)] or [""]
    line = "  ".join("-" * width for width in widths)
    return ("\n".join([head, line, *rows]) + "\n").encode(errors="replace")


def _printable(value: Any) -> str:
    text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in str(_shown(value)))
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _parquet(answer: Answer) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(answer.rows, sink, compression="zstd")
    return _bytes(sink)


def _arrow(answer: Answer) -> bytes:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, answer.rows.schema) as writer:
        writer.write_table(answer.rows)
    return _bytes(sink)


def _bytes(sink: pa.BufferOutputStream) -> bytes:
    data: bytes = sink.getvalue().to_pybytes()
    return data


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "json": Format("application/json", _json),
        "csv": Format("text/csv; charset=utf-8", _csv),
        "table": Format("text/plain; charset=utf-8", _table),
        "parquet": Format("application/vnd.apache.parquet", _parquet, binary=True),
        "arrow": Format("application/vnd.apache.arrow.stream", _arrow, binary=True),
    }
)
"""Formats by name."""
