"""Edge counts do not depend on how they come: any split, order, encoding, repetition and restart gives one table.

The oracle knows nothing of the collector: it adds up distinct points in dictionaries, with exact integers.
"""

import asyncio
import gzip
import zlib
from collections import Counter
from typing import NamedTuple

import zstandard
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.derived import derived_over
from tests.collector.wire.count_factory import MINUTE, NOW, group, point, request
from weft_collector.api.signals import SIGNALS, Reminder, Sent, SignalIntake
from weft_collector.graph.edge_rows import POINTS
from weft_collector.graph.rollup import Bounds
from weft_collector.intake import Intake, IntakeOptions
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Transport
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles, ManualClock
from weft_collector.wire.otlp_protobuf import Decoder

ENCODINGS = {
    None: bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


class Told(NamedTuple):
    """A point as a test thinks of it."""

    instance: str
    side: str
    peer: str
    operation: str
    outcome: str
    start: int
    durations: tuple[int, ...]

    @property
    def identity(self):
        return self[:-1]

    def message(self):
        words = {
            "weft.side": self.side, "weft.peer.type": "service", "service.peer.name": self.peer,
            "weft.operation": self.operation, "weft.outcome": self.outcome, "weft.connection.type": "rpc",
        }  # fmt: skip
        return point(self.durations, words, start=self.start, time=self.start + 7)

    def group(self):
        return group([self.message()], {"service.name": "web", "service.instance.id": self.instance})


class Delivery(NamedTuple):
    """A request: which points, how they are sent, and whether the collector starts again behind it."""

    points: list[int]
    encoding: str | None
    transport: Transport
    restart: bool


def bucket(duration):
    """The number of the smallest power of 2 ** (1/16) that is not below a duration."""
    number = 0
    while 1 << number < duration**16:
        number += 1
    return number


def oracle(points):
    """Cells by minute, side, instance, peer, operation, outcome and bucket."""
    sums = Counter()
    for one in points:
        row = (one.start // MINUTE, one.side, one.instance, one.peer, one.operation, one.outcome)
        sums[*row, POINTS] += 1
        for duration in one.durations:
            sums[*row, bucket(duration)] += 1
    return sums


def table(derived):
    counts = derived.counts.between(0, 1 << 40)
    found = {}
    columns = zip(counts.minute, counts.row, counts.cell, counts.value, strict=True)
    for minute, number, cell, value in columns:
        row = counts.rows[number]
        own, peer = (row.caller, row.callee) if row.side == "caller" else (row.callee, row.caller)
        assert own.node.name == "web"
        key = (row.side, own.instance, peer.node.name, row.calls.operation, row.calls.outcome)
        found[int(minute), *key, int(cell)] = int(value)
    return found


class House:
    """A collector behind its doors, on a disk that survives restarts."""

    def __init__(self):
        self.disk, self.clock = ForgetfulFiles(), ManualClock(NOW)
        self.open()

    def open(self):
        self.telemetry = Telemetry()
        self.log = Log(
            self.disk, self.telemetry, LogOptions(file_bytes=2_000, block_bytes=700, floor_bytes=0)
        )
        decoder = Decoder(seed=1)
        self.derived = derived_over(self.log, self.disk, decoder, self.telemetry, rollup=Bounds(1 << 12))
        options = IntakeOptions(self.clock, tick_seconds=0.01)
        self.intake = Intake(self.log, decoder, self.derived, self.telemetry, options)
        self.intake.replay(lambda spans: None)
        self.intake.start()
        self.door = SignalIntake(self.intake, self.telemetry, Reminder(self.clock), 1 << 24)

    def close(self):
        self.intake.stop()
        self.log.close()
        assert self.telemetry.value("replay_differs") == self.telemetry.value("replay_skipped") == 0

    def send(self, message, delivery):
        is_json = delivery.transport is Transport.HTTP_JSON
        content = json_format.MessageToJson(message).encode() if is_json else message.SerializeToString()
        body = ENCODINGS[delivery.encoding](content)
        sent = Sent(body, delivery.encoding, delivery.transport, ("test",))
        told = asyncio.run(self.door.take(SIGNALS["metrics"], sent))
        assert told == (0, "")


TOLD = st.builds(
    Told,
    instance=st.sampled_from(["a", "b"]), side=st.sampled_from(["caller", "callee"]),
    peer=st.sampled_from(["cart", "web"]), operation=st.sampled_from(["x", "y"]),
    outcome=st.sampled_from(["ok", "timeout"]),
    start=st.integers(0, 3 * 20).map(lambda n: NOW - n // 20 * MINUTE + n % 20),
    durations=st.lists(st.sampled_from([0, 1, 2, 3, 999, 1_000, 10**9, 10**13]), max_size=4).map(tuple),
)  # fmt: skip
DELIVERIES = st.lists(
    st.builds(
        Delivery,
        points=st.lists(st.integers(0, 11), min_size=1, max_size=6),
        encoding=st.sampled_from([*ENCODINGS]),
        transport=st.sampled_from([Transport.HTTP_PROTOBUF, Transport.HTTP_JSON, Transport.GRPC]),
        restart=st.integers(0, 3).map(lambda n: n == 0),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(TOLD, min_size=1, max_size=12, unique_by=lambda one: one.identity), deliveries=DELIVERIES
)
def test_however_points_come_the_table_is_the_sum_over_the_distinct_ones(points, deliveries):
    house, came = House(), set()
    try:
        for delivery in deliveries:
            own = [points[number % len(points)] for number in delivery.points]
            house.send(request(*(one.group() for one in own)), delivery)
            came.update(own)
            if delivery.restart:
                house.close()
                house.disk.crash()
                house.open()
            assert table(house.derived) == oracle(came)
    finally:
        house.close()
