"""What routes are given: the parts, and the certainty that the collector is ready.

What is given is made by coroutines that await nothing: for a plain function FastAPI takes a thread, which costs more
than most of them do.
"""

from collections.abc import Callable
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Query, Request

from weft_collector.api.graphs import Asked
from weft_collector.api.parts import Parts
from weft_collector.api.waiting import in_thread
from weft_collector.api.window import WindowQuery, window_query
from weft_collector.graph.snapshot import Window
from weft_collector.query.caller import Caller
from weft_collector.query.catalog import Budget
from weft_collector.query.queries import Queries

__all__ = [
    "AskedGraph",
    "AskedWindow",
    "GivenAsk",
    "GivenParts",
    "GivenQuery",
    "ShowUnknown",
    "parts_of",
    "require_ready",
]


T = TypeVar("T")


async def parts_of(request: Request) -> Parts:
    """The parts that the app was made from."""
    parts: Parts = request.app.state.parts
    return parts


GivenParts = Annotated[Parts, Depends(parts_of)]


class Ask(Protocol):
    """Has something be searched in a thread, within the bounds of searches, for as long as the client waits."""

    async def __call__(self, work: Callable[[Queries, Budget], T], /) -> T:
        """What `work` returns."""
        ...


async def _ask(request: Request, parts: GivenParts) -> Ask:
    async def ask(work: Callable[[Queries, Budget], T], /) -> T:
        def searched(caller: Caller) -> T:
            with parts.queries.budget(caller) as budget:
                return work(parts.queries, budget)

        return await in_thread(request.receive, searched)

    return ask


GivenAsk = Annotated[Ask, Depends(_ask)]
GivenQuery = Annotated[WindowQuery, Depends(window_query)]
ShowUnknown = Annotated[
    bool, Query(description="Also show calls whose caller never reported; they are in no total.")
]


async def require_ready(parts: GivenParts) -> None:
    """Answer 503 while the log is being read again: a graph of half the log would look like the truth."""
    parts.lifecycle.require_ready()


async def _window(parts: GivenParts, query: GivenQuery) -> Window:
    return query.at(parts.clock_ns())


AskedWindow = Annotated[Window, Depends(_window)]


async def _asked(window: AskedWindow, unknown: ShowUnknown = False) -> Asked:
    return Asked(window, unknown)


AskedGraph = Annotated[Asked, Depends(_asked)]
