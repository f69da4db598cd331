"""Event streams: a reader is sent the graph when it changes, and when its window moves on by a minute.

Streams look at the version once a tick instead of being called by the writer: a look costs microseconds, a
burst of spans becomes one event, and the writer knows nothing of readers. The event's bytes are made once
for all readers of a window (`Graphs.event`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from weft_collector.api.graphs import Asked, Graphs
from weft_collector.api.lifecycle import Lifecycle, State
from weft_collector.errors import Unavailable

__all__ = ["Feed", "LiveAnswer", "Viewers"]

HEARTBEAT_TICKS: Final = 15
_RETRY_SECONDS: Final = 10.0
_HELLO: Final = b"retry: 2000\n\n"
_HEARTBEAT: Final = b": still here\n\n"


class Feed(NamedTuple):
    """What a stream reads.

    Attributes:
        lifecycle: The stream ends when the collector is not ready any more.
        graphs: Where events are made.
        asked_now: The graph asked for, as of now.
    """

    lifecycle: Lifecycle
    graphs: Graphs
    asked_now: Callable[[], Asked]

    async def events(self, seen: int, tick_seconds: float) -> AsyncIterator[bytes]:
        """The stream's bytes; it ends when the collector stops.

        Args:
            seen: Version that the reader has; it is sent a later one only, -1 for any.
            tick_seconds: Time between two looks.
        """
        shown = (seen, self.asked_now())
        quiet = 0
        yield _HELLO
        while self.lifecycle.state is State.READY:
            now = (self.graphs.version, self.asked_now())
            if now != shown:
                shown, quiet = now, 0
                yield await run_in_threadpool(self.graphs.event, now[1])
            elif quiet == HEARTBEAT_TICKS:
                quiet = 0
                yield _HEARTBEAT
            quiet += 1
            await asyncio.sleep(tick_seconds)


class Viewers:
    """The open streams, of which there may be so many. For one event loop.

    Args:
        most: How many.
        tick_seconds: Time between two looks at the graph.
    """

    def __init__(self, most: int, tick_seconds: float) -> None:
        self.open = 0
        self._most = most
        self._tick_seconds = tick_seconds

    def answer(self, feed: Feed, last_event_id: str | None) -> "LiveAnswer":
        """A stream as a response.

        Raises:
            Unavailable: There are too many already.
        """
        if self.open >= self._most:
            raise Unavailable(f"{self._most} dashboards are open already; close one.", _RETRY_SECONDS)
        known = last_event_id is not None and last_event_id.isdecimal()
        return LiveAnswer(self, feed.events(int(last_event_id or 0) if known else -1, self._tick_seconds))


class LiveAnswer(StreamingResponse):
    """A stream that counts as open for as long as its reader is there."""

    def __init__(self, viewers: Viewers, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        self._viewers = viewers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader goes; see ASGI."""
        self._viewers.open += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._viewers.open -= 1
