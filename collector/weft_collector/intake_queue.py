"""What crosses threads: bodies on their way in, groups on their way on, answers on their way back."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from weft_collector.errors import (
    BodyTooLarge,
    CollectorError,
    IntakeFull,
    MalformedBody,
    NotReady,
    StorageFailed,
    UnsupportedEncoding,
)
from weft_collector.store.ports import RecordKind, Transport
from weft_collector.telemetry import Telemetry

__all__ = ["Accepted", "Answers", "BodyQueue", "Handover", "Outcome", "Waiting", "count_outcome"]

T = TypeVar("T")

_BODY_OVERHEAD: Final = 1024  # what a waiting body costs beside its bytes


_REASONS: Final[dict[type[CollectorError], str]] = {
    BodyTooLarge: "too_large",
    IntakeFull: "full",
    MalformedBody: "malformed",
    NotReady: "not_ready",
    StorageFailed: "storage",
    UnsupportedEncoding: "encoding",
}


_PARTS: Final = {RecordKind.SPANS: "spans", RecordKind.EDGE_COUNTS: "edge_points"}
"""What the parts of a body are called in the counters."""


class Accepted(NamedTuple):
    """What became of a body that was taken.

    Attributes:
        spans: How many of its spans, or points of edge counts, were kept.
        rejected: Reason and number of those that were refused one by one.
    """

    spans: int
    rejected: tuple[tuple[str, int], ...]


@dataclass(slots=True, eq=False)
class Waiting:
    """A body between `submit` and its answer.

    Attributes:
        body: The body as sent.
        encoding: Its content-encoding, None for none.
        transport: The door it came through.
        arrived_ns: When it came, in ns since the epoch.
        future: Where the sender waits.
        kind: What it is in the log.
        gone: Nobody waits any more.
    """

    body: bytes
    encoding: str | None
    transport: Transport
    arrived_ns: int
    future: asyncio.Future[Accepted]
    kind: RecordKind = RecordKind.SPANS
    gone: bool = False

    @property
    def weight(self) -> int:
        """Bytes that the body counts for."""
        return len(self.body) + _BODY_OVERHEAD


Outcome = Accepted | CollectorError
_Answer = tuple[asyncio.Future[Accepted], Outcome]


class BodyQueue:
    """First in, first out, bounded by the bytes of what was put in and not yet released.

    Attributes:
        open: Bodies may be put in.
        ended: Nothing more will come.
        in_flight: Bytes put in and not yet released.
    """

    def __init__(self, limit: int) -> None:
        self.open = False
        self.ended = False
        self.in_flight = 0
        self._limit = limit
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()

    @property
    def done(self) -> bool:
        """Whether nothing waits and nothing will come."""
        return self.ended and not self._waiting

    def put(self, waiting: Waiting) -> None:
        """Add a body.

        Raises:
            NotReady: The queue is not open.
            IntakeFull: The body would not fit within the bound.
        """
        with self._changed:
            if not self.open:
                raise NotReady("The collector is starting or stopping; send this again in a moment.")
            if self.in_flight + waiting.weight > self._limit:
                raise IntakeFull(
                    f"{self.in_flight} bytes wait for the disk already; send this again in a moment."
                )
            self.in_flight += waiting.weight
            self._waiting.append(waiting)
            self._changed.notify()

    def take(self, timeout: float) -> Waiting | None:
        """The next one; None if none came within the timeout (seconds), or none will come."""
        with self._changed:
            if not self._waiting and not self.ended and timeout:
                self._changed.wait(timeout)
            return self._waiting.popleft() if self._waiting else None

    def release(self, weight: int) -> None:
        """Give back the bytes of a body that was taken."""
        with self._changed:
            self.in_flight -= weight

    def drain(self) -> list[Waiting]:
        """Take all that wait."""
        with self._changed:
            left = list(self._waiting)
            self._waiting.clear()
            return left

    def end(self) -> None:
        """Take no more bodies; those that wait can still be taken."""
        with self._changed:
            self.open, self.ended = False, True
            self._changed.notify_all()


class Handover(Generic[T]):
    """From one thread to the next, one thing at a time: who is ahead waits until the one before was taken."""

    def __init__(self) -> None:
        self._ended = False
        self._held: list[T] = []
        self._changed = threading.Condition()

    @property
    def done(self) -> bool:
        """Whether nothing is held and nothing will come."""
        return self._ended and not self._held

    def put(self, thing: T) -> bool:
        """Hand over; waits while another is held. False if it has ended, and the thing was not taken."""
        with self._changed:
            while self._held and not self._ended:
                self._changed.wait()
            if not self._ended:
                self._held.append(thing)
                self._changed.notify_all()
            return not self._ended

    def take(self, timeout: float) -> T | None:
        """What is held; None if nothing came within the timeout (seconds), or nothing will come."""
        with self._changed:
            if not self._held and not self._ended:
                self._changed.wait(timeout)
            if not self._held:
                return None
            self._changed.notify_all()
            return self._held.pop()

    def end(self) -> None:
        """Take nothing more; what is held can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Answers:
    """The answers that are owed to senders; for the threads behind the queue.

    Attributes:
        owed: Bodies that are off the queue, and not answered.
    """

    def __init__(self, queue: BodyQueue, telemetry: Telemetry) -> None:
        self.owed: set[Waiting] = set()  # each of its operations is one step to other threads
        self._queue = queue
        self._telemetry = telemetry

    def owe(self, waiting: Waiting) -> None:
        """Note that a body was taken off the queue."""
        self.owed.add(waiting)

    def give(self, outcomes: list[tuple[Waiting, Outcome]]) -> None:
        """Count, let go of the bodies, and wake the senders."""
        for waiting, outcome in outcomes:
            count_outcome(self._telemetry, waiting, outcome)
        self._let_go([waiting for waiting, _ in outcomes])
        self._telemetry.count("bodies_abandoned", "unanswered", _wake(outcomes))

    def drop(self, waiting: Waiting) -> None:
        """Let go of a body whose sender has gone."""
        self._telemetry.count("bodies_abandoned", "unread")
        self._let_go([waiting])

    def refuse_rest(self, reason: str) -> None:
        """Refuse what is owed still, and what waits; for the last thread, which has ended the queue."""
        self.owed.update(self._queue.drain())
        self.give([(waiting, NotReady(reason)) for waiting in self.owed])

    def _let_go(self, bodies: list[Waiting]) -> None:
        self.owed.difference_update(bodies)
        self._queue.release(sum(waiting.weight for waiting in bodies))


