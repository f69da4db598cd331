"""`/api/v1/graph/explain`: why an edge is missing."""

from collections import Counter
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Depends, Query, Response

from weft_collector.api.answers import Json
from weft_collector.api.deps import AskedWindow, GivenAsk, GivenParts, require_ready
from weft_collector.api.documents import PROBLEMS
from weft_collector.api.graphs import Asked
from weft_collector.api.schemas import Explained
from weft_collector.graph.edge_counts import EdgeCountTable
from weft_collector.graph.edge_rows import POINTS
from weft_collector.graph.snapshot import MINUTE_NS, Window
from weft_collector.graph.table import GraphTable
from weft_collector.query.explaining import End, explain

__all__ = ["router"]

router: Final = APIRouter(
    prefix="/api/v1/graph", tags=["Graph"], dependencies=[Depends(require_ready)], responses=PROBLEMS
)
_Id = Query(
    description="A node's id, or a service's name.",
    examples=["service:cart", "cart"],
    min_length=1,
    max_length=1024,
)


@router.get("/explain", responses={200: {"model": Explained, "description": "Why the edge is missing."}})
async def explain_edge(
    parts: GivenParts,
    ask: GivenAsk,
    window: AskedWindow,
    caller: Annotated[str, _Id, Query(alias="from")],
    callee: Annotated[str, _Id, Query(alias="to")],
) -> Response:
    """Why there is no edge, or fewer calls than expected: the unmatched halves of calls by reason, with examples."""
    ends = End(caller), End(callee)
    times = window.start_minute * MINUTE_NS, window.end_minute * MINUTE_NS
    found = await ask(lambda queries, budget: explain(queries, budget, ends, times))
    edges = _edges(parts.graphs.table(Asked(window, unknown=True)), *ends)
    counted = _counted(parts.derived.counts, window, *ends)
    answer: dict[str, Any] = {"window": window.as_dict(), "from": caller, "to": callee, "edges": edges}
    answer["counted"] = counted
    return Json(answer | found._asdict())


def _edges(table: GraphTable, caller: End, callee: End) -> dict[str, int]:
    """The calls of the edges that are there, by id."""
    callers: list[int] = table.caller.tolist()
    callees: list[int] = table.callee.tolist()
    calls: list[int] = table.edges.calls.tolist()
    fits = [caller.fits(node) for node in table.nodes], [callee.fits(node) for node in table.nodes]
    rows = zip(callers, callees, calls, strict=True)
    return {f"{table.ids[a]}->{table.ids[b]}": n for a, b, n in rows if fits[0][a] and fits[1][b]}


def _counted(table: EdgeCountTable, window: Window, caller: End, callee: End) -> int:
    """Calls that the callees' agents counted, else those that the callers' did."""
    sides: Counter[str] = Counter()
    for minute in table.minutes(*window):
        counts = table.between(minute, minute + 1)
        fitting = [caller.fits(row.caller.node) and callee.fits(row.callee.node) for row in counts.rows]
        chosen = np.array(fitting, np.bool_)[counts.row] & (counts.cell != POINTS)
        rows: list[int] = counts.row[chosen].tolist()
        for number, calls in zip(rows, counts.value[chosen].tolist(), strict=True):
            sides[counts.rows[number].side] += calls
    return sides["callee"] or sides["caller"]
