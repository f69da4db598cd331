"""The one door for every transport: a body goes in, and the answer comes when it is durable and counted.

Bodies wait in a queue that is bounded in bytes (`intake_queue.py`). Behind it two threads work one after the
other on groups of bodies (`intake_steps.py`): `weft-writer` takes whatever waits as one group, inflates and
decodes each body, appends the good ones to the log and syncs once; `weft-deriver` applies the group to the
derived state, in the order of the log, and answers. So while one group is derived the next is written, and
while that syncs, a third gathers: the busier the intake, the larger the groups.

What holds at every moment:

- An answer "accepted" means: on the disk, and visible to the next query.
- Derived state is what `replay` would make of the log: nothing is applied that is not durable, and nothing
  that is durable is left out, in the order of the log. For a group is handed over after its sync returned,
  groups cannot overtake each other, and each thread alone changes what it changes: the writer the log and the
  decoder's texts, which only ever grow, the deriver all that is derived.
- A bad body fails alone. A failing disk fails the whole group, and nothing of it is applied: nothing is
  prepared behind a group before it is durable or refused.
- Bytes in flight are the bytes of bodies held: counted from `submit` until the answer, also when the sender
  has gone meanwhile. So a slow disk and a slow derivation both show as a full queue, and as refusals.
- Three groups are under way at most: one being written, one handed over, one being derived.
- The event loop only hands over and waits.

If a thread dies of a defect, waiting and later bodies are refused as NotReady instead of hanging, and the
defect goes to `threading.excepthook` like that of any thread. What was durable by then is derived at the next
start.

Refused: preparing a group while the one before it syncs, by a third thread (the sync takes a twentieth of the
time, and refusing what stands behind a failure would be a second way to fail); see docs/adr/0004.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Final

from weft_collector.errors import BodyTooLarge, CollectorError
from weft_collector.intake_queue import Accepted, Answers, BodyQueue, Handover, Waiting, count_outcome
from weft_collector.intake_steps import Decodes, Deriver, Derives, Durable, IntakeOptions, Writer
from weft_collector.store.ports import RecordKind, SpanLog, Transport
from weft_collector.telemetry import Telemetry

__all__ = ["Accepted", "Decodes", "Derives", "Intake", "IntakeOptions"]

_PROGRESS_RECORDS: Final = 64


class Intake:
    """Takes bodies until it is stopped; a stopped intake stays stopped.

    Args:
        log: Where bodies become durable; the intake appends to it alone.
        decoder: Used by the thread that replays, then by the writer only.
        derived: Changed by the thread that replays, then by the deriver only.
        telemetry: Where everything is counted.
        options: Clock and bounds.
    """

    def __init__(
        self, log: SpanLog, decoder: Decodes, derived: Derives, telemetry: Telemetry, options: IntakeOptions
    ) -> None:
        self._log = log
        self._derived = derived
        self._telemetry = telemetry
        self._options = options
        self._queue = BodyQueue(options.in_flight_bytes)
        self._answers = Answers(self._queue, telemetry)
        self._groups = Handover[list[Durable]]()
        self._writer = Writer(log, decoder, self._queue, self._answers, options)
        self._deriver = Deriver(derived, decoder, self._answers, telemetry)
        self._threads: tuple[threading.Thread, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether bodies are being taken."""
        return self._queue.open and bool(self._threads) and all(t.is_alive() for t in self._threads)

    @property
    def in_flight_bytes(self) -> int:
        """Bytes of the bodies held now."""
        return self._queue.in_flight

    def start(self) -> None:
        """Start the threads; safe twice, without effect after `stop`."""
        if self._threads or self._queue.ended:
            return
        self._queue.open = True
        writing = threading.Thread(target=self._write, name="weft-writer", daemon=True)
        deriving = threading.Thread(target=self._derive, args=(writing,), name="weft-deriver", daemon=True)
        self._threads = (writing, deriving)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Refuse new bodies, finish those that wait, and end the threads; safe twice and without start."""
        self._queue.end()
        for thread in self._threads:
            thread.join()
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
            read = self._deriver.apply_again(position, record)
            spans += read if position.file > self._derived.through else 0
            if number % _PROGRESS_RECORDS == 0:
                progress(spans)
        self._derived.resumed()
        progress(spans)
        return spans

    async def submit(
        self,
        body: bytes,
        encoding: str | None,
        transport: Transport = Transport.HTTP_PROTOBUF,
        kind: RecordKind = RecordKind.SPANS,
    ) -> Accepted:
        """Hand a body in, and wait until it is durable and visible.

        Cancelling takes nothing back: a body that has been begun with may be kept.

        Args:
            body: The body as sent.
            encoding: Its content-encoding, None for none.
            transport: The door it came through.
            kind: What it holds; edge counts come as protobuf, and nothing else with them (`wire/metrics.py`).

        Raises:
            RefusedBody: The body is too large, or cannot be inflated or decoded.
            Unavailable: The intake is full or not running, or the storage failed; to be sent again later.
        """
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        waiting = Waiting(body, encoding, transport, self._options.clock_ns(), future, kind)
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

    # ---- the threads

    def _write(self) -> None:
        going_on = True
        try:
            while going_on and not self._queue.done:
                group = self._writer.next_group()
                going_on = not group or self._groups.put(group)
        finally:
            self._queue.end()
            self._groups.end()

    def _derive(self, writing: threading.Thread) -> None:
        try:
            while not self._groups.done:
                group = self._groups.take(self._options.tick_seconds)
                if group:
                    self._deriver.apply(group)
                self._deriver.age(self._options.clock_ns())
        finally:
            # The last to end, so that each body is answered by who has it, or here.
            self._queue.end()
            self._groups.end()
            writing.join()
            self._answers.refuse_rest("The collector has stopped taking spans.")
