"""Answers that take a while are made in a thread, and given up when the client closes its connection."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from weft_collector.query.caller import Caller

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(receive: Receive, work: Callable[[Caller], T]) -> T:
    """What `work` returns; it is given the client, and told there when nobody waits any more.

    Args:
        receive: Of the request, whose body has been read or is empty.
        work: Runs beside the event loop.
    """
    caller = Caller()
    watching = asyncio.create_task(_watch(receive, caller))
    try:
        return await run_in_threadpool(work, caller)
    finally:
        watching.cancel()


async def _watch(receive: Receive, caller: Caller) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    caller.leave()
