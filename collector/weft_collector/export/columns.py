"""The columns of an export of calls, which stay as they are: new ones are added at the end."""

from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["COLUMNS", "Chunk", "Column", "Kind"]


class Kind(StrEnum):
    """What a cell is before it is written."""

    TIME = "time"
    """Nanoseconds since the epoch, int."""
    TEXT = "text"
    """str; empty where it is not known."""
    NUMBER = "number"
    """float, or None where there is none."""


class Column(NamedTuple):
    """One column."""

    name: str
    kind: Kind
    meaning: str


COLUMNS: Final = (
    Column("time", Kind.TIME, "Start of the span that identifies the call, UTC."),
    Column("trace_id", Kind.TEXT, "32 hex digits."),
    Column("span_id", Kind.TEXT, "16 hex digits: the callee's span if it reported, else the caller's."),
    Column("caller", Kind.TEXT, "Id of the calling node."),
    Column("callee", Kind.TEXT, "Id of the called node."),
    Column("caller_instance", Kind.TEXT, "service.instance.id of the caller, if its span is known."),
    Column("callee_instance", Kind.TEXT, "service.instance.id of the callee, if its span is known."),
    Column("operation", Kind.TEXT, "Name of the identifying span."),
    Column("client_duration_ms", Kind.NUMBER, "What the caller measured; none if it did not report."),
    Column("server_duration_ms", Kind.NUMBER, "What the callee measured; none if it did not report."),
    Column("outcome", Kind.TEXT, "`ok`, `4xx`, `5xx`, an rpc code, `timeout`, `refused` or `exception`."),
    Column("certainty", Kind.TEXT, "`both`, `client_only`, `server_only` or `inferred`: who reported."),
)

Chunk = tuple[list[object], ...]
"""Some rows: a list of cells for each column, all of one length."""
