"""Calls as text: CSV (RFC 4180) and JSON lines."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from weft_collector.export.columns import COLUMNS, Chunk, Kind

__all__ = ["csv_lines", "json_lines", "time_text"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_SECOND_NS: Final = 1_000_000_000
_NAMES: Final = tuple(column.name for column in COLUMNS)


def time_text(ns: int) -> str:
    """Nanoseconds since the epoch as ISO-8601, to the nanosecond; Python's own type ends at microseconds."""
    seconds, fraction = divmod(ns, _SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def _defused(text: object) -> str:
    """A text that a spreadsheet shows instead of computing: names come from outside."""
    shown = str(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _cell(number: object) -> object:
    return "" if number is None else number


_Writer = Callable[[object], object]
_CSV: Final[dict[Kind, _Writer]] = {
    Kind.TIME: lambda ns: time_text(int(str(ns))),
    Kind.TEXT: _defused,
    Kind.NUMBER: _cell,
}
_JSON: Final[dict[Kind, _Writer]] = {
    Kind.TIME: _CSV[Kind.TIME],
    Kind.TEXT: lambda text: text,
    Kind.NUMBER: lambda number: number,
}


def _rows(chunk: Chunk, writers: dict[Kind, _Writer]) -> Iterator[tuple[object, ...]]:
    columns = [map(writers[column.kind], cells) for column, cells in zip(COLUMNS, chunk, strict=True)]
    return zip(*columns, strict=True)


def csv_lines(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """A header and a line for each call, ended by CR LF; texts that look like formulas get an apostrophe."""
    yield _csv([_NAMES])
    for chunk in chunks:
        yield _csv(_rows(chunk, _CSV))


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(errors="replace")


def json_lines(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """A JSON object for each call, one a line."""
    for chunk in chunks:
        lines = (json.dumps(dict(zip(_NAMES, row, strict=True))) + "\n" for row in _rows(chunk, _JSON))
        yield "".join(lines).encode()
