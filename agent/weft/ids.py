"""Trace and span ids: random, from a generator of the agent's own.

The host may seed Python's shared generator (many test suites do), so ids never come from it. The operating
system's generator would cost a system call for each span.
"""

import random
from functools import partial
from typing import Protocol


class Ids(Protocol):
    """Where new ids come from."""

    def trace_id(self) -> int:
        """Return a new trace id, 1 to 2**128 - 1."""
        ...

    def span_id(self) -> int:
        """Return a new span id, 1 to 2**64 - 1."""
        ...


class RandomIds:
    """Ids from a generator seeded by the operating system when the object is made.

    Both are plain C calls: a zero (once in 2**64) makes one invalid span and is not worth a check for each.
    """

    __slots__ = ("span_id", "trace_id")

    def __init__(self) -> None:
        bits = random.Random().getrandbits  # noqa: S311 - ids must be unlikely to collide, not secret
        self.trace_id = partial(bits, 128)
        self.span_id = partial(bits, 64)
