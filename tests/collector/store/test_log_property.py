"""Any history of appends, syncs, restarts, crashes and failures equals a list of what was acknowledged."""

from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.collector.store.logs import contents, open_log
from weft_collector.errors import StorageFailed
from weft_collector.store.log import LogOptions
from weft_collector.store.ports import Record
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles

BODIES = st.lists(
    st.one_of(st.binary(max_size=60), st.integers(0, 3_000).map(lambda n: b"ab" * n)), min_size=1, max_size=6
)
STEPS = st.sampled_from(["write", "sync", "create", "sync_folder", "truncate", "remove"])


class LogMachine(RuleBasedStateMachine):
    @initialize(file_bytes=st.integers(1, 2_000), block_bytes=st.integers(1, 1_000))
    def start(self, file_bytes, block_bytes):
        self.options = LogOptions(file_bytes, block_bytes, 0, 4_000)
        self.disk, self.telemetry = ForgetfulFiles(), Telemetry()
        self.log = open_log(self.disk, self.options, self.telemetry)
        self.durable, self.pending, self.refused = [], [], set()
        self.refused_shown = False
        self.number = 0

    @rule(bodies=BODIES)
    def append(self, bodies):
        records = []
        for body in bodies:
            self.number += 1
            records.append(Record(1, self.number, 1, body))
        try:
            positions = self.log.append(records)
        except StorageFailed:
            self.refuse(records)
            return
        self.pending += zip(positions, records, strict=True)

    def refuse(self, records):
        self.refused |= {r.arrived_ns for r in [*records, *(record for _, record in self.pending)]}
        self.pending = []

    @rule()
    def sync(self):
        try:
            self.log.sync()
        except StorageFailed:
            self.refuse([])
            return
        self.durable += self.pending
        self.pending = []

    @rule(kind=STEPS, nth=st.integers(1, 3))
    def fail_soon(self, kind, nth):
        self.disk.fail(kind, nth=[nth])

    @rule(kept=st.integers(0, 400), names=st.booleans())
    def crash(self, kept, names):
        self.disk.crash(kept_bytes=kept, kept_names=names)
        self.go_on()

    @rule()
    def kill(self):
        self.disk.kill()
        self.go_on()

    @rule()
    def restart(self):
        self.log.close()
        self.disk.kill()
        self.go_on()

    def go_on(self):
        """All that was acknowledged is found; what else is found counts from now on."""
        self.log = open_log(self.disk, self.options, self.telemetry)
        found = list(self.log.replay())
        # After a failed sync, what a killed process left of a refused group may be in the cache alone.
        lasting = [pair for pair in self.durable if pair[1].arrived_ns not in self.refused]
        known = set(lasting)
        assert [pair for pair in found if pair in known] == lasting
        self.refused_shown |= any(record.arrived_ns in self.refused for _, record in found)
        self.durable, self.pending = found, []

    @invariant()
    def the_log_equals_the_list(self):
        assert contents(self.log) == [record for _, record in self.durable]
        assert self.refused_shown or self.telemetry.value("log_blocks_lost") == 0

    @rule(at=st.integers(0, 10_000), offset=st.integers(0, 50), length=st.integers(0, 50))
    def read(self, at, offset, length):
        if self.durable:
            position, record = self.durable[at % len(self.durable)]
            offset = min(offset, len(record.body))
            length = min(length, len(record.body) - offset)
            assert self.log.read(position, offset, length) == record.body[offset : offset + length]

    def teardown(self):
        with suppress(AttributeError):
            self.log.close()


class TestAnyHistory(LogMachine.TestCase):
    settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@pytest.mark.long
class TestManyHistories(LogMachine.TestCase):
    settings = settings(max_examples=5_000, stateful_step_count=40, deadline=None)
