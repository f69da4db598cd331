"""The sender thread: takes spans from the queue in batches and has them delivered, come what may.

Theory. The service's threads only append to the queue; everything slow happens here. The thread starts with
the first span and is a daemon, so it never keeps a process alive. One batch is on its way at a time: at
most the queue and one batch are held. It works in turns: a turn begins, takes what is waiting, delivers it,
ends. `flush` asks for a turn that begins after it was called, and so tells the truth: it is True only if
every span that was waiting or on its way at the call has been taken by the collector. It returns at its
deadline even if the thread is held up by a collector that does not answer.

Closing sets a deadline for what is left: each batch has one attempt, within the time that remains. What is
still under way at the deadline is counted as lost, whatever becomes of it.

In the child of a fork a reporter is abandoned and the agent makes another: the parent's thread does not
exist there, its locks may be held for ever, its spans are the parent's to send, and its connection must not
be used by two.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

from weft import context
from weft.delivery import Delivery, Means
from weft.guard import guarded
from weft.queue import Queue
from weft.reply import Transport
from weft.span import Span

THREAD_NAME: Final = "weft-reporter"
BATCH_BYTES: Final = 4 * 2**20
"""Estimated bytes of one batch at most."""
OWN_CHANCE: Final = random.Random().random  # noqa: S311 - jitter is no secret
"""Python's shared generator is the host's: it may be seeded, and its numbers counted on."""
SHORTEST_ATTEMPT: Final = 0.02
"""Seconds below which an attempt is not worth its start while closing."""


class Reporter(Protocol):
    """Takes the finished spans of an agent."""

    def report(self, span: Span) -> None:
        """Take a finished span. Never raises and never blocks."""
        ...

    def flush(self, timeout: float) -> bool:
        """Whether all spans taken before the call are delivered within `timeout` seconds."""
        ...

    def shutdown(self, timeout: float) -> bool:
        """Flush, then take no more; whether nothing was lost. Safe twice, and safe without a span."""
        ...

    def abandon(self) -> None:
        """In the child of a fork: forget everything, take nothing more, touch no lock of the parent."""
        ...

    @property
    def dropped(self) -> Mapping[str, int]:
        """Spans lost so far, by reason."""
        ...


class Pace(NamedTuple):
    """How much and how often the reporter sends; times in seconds."""

    queue_spans: int = 16_384
    queue_bytes: int = 32 * 2**20
    batch_spans: int = 2_048
    delay: float = 1.0
    timeout: float = 10.0


class ThreadReporter:
    """Sends spans by a thread of its own.

    Args:
        transport: makes the transport; called by the sender thread when it first has something to send.
        pace: sizes and times.
        spread: returns a random number in [0, 1), for jitter.
        now: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        transport: Callable[[], Transport],
        pace: Pace,
        spread: Callable[[], float] = OWN_CHANCE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = pace
        self._now = now
        self._means = Means(transport, self._lose, self._time_left, self._rest, now, spread)
        self._begin()

    def _begin(self) -> None:
        self._queue = Queue(self._pace.queue_spans, self._pace.queue_bytes)
        self._delivery = Delivery(self._means)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._turns = threading.Condition()
        self._begun = self._done = 0
        self._lost = 0
        self._under_way = 0
        self._deadline: float | None = None
        self._abandoned = False

    # -- the service's side

    def report(self, span: Span) -> None:
        """Take a finished span. Never raises and never blocks."""
        if self._deadline is not None:
            self._queue.drop("closed", 1)
            return
        waiting = self._queue.put(span)
        if self._thread is None:
            self._start()
        elif waiting == self._pace.batch_spans:
            self._wake.set()

    def _start(self) -> None:
        """Start the thread, unless another thread is about to, or the interpreter allows no more of them."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError:  # no thread is to be had: `shutdown` sends what is waiting
            return
        finally:
            self._starting.release()

    def flush(self, timeout: float) -> bool:
        """Whether all spans taken before the call are delivered within `timeout` seconds."""
        if self._thread is None:
            return not self._queue
        with self._turns:
            turn, lost = self._begun + 1, self._lost
            self._hurry()
            return self._turns.wait_for(lambda: self._done >= turn, max(timeout, 0)) and self._lost == lost

    def _hurry(self) -> None:
        self._urgent.set()
        self._wake.set()

    def shutdown(self, timeout: float) -> bool:
        """Flush, then take no more; whether nothing was lost. Safe twice, and safe without a span."""
        if self._deadline is not None:
            return not self._lost
        lost = self._lost
        self._deadline = self._now() + max(timeout, 0)
        thread = self._thread
        self._hurry()
        if thread is None:
            self._finish()
        elif thread is not threading.current_thread():
            thread.join(max(timeout, 0))
            self._give_up()
        return self._lost == lost

    def _give_up(self) -> None:
        """Count what is still under way or waiting at the deadline as lost."""
        with self._turns:
            spans = self._under_way + self._queue.clear()
            if spans:
                self._lose("shutdown", spans)
            self._abandoned = True

    def abandon(self) -> None:
        """In the child of a fork: forget everything, take nothing more, touch no lock of the parent."""
        self._begin()
        self._deadline = self._now()

    @property
    def dropped(self) -> Mapping[str, int]:
        """Spans lost so far, by reason."""
        return self._queue.dropped

    @property
    def sent(self) -> int:
        """Spans taken by the collector so far."""
        return self._delivery.sent

    # -- the thread's side

    def _run(self) -> None:
        context.suppress()
        while self._deadline is None:
            self._wake.wait(self._pace.delay * (0.9 + 0.2 * self._means.spread()))
            self._wake.clear()
            self._turn()
        self._finish()

    def _turn(self) -> None:
        """Deliver what is waiting when the turn begins."""
        with self._turns:
            self._begun += 1
        left = len(self._queue)
        while left > 0:
            left -= self._deliver(min(left, self._pace.batch_spans))
        with self._turns:
            self._done = self._begun
            self._turns.notify_all()

    def _deliver(self, spans: int) -> int:
        """Deliver one batch of at most so many spans; how many left the queue."""
        batch = self._queue.take(spans, BATCH_BYTES)
        self._under_way = len(batch)
        if self._guarded_delivery(batch) is None and not self._abandoned:
            self._lose("internal_error", len(batch))
        self._under_way = 0
        return max(len(batch), 1)

    @guarded
    def _guarded_delivery(self, batch: list[Span]) -> bool:
        return self._delivery.deliver(batch)

    def _finish(self) -> None:
        """Deliver what is left within the deadline; the last act of a reporter."""
        token = context.suppress()
        while self._queue:
            self._deliver(self._pace.batch_spans)
        self._delivery.close()
        with self._turns:
            self._done = self._begun + 1
            self._turns.notify_all()
        context.detach(token)

    # -- what a delivery asks for

    def _lose(self, reason: str, spans: int) -> None:
        if not self._abandoned:
            self._lost += spans
            self._queue.drop(reason, spans)

    def _time_left(self) -> float:
        if self._deadline is None:
            return self._pace.timeout
        left = 0.9 * (self._deadline - self._now())
        return min(self._pace.timeout, left) if left > SHORTEST_ATTEMPT else 0.0

    def _rest(self, seconds: float) -> bool:
        """Wait before the next attempt, shorter if somebody flushes; False once the reporter is closing."""
        if self._deadline is not None:
            return False
        self._urgent.wait(seconds)
        self._urgent.clear()
        return self._deadline is None
