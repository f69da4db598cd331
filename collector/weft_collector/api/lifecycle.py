"""What the collector is doing: starting, ready, failed or stopping.

Starting takes a while: kernels are compiled at the very first start, and the log is read again at every
one. The port is open meanwhile, so that senders are told to come back (503) instead of finding nobody.
"""

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

from weft_collector.errors import CollectorError, NotReady

__all__ = ["Lifecycle", "Report", "Startable", "State"]

_RETRY_SECONDS: Final = 2.0

Report = Callable[[str], None]
"""Is told what is being done, in a few words; raises NotReady when it should be given up."""


class State(StrEnum):
    """Where the collector is in its life."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    STOPPING = "stopping"


class Startable(Protocol):
    """What takes spans in; see Intake."""

    def replay(self, progress: Callable[[int], None]) -> int:
        """Read the log again, telling how many spans were read so far; the number of all."""
        ...

    def start(self) -> None:
        """Take bodies from now on."""
        ...

    def stop(self) -> None:
        """Finish what was taken; safe twice, and safe without start."""
        ...


class Lifecycle:
    """Starts and stops the collector; every method may be called from any thread.

    Args:
        intake: Replayed and started.
        warm: Prepares the kernels, before that.
        listener: Is told of every change of state and of progress, by the thread that starts.

    Attributes:
        spans_read: Spans read from the log at the start.
        error: Why the start failed, or None.
    """

    def __init__(
        self,
        intake: Startable,
        warm: Callable[[Report], None],
        listener: Callable[[State, str], None] | None = None,
    ) -> None:
        self._intake = intake
        self._warm = warm
        self._listener = listener
        self._lock = threading.Lock()
        self._state = State.STARTING
        self._progress = "starting"
        self.spans_read = 0
        self.error: CollectorError | None = None

    @property
    def state(self) -> State:
        """Where it is now."""
        return self._state

    @property
    def progress(self) -> str:
        """What is being done, in a few words."""
        return self._progress

    def start(self) -> None:
        """Prepare everything and take spans; returns when that is done, or given up for `stopping`.

        Raises:
            CollectorError: It failed; `state` is FAILED then and `error` the reason.
        """
        try:
            self._warm(self._report)
            self.spans_read = self._intake.replay(self._report_spans)
            self._intake.start()
            self._enter(State.READY, "ready")
        except NotReady:
            return
        except CollectorError as error:
            self.error = error
            raise
        finally:
            if self._state is State.STARTING:
                self._enter(State.FAILED, str(self.error or "by a defect"))

    def fail(self, error: CollectorError) -> None:
        """Give the start up before it began."""
        self.error = error
        self._enter(State.FAILED, str(error))

    def stopping(self) -> None:
        """Take nothing more: a start under way ends at its next report, open streams at their next look."""
        self._enter(State.STOPPING, "stopping")

    def stop(self) -> None:
        """Finish what was taken and stop; safe twice."""
        self.stopping()
        self._intake.stop()

    def require_ready(self) -> None:
        """Return if spans and queries can be served.

        Raises:
            NotReady: Not yet, or no longer.
        """
        if self._state is not State.READY:
            raise NotReady(f"The collector is {self._state}: {self._progress}.", _RETRY_SECONDS)

    def _report(self, text: str) -> None:
        if self._state is State.STOPPING:
            raise NotReady("The collector is stopping.")
        self._progress = text
        self._tell()

    def _report_spans(self, spans: int) -> None:
        self._report(f"reading the log, {spans:,} spans so far")

    def _enter(self, state: State, progress: str) -> None:
        with self._lock:
            if self._state is State.STOPPING:
                return
            self._state, self._progress = state, progress
        self._tell()

    def _tell(self) -> None:
        if self._listener is not None:
            self._listener(self._state, self._progress)
