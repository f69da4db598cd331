"""Delivering one batch: encode, send, try again while it makes sense, count what is lost.

A batch that the collector may take later is tried again after growing, jittered pauses (or the collector's
own `Retry-After`) until its budget of time is used up. The pause is kept from batch to batch, so a
collector that stays away costs one attempt per pause. The log gets one line when the collector goes away or
refuses, and one when it is back; never one per batch.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from weft.encode import Encoder
from weft.guard import say
from weft.reply import Outcome, Transport
from weft.span import Span

RETRY_BUDGET: Final = 60.0
"""Seconds for which one batch is tried again."""
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 15.0

_LINES: Final = {
    "taking": (logging.INFO, "weft: the collector takes spans again"),
    "away": (
        logging.WARNING,
        "weft: the collector cannot be reached; spans wait and are dropped when too many do (%s)",
    ),
    "refusing": (logging.WARNING, "weft: the collector refuses spans; they are lost (%s)"),
}


class Means(NamedTuple):
    """What a delivery works with."""

    transport: Callable[[], Transport]
    """Makes the transport when it is first needed."""
    drop: Callable[[str, int], None]
    """Counts lost spans by reason."""
    timeout: Callable[[], float]
    """Seconds that the next attempt may take; 0 or less when there is no time left."""
    pause: Callable[[float], bool]
    """Waits so many seconds, or less if somebody is in a hurry; False if no further attempt is wanted."""
    now: Callable[[], float]
    spread: Callable[[], float]
    """A random number in [0, 1)."""


class Delivery:
    """Delivers batches to one collector, one at a time."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._encoder = Encoder()
        self._transport: Transport | None = None
        self._state = "taking"
        self._pause = FIRST_PAUSE
        self.sent = 0
        """Spans taken by the collector so far."""

    def deliver(self, spans: Sequence[Span]) -> bool:
        """Deliver a batch; whether the collector took every span of it."""
        body = self._encoder.encode(spans)
        broken = self._encoder.dropped.pop("unencodable", 0)
        if broken:
            self._means.drop("unencodable", broken)
        if broken == len(spans):
            return False
        return self._send(body, len(spans) - broken) and not broken

    def _send(self, body: bytes, spans: int) -> bool:
        give_up = self._means.now() + RETRY_BUDGET
        while True:
            timeout = self._means.timeout()
            if timeout <= 0:
                return self._lose("shutdown", spans)
            outcome = self._attempt(body, timeout)
            if outcome.delivered:
                return self._delivered(outcome, spans)
            if not outcome.retryable:
                return self._lose("refused", spans)
            if self._means.now() >= give_up or not self._means.pause(self._next_pause(outcome)):
                return self._lose("collector_unreachable", spans)

    def _attempt(self, body: bytes, timeout: float) -> Outcome:
        if self._transport is None:
            self._transport = self._means.transport()
        outcome = self._transport.send(body, timeout)
        self._note(
            "taking" if outcome.delivered else "away" if outcome.retryable else "refusing", outcome.problem
        )
        return outcome

    def _delivered(self, outcome: Outcome, spans: int) -> bool:
        self._pause = FIRST_PAUSE
        rejected = min(outcome.rejected, spans)
        self.sent += spans - rejected
        if rejected:
            self._means.drop("rejected", rejected)
        return not rejected

    def _lose(self, reason: str, spans: int) -> bool:
        self._means.drop(reason, spans)
        return False

    def _next_pause(self, outcome: Outcome) -> float:
        pause = self._pause * (0.5 + self._means.spread())
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return (
            pause if outcome.retry_after is None else outcome.retry_after * (1 + 0.1 * self._means.spread())
        )

    def _note(self, state: str, problem: str) -> None:
        if state != self._state:
            self._state = state
            level, line = _LINES[state]
            say(level, line, *([problem] if "%s" in line else []))

    def close(self) -> None:
        """Let go of the connection."""
        if self._transport is not None:
            self._transport.close()
