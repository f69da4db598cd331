"""`/api/v1/export/calls`: one row a call, streamed as it is written."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from weft_collector.api.deps import AskedWindow, GivenParts, require_ready
from weft_collector.api.documents import PROBLEMS, TABLES
from weft_collector.errors import BadQuery
from weft_collector.export.calls import FORMATS, export_calls

__all__ = ["router"]

router: Final = APIRouter(
    prefix="/api/v1/export", tags=["Traces"], dependencies=[Depends(require_ready)], responses=PROBLEMS
)


@router.get("/calls", response_class=Response, responses={200: TABLES})
def calls(
    parts: GivenParts,
    window: AskedWindow,
    name: Annotated[str, Query(alias="format", description=f"One of {', '.join(FORMATS)}.")] = "csv",
) -> Response:
    """Every call of the window that is still held span by span; its rows sum to the graph's edges."""
    if name not in FORMATS:
        raise BadQuery(f"format={name[:40]!r} is not known: {', '.join(FORMATS)}.")
    headers = {"content-disposition": f'attachment; filename="calls.{FORMATS[name].suffix}"'}
    content = export_calls(parts.derived, window, name)
    return StreamingResponse(content, media_type=FORMATS[name].media_type, headers=headers)
