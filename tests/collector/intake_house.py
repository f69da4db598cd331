"""An intake with everything around it, whose decoder and derived state are fakes that can be held up."""

import asyncio
import threading
from contextlib import contextmanager

from tests.collector.store.batches import decoded
from weft_collector.errors import MalformedBody
from weft_collector.intake import Intake, IntakeOptions
from weft_collector.store.log import Log, LogOptions
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles, ManualClock
from weft_collector.wire.limits import RULES

START = 1_700_000_000_000_000_000


class FakeDecoder:
    """A body `5` has five spans, `5-2` two more that are refused; `bad` is malformed. Can be held up."""

    def __init__(self):
        self.go = threading.Event()
        self.go.set()
        self.seen, self.rules = [], []

    def decode(self, body, arrived_ns, rules=RULES):
        assert self.go.wait(30)
        self.seen.append((body, arrived_ns))
        self.rules.append(rules)
        if body.startswith(b"bad"):
            raise MalformedBody("not what it claims to be", 0)
        count, _, rejected = body.split(b" ")[0].partition(b"-")
        return decoded(int(count), (("future_start", int(rejected)),) if rejected else ())


class FakeDerived:
    """Notes what it is given. Can be held up."""

    through = sealed_spans = 0

    def __init__(self):
        self.go = threading.Event()
        self.go.set()
        self.begun = 0
        self.applied, self.aged = [], []

    def apply(self, decoded, record_position, arrived_ns):
        self.begun += 1
        assert self.go.wait(30)
        self.applied.append((len(decoded.spans.span_id), record_position, arrived_ns))

    def resume(self):
        return 0

    def resumed(self):
        pass

    def stop(self):
        pass

    def age(self, now_ns):
        self.aged.append(now_ns)


class House:
    """An intake with everything around it."""

    def __init__(self, **options):
        self.disk, self.telemetry, self.clock = ForgetfulFiles(), Telemetry(), ManualClock(START)
        self.options = IntakeOptions(self.clock, **{"tick_seconds": 0.01, **options})
        self.open()

    def open(self):
        self.log = Log(self.disk, self.telemetry, LogOptions(floor_bytes=1_000))
        self.decoder, self.derived = FakeDecoder(), FakeDerived()
        self.intake = Intake(self.log, self.decoder, self.derived, self.telemetry, self.options)

    def submit(self, *bodies, **how):
        """Answers or errors, one for each body."""

        async def all_of_them():
            return await asyncio.gather(
                *(self.intake.submit(b, None, **how) for b in bodies), return_exceptions=True
            )

        return asyncio.run(all_of_them())

    def count(self, name, reason=None):
        return self.telemetry.value(name, reason)


@contextmanager
def running(**options):
    house = House(**options)
    house.intake.start()
    try:
        yield house
    finally:
        house.decoder.go.set()
        house.derived.go.set()
        house.intake.stop()
        house.log.close()


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - another thread makes it true, and has no event of this loop
            await asyncio.sleep(0)


async def held_up(house):
    """Stop the writer inside its next body, and give it one to stop at."""
    house.decoder.go.clear()
    first = asyncio.ensure_future(house.intake.submit(b"1 first", None))
    await until(lambda: house.intake._answers.owed)
    return first
