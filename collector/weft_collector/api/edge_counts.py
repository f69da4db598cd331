"""`/api/v1/edge-counts`: what agents counted before sampling, row by row."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import starmap
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from numpy.typing import NDArray

from weft_collector.api.answers import Json
from weft_collector.api.deps import AskedWindow, GivenParts, require_ready
from weft_collector.api.documents import PROBLEMS
from weft_collector.api.schemas import EdgeCounts
from weft_collector.graph.cells import CELL_BITS, CLIENT_AT, Cells
from weft_collector.graph.edge_counts import EdgeCountTable
from weft_collector.graph.edge_rows import POINTS, Counts, End
from weft_collector.graph.figures import Edges, figures_of
from weft_collector.graph.snapshot import Latency, Window
from weft_collector.graph.table import latencies

__all__ = ["router"]

MOST_ROWS: Final = 10_000
router: Final = APIRouter(
    prefix="/api/v1", tags=["Graph"], dependencies=[Depends(require_ready)], responses=PROBLEMS
)


@router.get(
    "/edge-counts", responses={200: {"model": EdgeCounts, "description": "Counts by minute and edge."}}
)
def edge_counts(
    parts: GivenParts,
    window: AskedWindow,
    limit: Annotated[int, Query(description="How many rows at most.", ge=1, le=MOST_ROWS)] = 1000,
) -> Response:
    """Calls that agents counted before sampling, by minute, side, caller, callee and sort of calls."""
    rows: list[dict[str, Any]] = []
    table = parts.derived.counts
    for counts in _by_minute(table, window):
        rows += _rows(counts)
        if len(rows) > limit:
            break
    answer = {"window": window.as_dict(), "rows": rows[:limit], "complete": len(rows) <= limit}
    return Json(answer)


def _by_minute(table: EdgeCountTable, window: Window) -> Iterator[Counts]:
    """One minute after the other: no more is copied than is shown."""
    for minute in table.minutes(*window):
        yield table.between(minute, minute + 1)


def _rows(counts: Counts) -> list[dict[str, Any]]:
    """The rows of one minute."""
    is_point = counts.cell == POINTS
    points = dict(zip(counts.row[is_point].tolist(), counts.value[is_point].tolist(), strict=True))
    measured = _latencies(counts, ~is_point)
    minute = int(counts.minute[0])
    shown = [
        {
            "minute": Window(minute, minute + 1).as_dict()["start"],
            "side": row.side,
            "caller": _end(row.caller),
            "callee": _end(row.callee),
            **row.calls._asdict(),
            "calls": measured[number].samples if number in measured else 0,
            "points": points[number],
            "latency": asdict(measured[number]) if number in measured else None,
            "complete": minute not in counts.incomplete,
        }
        for number, row in enumerate(counts.rows)
    ]
    return sorted(shown, key=_order)


def _latencies(counts: Counts, buckets: NDArray[np.bool_]) -> dict[int, Latency]:
    """What was measured, by row, of those that have buckets: each is an edge with one side."""
    code = counts.row[buckets] << CELL_BITS | CLIENT_AT + counts.cell[buckets]
    edges = Edges.of(Cells(code, counts.value[buckets]))
    figures = figures_of(edges, np.arange(len(edges.numbers)), np.arange(len(edges.numbers) + 1))
    return dict(zip(edges.numbers.tolist(), starmap(Latency, latencies(figures.client)), strict=True))


def _order(row: dict[str, Any]) -> tuple[str, ...]:
    ends = (
        row["caller"]["node"],
        row["callee"]["node"],
        row["caller"]["instance"],
        row["callee"]["instance"],
    )
    return (*ends, row["side"], row["operation"], row["connection"], row["protocol"], row["outcome"])


def _end(end: End) -> dict[str, str]:
    return {"node": end.node.id, "instance": end.instance}