def count_outcome(telemetry: Telemetry, waiting: Waiting, outcome: Outcome) -> None:
    """Count what became of a body."""
    if isinstance(outcome, CollectorError):
        telemetry.count("bodies_refused", _REASONS.get(type(outcome), "other"))
        return
    transport = waiting.transport.name.lower()
    parts = _PARTS[waiting.kind]
    telemetry.count("bodies_accepted", transport)
    telemetry.count(f"{parts}_accepted", transport, outcome.spans)
    telemetry.count("bytes_received", amount=len(waiting.body))
    for reason, count in outcome.rejected:
        telemetry.count(f"{parts}_rejected", reason, count)


def _wake(outcomes: Iterable[tuple[Waiting, Outcome]]) -> int:
    """Give waiting senders their answers, by one call for each event loop; how many found nobody."""
    loops: dict[asyncio.AbstractEventLoop, list[_Answer]] = {}
    for waiting, outcome in outcomes:
        loops.setdefault(waiting.future.get_loop(), []).append((waiting.future, outcome))
    lost = 0
    for loop, answers in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, answers)
        except RuntimeError:  # the loop is closed
            lost += len(answers)
    return lost


def _settle(answers: list[_Answer]) -> None:
    for future, outcome in answers:
        if future.done():
            continue  # cancelled: the sender has gone
        if isinstance(outcome, CollectorError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
