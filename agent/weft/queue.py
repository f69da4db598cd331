"""The queue between the service and the sender thread: bounded by spans and by estimated bytes.

The service's side takes no lock: a span may be ended inside a garbage collection or a signal handler that
interrupts this very code, and a lock that cannot be taken there would stop the service for good.
`deque.append` is atomic. The byte estimate is not: two threads that add at once may lose one's share. So it
is set anew from what is really waiting each time the sender takes a batch, and the count of spans bounds
the queue in any case.

Losses are counted exactly, under a lock that may be taken again by its own thread; they are rare.
"""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from operator import attrgetter

from weft.span import Span

_size = attrgetter("size")


class Queue:
    """Finished spans that wait to be sent.

    Args:
        max_spans: spans that may wait.
        max_bytes: estimated bytes of memory that they may take together.
    """

    def __init__(self, max_spans: int, max_bytes: int) -> None:
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._waiting: deque[Span] = deque()
        self._bytes = 0
        self._losses: Counter[str] = Counter()
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def dropped(self) -> Mapping[str, int]:
        """Spans lost so far, by reason."""
        with self._lock:
            return dict(self._losses)

    def put(self, span: Span) -> int:
        """Add a span; how many are waiting now, or 0 if the queue was full and the span is lost."""
        size = span.size
        waiting = len(self._waiting)
        if waiting >= self._max_spans or self._bytes + size > self._max_bytes:
            self.drop("queue_full", 1)
            return 0
        self._bytes += size
        self._waiting.append(span)
        return waiting + 1

    def take(self, spans: int, size: int) -> list[Span]:
        """Take the oldest spans: at most `spans`, and about `size` bytes but at least one."""
        taken: list[Span] = []
        room = size
        while self._waiting and len(taken) < spans:
            span = self._waiting[0]
            room -= span.size
            if room < 0 and taken:
                break
            taken.append(self._waiting.popleft())
        self._bytes = sum(map(_size, self._waiting.copy()))
        return taken

    def clear(self) -> int:
        """Forget the waiting spans; how many there were."""
        return len(self.take(len(self._waiting), self._max_bytes * 2))

    def drop(self, reason: str, spans: int) -> None:
        """Count lost spans."""
        with self._lock:
            self._losses[reason] += spans
