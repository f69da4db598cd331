"""The summary of a table: what it holds of each service and operation, to pass over it where it has nothing."""

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["summary_of"]

_KEYS = ("ServiceName", "SpanName", "SpanKind")
_SUMS: "Sequence[tuple[str, str]]" = (
    ("Spans", "sum"),
    ("Errors", "sum"),
    ("LongestNs", "max"),
    ("EarliestNs", "min"),
    ("LatestNs", "max"),
)


def summary_of(table: "pa.Table") -> "pa.Table":
    """One row for each (ServiceName, SpanName, SpanKind): Spans, Errors, LongestNs, EarliestNs, LatestNs."""
    start = table["Timestamp"].cast(pa.int64())
    figures = {
        "Spans": pa.array([1] * 0, pa.int64()) if not table.num_rows else pc.add(pc.multiply(start, 0), 1),
        "Errors": pc.equal(table["StatusCode"].cast(pa.string()), "Error").cast(pa.int64()),
        "LongestNs": table["Duration"],
        "EarliestNs": start,
        "LatestNs": start,
    }
    keyed = pa.table({**{key: table[key] for key in _KEYS}, **figures})
    found = keyed.group_by(list(_KEYS)).aggregate(list(_SUMS))
    columns = {key: found[key].cast(pa.string()) for key in _KEYS}
    return pa.table({**columns, **{name: found[f"{name}_{how}"] for name, how in _SUMS}})
