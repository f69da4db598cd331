"""What routes are given: the parts, and the certainty that the collector is ready."""

from typing import Annotated

from fastapi import Depends, Query, Request

from weft_collector.api.graphs import Asked
from weft_collector.api.parts import Parts
from weft_collector.api.window import WindowQuery, window_query
from weft_collector.graph.snapshot import Window
from weft_collector.query.queries import Queries

__all__ = [
    "AskedGraph",
    "AskedWindow",
    "GivenParts",
    "GivenQueries",
    "GivenQuery",
    "ShowUnknown",
    "parts_of",
    "require_ready",
    "searchable",
]


def parts_of(request: Request) -> Parts:
    """The parts that the app was made from."""
    parts: Parts = request.app.state.parts
    return parts


GivenParts = Annotated[Parts, Depends(parts_of)]


def searchable(parts: GivenParts) -> Queries:
    """Searches over the store's tables."""
    return parts.queries


GivenQueries = Annotated[Queries, Depends(searchable)]
GivenQuery = Annotated[WindowQuery, Depends(window_query)]
ShowUnknown = Annotated[
    bool, Query(description="Also show calls whose caller never reported; they are in no total.")
]


def require_ready(parts: GivenParts) -> None:
    """Answer 503 while the log is being read again: a graph of half the log would look like the truth."""
    parts.lifecycle.require_ready()


def _window(parts: GivenParts, query: GivenQuery) -> Window:
    return query.at(parts.clock_ns())


AskedWindow = Annotated[Window, Depends(_window)]


def _asked(window: AskedWindow, unknown: ShowUnknown = False) -> Asked:
    return Asked(window, unknown)


AskedGraph = Annotated[Asked, Depends(_asked)]
