"""The one door for every transport: a body goes in, and the answer comes when it is durable and counted.

Bodies wait in a queue that is bounded in bytes (`intake_queue.py`). One thread, `weft-writer`, takes whatever
waits as one group: inflates and decodes each body, appends the good ones to the log, syncs once, applies them
to the derived state in the order of the log, and answers. While it syncs, the next group gathers; so the
busier the intake, the larger the groups.

What holds at every moment:

- An answer "accepted" means: on the disk, and visible to the next query.
- Derived state is what `replay` would make of the log: nothing is applied that is not durable, and nothing
  that is durable is left out, in the order of the log.
- A bad body fails alone. A failing disk fails the whole group, and nothing of it is applied.
- Bytes in flight are the bytes of bodies held: counted from `submit` until the writer has let go of them,
  also when the sender has gone meanwhile.
- The writer changes all state by itself; the event loop only hands over and waits.

If the writer dies of a defect, waiting and later bodies are refused as NotReady instead of hanging, and the
defect goes to `threading.excepthook` like that of any thread.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from weft_collector.errors import BodyTooLarge, CollectorError, NotReady, RefusedBody, StorageFailed
from weft_collector.intake_queue import Accepted, BodyQueue, Outcome, Waiting, count_outcome, wake
from weft_collector.store.ports import Position, Record, RecordKind, SpanLog, Transport
from weft_collector.telemetry import Telemetry
from weft_collector.transcoding import to_protobuf
from weft_collector.wire.columns import Decoded
from weft_collector.wire.compression import inflate
from weft_collector.wire.limits import RULES, Limits

__all__ = ["Accepted", "Decodes", "Derives", "Intake", "IntakeOptions"]

_SECOND_NS: Final = 1_000_000_000
_PROGRESS_RECORDS: Final = 64
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


class Derives(Protocol):
    """Everything that follows from the log; changed by one thread at a time."""

    def apply(self, decoded: Decoded, record_position: Position, arrived_ns: int) -> None:
        """Take in a body's spans; called once for each record, in the order of the log."""
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
        tick_seconds: How long the idle writer sleeps at most.
    """

    clock_ns: Callable[[], int]
    limits: Limits = field(default_factory=Limits)
    in_flight_bytes: int = 64 << 20
    group_bytes: int = 8 << 20
    tick_seconds: float = 1.0


class _Ready(NamedTuple):
    """A decoded body on its way into the log."""

    waiting: Waiting
    record: Record
    decoded: Decoded


class Intake:
    """Takes bodies until it is stopped; a stopped intake stays stopped.

    Args:
        log: Where bodies become durable; the intake appends to it alone.
        decoder: Used by the thread that replays, then by the writer only.
        derived: Changed by the same threads.
        telemetry: Where everything is counted.
        options: Clock and bounds.
    """

    def __init__(
        self, log: SpanLog, decoder: Decodes, derived: Derives, telemetry: Telemetry, options: IntakeOptions
    ) -> None:
        self._log = log
        self._decoder = decoder
        self._derived = derived
        self._telemetry = telemetry
        self._options = options
        self._queue = BodyQueue(options.in_flight_bytes)
        self._thread: threading.Thread | None = None
        self._taken: set[Waiting] = set()  # off the queue, not answered
        self._aged_ns = 0

    @property
    def ready(self) -> bool:
        """Whether bodies are being taken."""
        return self._queue.open and self._thread is not None and self._thread.is_alive()

    @property
    def in_flight_bytes(self) -> int:
        """Bytes of the bodies held now."""
        return self._queue.in_flight

    def start(self) -> None:
        """Start the writer; safe twice, without effect after `stop`."""
        if self._thread is None and not self._queue.ended:
            self._queue.open = True
            self._thread = threading.Thread(target=self._write, name="weft-writer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Refuse new bodies, finish those that wait, and end the writer; safe twice and without start."""
        self._queue.end()
        if self._thread is not None:
            self._thread.join()
        self._derived.stop()

    def replay(self, progress: Callable[[int], None]) -> int:
        """Rebuild the derived state from the log; to be called before `start`.

        Args:
            progress: Is told, now and then and at the end, how many spans have been read.

        Returns:
            How many spans the log held, those of sealed files included.
        """
        first, spans = self._derived.resume(), self._derived.sealed_spans
        for number, (position, record) in enumerate(self._log.replay(first), start=1):
            read = self._apply_again(position, record)
            spans += read if position.file > self._derived.through else 0
            if number % _PROGRESS_RECORDS == 0:
                progress(spans)
        self._derived.resumed()
        progress(spans)
        return spans

    async def submit(
        self, body: bytes, encoding: str | None, transport: Transport = Transport.HTTP_PROTOBUF
    ) -> Accepted:
        """Hand a body in, and wait until it is durable and visible.

        Cancelling takes nothing back: a body that the writer has begun with may be kept.

        Args:
            body: The body as sent.
            encoding: Its content-encoding, None for none.
            transport: The door it came through.

        Raises:
            RefusedBody: The body is too large, or cannot be inflated or decoded.
            Unavailable: The intake is full or not running, or the storage failed; to be sent again later.
        """
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        waiting = Waiting(body, encoding, transport, self._options.clock_ns(), future)
        try:
            self._check_size(len(body))
            self._queue.put(waiting)
        except CollectorError as error:
            count_outcome(self._telemetry, waiting, error)
            raise
        try:
            return await future
        finally:
            waiting.gone = future.cancelled()

    def _check_size(self, size: int) -> None:
        limit = self._options.limits.body_bytes
        if size > limit:
            raise BodyTooLarge(f"The body has {size} bytes; {limit} are allowed. Send smaller batches.")

    # ---- the writer

    def _write(self) -> None:
        try:
            while not self._queue.done:
                self._commit(self._gather())
                self._age(self._options.clock_ns())
        finally:
            self._queue.end()
            self._taken.update(self._queue.drain())
            self._answer([(w, NotReady("The collector has stopped taking spans.")) for w in self._taken])

    def _gather(self) -> list[_Ready]:
        """The next group: what waits, up to a bound; empty when nothing came for a while."""
        group: list[_Ready] = []
        size = 0
        waiting = self._queue.take(self._options.tick_seconds)
        close_ns = self._options.clock_ns() + _GROUP_NS
        while waiting is not None:
            self._taken.add(waiting)
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
            self._telemetry.count("bodies_abandoned", "unread")
            self._let_go(waiting)
            return None
        try:
            sent = inflate(waiting.body, waiting.encoding, self._options.limits.inflated_bytes)
            body = to_protobuf(sent, waiting.transport)
            decoded = self._decoder.decode(body, waiting.arrived_ns)
        except RefusedBody as error:
            self._answer([(waiting, error)])
            return None
        if not len(decoded.spans.span_id):
            self._answer([(waiting, Accepted(0, decoded.rejected))])
            return None
        rejected = sum(count for _, count in decoded.rejected)
        record = Record(RecordKind.SPANS, waiting.arrived_ns, waiting.transport, body, RULES, rejected)
        return _Ready(waiting, record, decoded)

    def _commit(self, group: list[_Ready]) -> None:
        if not group:
            return
        try:
            positions = self._log.append([ready.record for ready in group])
            self._log.sync()
        except StorageFailed as error:
            # Each gets an exception of its own: raised in several tasks, one would gather all their
            # tracebacks.
            self._answer([(r.waiting, StorageFailed(str(error), error.retry_after)) for r in group])
            return
        for ready, position in zip(group, positions, strict=True):
            self._derived.apply(ready.decoded, position, ready.record.arrived_ns)
        self._telemetry.count("groups_committed")
        self._answer([(r.waiting, Accepted(len(r.decoded.spans.span_id), r.decoded.rejected)) for r in group])

    def _age(self, now_ns: int) -> None:
        if abs(now_ns - self._aged_ns) >= _SECOND_NS:  # also when the clock was set back
            self._aged_ns = now_ns
            self._derived.age(now_ns)

    def _apply_again(self, position: Position, record: Record) -> int:
        """Derive from a record of the log; the number of its spans."""
        if record.kind != RecordKind.SPANS:
            self._telemetry.count("replay_skipped", "unknown_kind")
            return 0
        try:
            decoded = self._decoder.decode(record.body, record.arrived_ns, record.limits)
        except RefusedBody:
            self._telemetry.count("replay_skipped", "undecodable")
            return 0
        if sum(count for _, count in decoded.rejected) != record.rejected:
            self._telemetry.count("replay_differs")
        self._derived.apply(decoded, position, record.arrived_ns)
        self._age(record.arrived_ns)
        return len(decoded.spans.span_id)

    # ---- answers

    def _answer(self, outcomes: list[tuple[Waiting, Outcome]]) -> None:
        """Count, let go of the bodies, and wake the senders."""
        for waiting, outcome in outcomes:
            count_outcome(self._telemetry, waiting, outcome)
            self._let_go(waiting)
        self._telemetry.count("bodies_abandoned", "unanswered", wake(outcomes))

    def _let_go(self, waiting: Waiting) -> None:
        self._taken.discard(waiting)
        self._queue.release(waiting.weight)
