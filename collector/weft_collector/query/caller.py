"""Whoever waits for an answer, and who of them is served: so that nobody is waited for who has gone."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from weft_collector.errors import CallerGone, Unavailable

__all__ = ["Caller", "Turns"]


class Caller:
    """Whoever waits for an answer; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gone = False
        self._told: list[Callable[[], None]] = []

    @property
    def gone(self) -> bool:
        """Whether nobody waits any more."""
        return self._gone

    def leave(self) -> None:
        """Nobody waits any more: what was to be told of it is told."""
        with self._lock:
            self._gone = True
            told = list(self._told)
        for tell in told:
            tell()

    def check(self) -> None:
        """Raise CallerGone if nobody waits any more."""
        if self._gone:
            raise CallerGone("Nobody waits for the answer any more.")

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Generator[None]:
        """Call `tell` once the caller leaves, at once if that is so already, as long as the context lasts."""
        with self._lock:
            self._told.append(tell)
            gone = self._gone
        if gone:
            tell()
        try:
            yield
        finally:
            with self._lock:
                self._told.remove(tell)


class Turns:
    """Lets a few run at a time.

    Args:
        at_once: How many.
        seconds: How long others wait, at most.
    """

    def __init__(self, at_once: int, seconds: float) -> None:
        self._at_once, self._seconds = at_once, seconds
        self._changed = threading.Condition()
        self._running = 0

    @contextmanager
    def turn(self, caller: Caller, busy: Unavailable) -> Generator[None]:
        """Wait for a turn, and have it.

        Raises:
            Unavailable: `busy`, if it does not come in time.
            CallerGone: Nobody waits for it any more.
        """
        with caller.telling(self._notify), self._changed:
            is_free = self._changed.wait_for(lambda: caller.gone or self._is_free, self._seconds)
            caller.check()
            if not is_free:
                raise busy
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    @property
    def _is_free(self) -> bool:
        return self._running < self._at_once

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
