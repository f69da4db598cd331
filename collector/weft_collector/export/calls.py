"""Calls out of the derived state, row by row, and the formats they are written in.

Numbers of nodes, instances and texts become names here, a chunk at a time, so that an export of millions of
calls takes the memory of a few thousand.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.derive import Derived
from weft_collector.export.columns import Chunk
from weft_collector.export.parquet import parquet_bytes
from weft_collector.export.text import csv_lines, json_lines
from weft_collector.graph.calls import SIGHTS, CallTable
from weft_collector.graph.outcomes import OUTCOMES
from weft_collector.graph.snapshot import Window

__all__ = ["CHUNK_ROWS", "FORMATS", "Format", "export_calls"]

CHUNK_ROWS: Final = 8192


class Format(NamedTuple):
    """A format: how browsers and files call it, and how it is written."""

    media_type: str
    suffix: str
    write: Callable[[Iterable[Chunk]], Iterator[bytes]]


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "csv": Format("text/csv; charset=utf-8; header=present", "csv", csv_lines),
        "json": Format("application/x-ndjson", "jsonl", json_lines),
        "parquet": Format("application/vnd.apache.parquet", "parquet", parquet_bytes),
    }
)
"""The formats by name; a new one is a function and a line."""


def export_calls(derived: Derived, window: Window, format_name: str) -> Iterator[bytes]:
    """The calls of a window, one row each, by start.

    Args:
        derived: Where they are.
        window: The minutes in which they start.
        format_name: A key of FORMATS.

    Returns:
        The pieces of the file. Calls whose span has left the head have empty cells where only the span knew
        more.

    Raises:
        MissingLibrary: The format needs a library that is not installed.
    """
    return FORMATS[format_name].write(_chunks(derived, derived.calls(window)))


def _chunks(derived: Derived, table: CallTable) -> Iterator[Chunk]:
    for first in range(0, len(table.start), CHUNK_ROWS):
        columns: list[Any] = [column[first : first + CHUNK_ROWS] for column in table]
        yield _cells(derived, CallTable(*columns))


def _cells(derived: Derived, rows: CallTable) -> Chunk:
    identifying = np.where(rows.server_span != 0, rows.server_span, rows.client_span)
    return (
        rows.start.tolist(),
        [f"{hi:016x}{lo:016x}" if hi or lo else "" for hi, lo in _pairs(rows.trace_hi, rows.trace_lo)],
        [f"{span:016x}" if span else "" for span in identifying.tolist()],
        [derived.node(number).id for number in rows.caller.tolist()],
        [derived.node(number).id for number in rows.callee.tolist()],
        [derived.instance(number) for number in rows.caller_instance.tolist()],
        [derived.instance(number) for number in rows.callee_instance.tolist()],
        [derived.text(number) for number in rows.name.tolist()],
        _milliseconds(rows.client_ns),
        _milliseconds(rows.server_ns),
        [OUTCOMES[number] for number in rows.outcome.tolist()],
        [SIGHTS[sight] for sight in rows.sight.tolist()],
    )


def _pairs(left: NDArray[Any], right: NDArray[Any]) -> Iterator[tuple[int, int]]:
    return zip(left.tolist(), right.tolist(), strict=True)


def _milliseconds(durations: NDArray[np.int64]) -> list[object]:
    return [None if ns < 0 else ns / 1e6 for ns in durations.tolist()]
