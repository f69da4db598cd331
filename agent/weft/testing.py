"""The test kit: an agent without clock, chance, threads and network.

reporter = RecordingReporter()
agent = weft.Agent(service="cart", parts=reporter.parts())
...
assert [span.name for span in reporter.spans] == ["GET /cart"]
"""

from collections.abc import Iterable, Mapping

from weft.agent import Parts
from weft.reply import Outcome
from weft.settings import Settings
from weft.span import Span


class ManualClock:
    """A clock that moves only when it is told to; nanoseconds since the epoch."""

    def __init__(self, now: int = 1_700_000_000_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        """Return the time that was set."""
        return self.now

    def advance(self, nanoseconds: int) -> None:
        """Move the clock."""
        self.now += nanoseconds


class SequentialIds:
    """Ids that count up from one."""

    def __init__(self) -> None:
        self._traces = self._spans = 0

    def trace_id(self) -> int:
        """Return the next trace id."""
        self._traces += 1
        return self._traces

    def span_id(self) -> int:
        """Return the next span id."""
        self._spans += 1
        return self._spans


class RecordingReporter:
    """Keeps finished spans in `spans`, in the order of their ends."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.closed = False

    def parts(self, clock: ManualClock | None = None) -> Parts:
        """Return the parts of an agent that reports here, with ids that count up and a clock that stands."""
        return Parts(clock or ManualClock(), SequentialIds, self._for)

    def _for(self, _settings: Settings) -> "RecordingReporter":
        return self

    def report(self, span: Span) -> None:
        """Keep a finished span."""
        self.spans.append(span)

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - the contract's signature
        """Return True: nothing is ever on its way."""
        return True

    def shutdown(self, timeout: float) -> bool:  # noqa: ARG002 - the contract's signature
        """Note that the agent was ended."""
        self.closed = True
        return True

    def abandon(self) -> None:
        """Forget the parent's spans in the child of a fork."""
        self.spans = []

    @property
    def dropped(self) -> Mapping[str, int]:
        """Return nothing: no span is lost here."""
        return {}


class MemoryTransport:
    """Keeps bodies instead of sending them, and answers as it is told.

    Args:
        outcomes: the answers to the first bodies; then every body is delivered.
    """

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self.bodies: list[bytes] = []
        self.closed = 0
        self._outcomes = list(outcomes)

    def send(self, body: bytes, timeout: float) -> Outcome:  # noqa: ARG002 - the contract's signature
        """Answer; a delivered body is kept in `bodies`."""
        outcome = self._outcomes.pop(0) if self._outcomes else Outcome(delivered=True)
        if outcome.delivered:
            self.bodies.append(body)
        return outcome

    def close(self) -> None:
        """Count the closes."""
        self.closed += 1
