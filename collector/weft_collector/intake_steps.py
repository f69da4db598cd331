"""The two halves of the way behind the door, each the work of one thread: writing, and deriving.

`Writer` makes groups of waiting bodies durable; `Deriver` applies them and answers. What they promise each
other, and why they are two, stands in `intake.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from weft_collector.errors import RefusedBody, StorageFailed
from weft_collector.intake_queue import Accepted, Answers, BodyQueue, Waiting
from weft_collector.store.ports import Position, Record, RecordKind, SpanLog
from weft_collector.telemetry import Telemetry
from weft_collector.transcoding import to_protobuf
from weft_collector.wire import edge_counts
from weft_collector.wire.columns import Decoded
from weft_collector.wire.compression import inflate
from weft_collector.wire.edge_counts import EdgeCounts
from weft_collector.wire.limits import RULES, Limits

__all__ = ["Decodes", "Deriver", "Derives", "Durable", "IntakeOptions", "Writer"]

_SECOND_NS: Final = 1_000_000_000
# A group gathers no longer than this: a stream of bodies that are bad, and so add nothing to the group, must
# not keep the good ones in it waiting.
_GROUP_NS: Final = 50_000_000


class Decodes(Protocol):
    """Turns a body into columns; called by one thread at a time."""

    def decode(self, body: bytes, arrived_ns: int, rules: int = RULES) -> Decoded:
        """Decode an inflated body; the same body, arrival and rules give the same spans.

        Raises:
            RefusedBody: The body is not what it claims to be.
        """
        ...


Content = Decoded | EdgeCounts
"""What is read out of a body: spans or edge counts."""


class Derives(Protocol):
    """Everything that follows from the log; changed by one thread at a time."""

    def apply(self, decoded: Decoded, record_position: Position, arrived_ns: int) -> None:
        """Take in a body's spans; called once for each record, in the order of the log."""
        ...

    def apply_counts(self, counted: EdgeCounts, record_position: Position, arrived_ns: int) -> None:
        """Take in a body's edge counts, likewise."""
        ...

    def age(self, now_ns: int) -> None:
        """Decide what has waited long enough; called about once a second."""
        ...

    @property
    def through(self) -> int:
        """The last log file whose spans are sealed: its records change nothing any more."""
        ...

    @property
    def sealed_spans(self) -> int:
        """How many spans the sealed files hold."""
        ...

    def resume(self) -> int:
        """Get ready for the log to be read again; the number of the first log file to read."""
        ...

    def resumed(self) -> None:
        """The log has been read to its end; what comes now is in files of this process."""
        ...

    def stop(self) -> None:
        """Nothing comes any more."""
        ...


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """The intake's clock and bounds.

    Attributes:
        clock_ns: The time in ns since the epoch, as `time.time_ns`; bodies are stamped with it.
        limits: Bounds of a single body.
        in_flight_bytes: Bytes of all bodies held; beyond that, new ones are refused with IntakeFull.
        group_bytes: Inflated bytes after which a group is closed.
        tick_seconds: How long idle threads sleep at most.
    """

    clock_ns: Callable[[], int]
    limits: Limits = field(default_factory=Limits)
    in_flight_bytes: int = 64 << 20
    group_bytes: int = 8 << 20
    tick_seconds: float = 1.0


class _Ready(NamedTuple):
    """A body that was read, on its way into the log."""

    waiting: Waiting
    record: Record
    content: Content


class Durable(NamedTuple):
    """A body that is in the log; its bytes are let go of, what was read out of it is not yet applied."""

    waiting: Waiting
    position: Position
    content: Content


