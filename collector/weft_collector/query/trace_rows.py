"""The rows of one trace in all tables, and what a search says about it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weft_collector.query.bytes_of_spans import batches
from weft_collector.query.columns import numbers, pointers, texts
from weft_collector.query.matching import Matcher, Tested
from weft_collector.query.order import Key
from weft_collector.query.question import SORTS
from weft_collector.query.times import iso
from weft_collector.store.ports import SpanTable
from weft_collector.store.span_schema import POINTER

__all__ = ["ROW_COLUMNS", "TracePart", "first_key", "span_row", "summary", "trace_parts"]

#: The columns that a row of a search's answer is made of.
ROW_COLUMNS: Final = (
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "Timestamp",
    "Duration",
    "SpanName",
    "SpanKind",
    "StatusCode",
    "ServiceName",
)
MOST_SERVICES: Final = 100
SHOWN_MATCHES: Final = 3
_ROOT: Final = bytes(8)


class TracePart(NamedTuple):
    """The rows of a trace in one table.

    Attributes:
        table: The table.
        rows: The rows: columns of an answer, of the pointer, and of the question.
        matching: Which of them match.
    """

    table: SpanTable
    rows: pa.Table
    matching: NDArray[np.bool_]


def trace_parts(tables: Sequence[SpanTable], trace_lo: int, matcher: Matcher) -> list[TracePart]:
    """Everything that is known of a trace, by its low half."""
    names = list(dict.fromkeys((*ROW_COLUMNS, *POINTER, *matcher.columns)))
    parts: list[TracePart] = []
    for table in tables:
        where = table.trace_rows(trace_lo)
        if len(where):
            rows = table.read(names, where)
            parts.append(TracePart(table, rows, _matching(table, rows, matcher)))
    return parts


def _matching(table: SpanTable, rows: pa.Table, matcher: Matcher) -> NDArray[np.bool_]:
    fits = matcher.by_columns(rows) & matcher.in_window(rows)
    places, resources = pointers(rows), numbers(rows, "ResourceId")
    candidates = np.flatnonzero(fits)
    for start, stop in batches(places.length[candidates]):
        some = candidates[start:stop]
        fits[some] = matcher.by_attributes(table, Tested(places.take(some), resources[some]))
    return fits


def first_key(parts: Sequence[TracePart], sort: str) -> Key | None:
    """The largest key of the trace's matching spans: its own place in the order."""
    return max((key for part in parts for key, _ in _keys(part, sort)), default=None)


def _keys(part: TracePart, sort: str) -> Iterator[tuple[Key, int]]:
    """Key and row of each matching span."""
    chosen = np.flatnonzero(part.matching)
    values, places = numbers(part.rows, SORTS[sort])[chosen], pointers(part.rows).take(chosen)
    columns = (column.tolist() for column in (values, places.block, places.body, places.offset, chosen))
    for value, block, body, offset, row in zip(*columns, strict=True):
        yield Key(value, part.table.number, block, body, offset), row


def span_row(rows: pa.Table, row: int) -> dict[str, Any]:
    """One span as an answer shows it."""
    values = {
        name: rows.column(name)[row].as_py() for name in ROW_COLUMNS if name not in {"Timestamp", "Duration"}
    }
    parent = values["ParentSpanId"]
    return {
        "trace_id": values["TraceId"].hex(),
        "span_id": values["SpanId"].hex(),
        "parent_span_id": None if parent in {None, _ROOT} else parent.hex(),
        "service": values["ServiceName"] or "",
        "operation": values["SpanName"] or "",
        "kind": (values["SpanKind"] or "").lower(),
        "status": (values["StatusCode"] or "").lower(),
        "start": iso(int(rows.column("Timestamp")[row].value)),
        "duration_ms": rows.column("Duration")[row].as_py() / 1e6,
    }


def summary(parts: Sequence[TracePart], sort: str) -> dict[str, Any]:
    """A trace as an answer shows it: what it is as a whole, and its matching spans that come first."""
    start = np.concatenate([numbers(part.rows, "Timestamp") for part in parts])
    end = start + np.concatenate([numbers(part.rows, "Duration") for part in parts])
    keyed = sorted(((key, part, row) for part in parts for key, row in _keys(part, sort)), key=lambda k: k[0])
    shown = [span_row(part.rows, row) for _, part, row in keyed[: -SHOWN_MATCHES - 1 : -1]]
    services = _services(parts)
    return {
        "trace_id": shown[0]["trace_id"],
        "root": _root(parts),
        "start": iso(int(start.min())),
        "duration_ms": int(end.max() - start.min()) / 1e6,
        "spans": len(start),
        "errors": sum(service["errors"] for service in services),
        "services": services[:MOST_SERVICES],
        "matching_spans": len(keyed),
        "matches": shown,
    }


def _root(parts: Sequence[TracePart]) -> dict[str, Any] | None:
    """The span without a parent; the earliest, should there be several."""
    roots = [
        (int(start), part.rows, row)
        for part in parts
        for row, (parent, start) in enumerate(
            zip(part.rows.column("ParentSpanId").to_pylist(), numbers(part.rows, "Timestamp"), strict=True)
        )
        if parent in {None, _ROOT}
    ]
    if not roots:
        return None
    _, rows, row = min(roots, key=lambda root: root[0])
    shown = span_row(rows, row)
    return {name: shown[name] for name in ("span_id", "service", "operation", "duration_ms")}


def _services(parts: Sequence[TracePart]) -> list[dict[str, Any]]:
    """Spans and errors of each service, the largest first."""
    spans: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for part in parts:
        names = texts(part.rows, "ServiceName")
        spans.update(names)
        failed = (status == "Error" for status in texts(part.rows, "StatusCode"))
        errors.update(name for name, bad in zip(names, failed, strict=True) if bad)
    return [{"service": name, "spans": count, "errors": errors[name]} for name, count in spans.most_common()]
