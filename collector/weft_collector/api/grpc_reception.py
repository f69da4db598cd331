"""Messages that are being received over gRPC: bounded in time, and in number.

gRPC core collects a message and says nothing of it before it is whole, so the bytes of half a message cannot
be counted as `receiving.Budget` counts those of HTTP. What bounds them is their number: at most `places`
messages are received at a time, each no larger than core's limit; a call without a place gets no more than
its small window from core. When all places are taken, the message that has been coming for the longest is
given up, not the new one refused: an honest message takes milliseconds, so it is the trickling ones that go,
and however many of them there are, a good sender gets in.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from weft_collector.api.errors import TooSlow
from weft_collector.errors import IntakeFull

__all__ = ["Reception"]

_T = TypeVar("_T")


class Reception:
    """The places for messages that are being received. For one event loop.

    Args:
        places: Most messages at a time.
        seconds: Time for a whole message.
    """

    def __init__(self, places: int, seconds: float) -> None:
        self._places = places
        self._seconds = seconds
        self._coming: dict[asyncio.Timeout, None] = {}  # the one that began first is first

    async def take(self, read: Callable[[], Awaitable[_T]]) -> _T:
        """What `read` gives.

        Raises:
            TooSlow: It did not come in time.
            IntakeFull: It was given up, for others that came later.
        """
        deadline = asyncio.timeout(self._seconds)
        try:
            async with deadline:
                self._enter(deadline)
                return await read()
        except TimeoutError:
            raise self._reason(deadline) from None
        finally:
            self._coming.pop(deadline, None)

    def _enter(self, deadline: asyncio.Timeout) -> None:
        while len(self._coming) >= self._places:
            self._give_up(next(iter(self._coming)))
        self._coming[deadline] = None

    def _give_up(self, deadline: asyncio.Timeout) -> None:
        del self._coming[deadline]
        if not deadline.expired():
            deadline.reschedule(0)

    def _reason(self, deadline: asyncio.Timeout) -> TooSlow | IntakeFull:
        if deadline in self._coming:
            return TooSlow(f"The message was not complete after {self._seconds:g} s.")
        return IntakeFull(
            f"{self._places} messages were being received, and this one for the longest time; "
            "send it again later."
        )
