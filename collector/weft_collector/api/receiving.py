"""A request's body, taken in within limits of size, time and memory."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.types import Receive

from weft_collector.api.errors import TooSlow
from weft_collector.errors import BodyTooLarge, IntakeFull

__all__ = ["Budget", "Receiver", "SenderGone"]


class SenderGone(Exception):  # noqa: N818 - an event: nobody is left to be told of an error
    """The sender closed the connection before its body was complete."""


class Budget:
    """Bytes of all bodies that are being received or wait for their answer. For one event loop.

    Args:
        limit: Most bytes at a time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    @contextmanager
    def share(self) -> Generator["Share"]:
        """One body's share, given back at the end whatever happens."""
        share = Share(self)
        try:
            yield share
        finally:
            self.used -= share.taken


class Share:
    """What one body has taken of the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.taken = 0

    def take(self, size: int) -> None:
        """Take `size` bytes more, or raise IntakeFull."""
        if self._budget.used + size > self._budget.limit:
            raise IntakeFull(
                f"More than {self._budget.limit} bytes are on their way in; send it again later."
            )
        self._budget.used += size
        self.taken += size


class Receiver:
    """Takes bodies in.

    Args:
        limit: Largest body in bytes.
        seconds: Time for the whole body, from its first look to its last byte: a sender that trickles bytes
        holds
            a connection no longer than this.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds

    async def body(self, headers: Headers, receive: Receive, share: Share) -> bytes:
        """The whole body.

        Raises:
            BodyTooLarge: It is announced larger than the limit, or becomes larger.
            TooSlow: It did not come in time.
            IntakeFull: The budget is used up.
            SenderGone: The sender closed the connection.
        """
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self._limit:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(receive, share)
        except TimeoutError:
            raise TooSlow(f"The body was not complete after {self._seconds:g} s.") from None

    async def _read(self, receive: Receive, share: Share) -> bytes:
        chunks: list[bytes] = []
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise SenderGone
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
            share.take(len(chunks[-1]))
            if share.taken > self._limit:
                raise self._too_large()
        return b"".join(chunks)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(
            f"At most {self._limit} bytes are taken in one request; send fewer spans at a time."
        )
