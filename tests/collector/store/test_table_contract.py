"""Segments and pieces keep the contract of a span table, as the plain table in memory does."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.collector.derived import derived_over
from tests.contract.span_table_contract import SpanTableContract
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Record, RecordKind
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles
from weft_collector.wire.otlp_protobuf import Decoder

ARRIVED = 2**62
Make = Callable[[list[bytes]], tuple[Any, Log]]


class Store:
    """Everything from a log to tables, on a disk in memory."""

    def __init__(self):
        disk, telemetry, self.decoder = ForgetfulFiles(), Telemetry(), Decoder()
        self.log = Log(disk, telemetry, LogOptions(block_bytes=1000, floor_bytes=0))
        self.derived = derived_over(self.log, disk, self.decoder, telemetry)

    def add(self, bodies):
        for content in bodies:
            (position,) = self.log.append([Record(RecordKind.SPANS, ARRIVED, 1, content)])
            self.log.sync()
            self.derived.apply(self.decoder.decode(content, ARRIVED), position, ARRIVED)

    def seal(self):
        self.derived.resumed()
        self.derived._sealer.settle()

    def table(self):
        (table,) = self.derived.tables()
        return table, self.log

    def close(self):
        self.derived.stop()
        self.log.close()


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


class TestPieces(SpanTableContract):
    @pytest.fixture
    def make(self, store) -> Make:
        def make(bodies):
            store.add(bodies)
            return store.table()

        return make


class TestSegments(SpanTableContract):
    @pytest.fixture
    def make(self, store) -> Make:
        def make(bodies):
            store.add(bodies)
            store.seal()
            return store.table()

        return make