class Writer:
    """Inflates, decodes, appends and syncs; answers only who is refused.

    Args:
        log: Where bodies become durable.
        decoder: Used by this object's thread only.
        queue: Where bodies wait.
        answers: Where refusals go.
        options: Clock and bounds.
    """

    def __init__(
        self, log: SpanLog, decoder: Decodes, queue: BodyQueue, answers: Answers, options: IntakeOptions
    ) -> None:
        self._log = log
        self._decoder = decoder
        self._queue = queue
        self._answers = answers
        self._options = options

    def next_group(self) -> list[Durable]:
        """Make what waits durable, up to a bound; empty when nothing came for a while, or all was refused."""
        group = self._gather()
        return self._commit(group) if group else []

    def _gather(self) -> list[_Ready]:
        group: list[_Ready] = []
        size = 0
        waiting = self._queue.take(self._options.tick_seconds)
        close_ns = self._options.clock_ns() + _GROUP_NS
        while waiting is not None:
            self._answers.owe(waiting)
            ready = self._prepare(waiting)
            if ready is not None:
                group.append(ready)
                size += len(ready.record.body)
            more = size < self._options.group_bytes and self._options.clock_ns() < close_ns
            waiting = self._queue.take(0) if more else None
        return group

    def _prepare(self, waiting: Waiting) -> _Ready | None:
        """Inflate and decode; None if that already gave the answer."""
        if waiting.gone:
            self._answers.drop(waiting)
            return None
        try:
            sent = inflate(waiting.body, waiting.encoding, self._options.limits.inflated_bytes)
            ready = self._read(waiting, sent)
        except RefusedBody as error:
            self._answers.give([(waiting, error)])
            return None
        if not _parts(ready.content):
            self._answers.give([(waiting, Accepted(0, ready.content.rejected))])
            return None
        return ready

    def _read(self, waiting: Waiting, sent: bytes) -> _Ready:
        """Read an inflated body."""
        content: Content
        if waiting.kind is RecordKind.EDGE_COUNTS:
            body, rules = sent, edge_counts.RULES
            content = edge_counts.read(body, waiting.arrived_ns)
        else:
            body, rules = to_protobuf(sent, waiting.transport), RULES
            content = self._decoder.decode(body, waiting.arrived_ns)
        rejected = sum(count for _, count in content.rejected)
        record = Record(waiting.kind, waiting.arrived_ns, waiting.transport, body, rules, rejected)
        return _Ready(waiting, record, content)

    def _commit(self, group: list[_Ready]) -> list[Durable]:
        try:
            positions = self._log.append([ready.record for ready in group])
            self._log.sync()
        except StorageFailed as error:
            # Each gets an exception of its own: raised in several tasks, one would gather all their
            # tracebacks.
            self._answers.give([(r.waiting, StorageFailed(str(error), error.retry_after)) for r in group])
            return []
        return [Durable(r.waiting, at, r.content) for r, at in zip(group, positions, strict=True)]


class Deriver:
    """Applies what is durable, in the order of the log, and answers; or does the same from the log alone.

    Args:
        derived: Changed by this object's thread only.
        decoder: Used in `apply_again` only, before any `Writer` runs.
        answers: Where acceptances go.
        telemetry: Where everything is counted.
    """

    def __init__(self, derived: Derives, decoder: Decodes, answers: Answers, telemetry: Telemetry) -> None:
        self._derived = derived
        self._answers = answers
        self._telemetry = telemetry
        self._aged_ns = 0
        self._readers: dict[int, Callable[[bytes, int, int], Content]] = {
            RecordKind.SPANS: decoder.decode,
            RecordKind.EDGE_COUNTS: edge_counts.read,
        }

    def apply(self, group: list[Durable]) -> None:
        """Apply a group and answer its senders."""
        for waiting, position, content in group:
            self._apply(content, position, waiting.arrived_ns)
        self._telemetry.count("groups_committed")
        self._answers.give([(d.waiting, Accepted(_parts(d.content), d.content.rejected)) for d in group])

    def age(self, now_ns: int) -> None:
        """Let time pass, about once a second."""
        if abs(now_ns - self._aged_ns) >= _SECOND_NS:  # also when the clock was set back
            self._aged_ns = now_ns
            self._derived.age(now_ns)

    def apply_again(self, position: Position, record: Record) -> int:
        """Derive from a record of the log; the number of its spans."""
        reader = self._readers.get(record.kind)
        if reader is None:
            self._telemetry.count("replay_skipped", "unknown_kind")
            return 0
        try:
            content = reader(record.body, record.arrived_ns, record.limits)
        except RefusedBody:
            self._telemetry.count("replay_skipped", "undecodable")
            return 0
        if sum(count for _, count in content.rejected) != record.rejected:
            self._telemetry.count("replay_differs")
        self._apply(content, position, record.arrived_ns)
        self.age(record.arrived_ns)
        return 0 if isinstance(content, EdgeCounts) else _parts(content)

    def _apply(self, content: Content, position: Position, arrived_ns: int) -> None:
        if isinstance(content, EdgeCounts):
            self._derived.apply_counts(content, position, arrived_ns)
        else:
            self._derived.apply(content, position, arrived_ns)


def _parts(content: Content) -> int:
    """How many spans or points were kept."""
    return len(content.points) if isinstance(content, EdgeCounts) else len(content.spans.span_id)
