"""`/api/v1/graph` and what is drawn from it. Routes are plain functions: they run beside the event loop."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Response

from weft_collector.api.answers import Json
from weft_collector.api.deps import AskedGraph, GivenParts, GivenQuery, ShowUnknown, require_ready
from weft_collector.api.documents import EVENT_STREAM, PICTURES, PROBLEMS
from weft_collector.api.graph_json import graph_json
from weft_collector.api.graphs import Asked
from weft_collector.api.live import Feed
from weft_collector.api.schemas import Graph, Layout
from weft_collector.errors import BadQuery
from weft_collector.graph.snapshot import Window
from weft_collector.render.pictures import FORMATS, Subject, picture

__all__ = ["router"]

router: Final = APIRouter(
    prefix="/api/v1/graph", tags=["Graph"], dependencies=[Depends(require_ready)], responses=PROBLEMS
)


@router.get("", responses={200: {"model": Graph, "description": "The graph."}})
def graph(parts: GivenParts, asked: AskedGraph) -> Response:
    """Nodes and edges of a window: calls, errors, rates, and the latencies that both sides measured."""
    return Response(graph_json(parts.graphs.table(asked)), media_type=Json.media_type)


@router.get("/layout", responses={200: {"model": Layout, "description": "Positions by id."}})
def layout(parts: GivenParts, asked: AskedGraph) -> Response:
    """Where the page and the pictures draw that graph, in pixels; nodes keep their places as it changes."""
    return Json(parts.graphs.layout(asked).as_dict())


@router.get("/render", response_class=Response, responses={200: PICTURES})
def render(
    parts: GivenParts,
    asked: AskedGraph,
    name: Annotated[str, Query(alias="format", description=f"One of {', '.join(FORMATS)}.")] = "svg",
) -> Response:
    """The graph as a picture, at the same positions as on the page, or as text for other programs."""
    if name not in FORMATS:
        raise BadQuery(f"format={name[:40]!r} is not known: {', '.join(FORMATS)}.")
    drawn = parts.graphs.drawn(asked)
    subject = Subject(drawn.snapshot, drawn.layout, _title(drawn.snapshot.window))
    return Response(picture(name, subject), media_type=FORMATS[name].media_type)


def _title(window: Window) -> str:
    ends = window.as_dict()
    start, end = (ends[name].replace("T", " ").removesuffix(":00Z") for name in ("start", "end"))
    return f"Calls from {start} to {end} UTC"


@router.get("/live", response_class=Response, responses={200: EVENT_STREAM})
async def live(
    parts: GivenParts,
    query: GivenQuery,
    unknown: ShowUnknown = False,
    last_event_id: Annotated[str | None, Header(description="Version that the reader has already.")] = None,
) -> Response:
    """Server-sent events: the graph with its layout, now and whenever it changes, at most once a second."""

    def asked_now() -> Asked:
        return Asked(query.at(parts.clock_ns()), unknown)

    asked_now()  # an unreadable window is refused here, before the stream begins
    return parts.viewers.answer(Feed(parts.lifecycle, parts.graphs, asked_now), last_event_id)
