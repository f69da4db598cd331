"""Edge counts through log, sealing, restarts, retention and verification: always the table of the distinct points."""

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.collector.graph.test_edge_counts import cells, expected
from tests.collector.test_sealing import Collector, InlineSealer
from tests.collector.test_sealing import requests as span_requests
from tests.collector.wire.count_factory import MINUTE, TO_CART, WEB, group, point, request
from tests.collector.wire.otlp_factory import NOW, SECOND
from weft_collector.derive import Derived, DeriveOptions
from weft_collector.graph.edge_count_file import read_addition
from weft_collector.sealing import SCHEMAS, Limits
from weft_collector.store.catalog import Catalog
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Record, RecordKind
from weft_collector.telemetry import Telemetry
from weft_collector.testing import Crashed, ForgetfulFiles, ManualClock
from weft_collector.verifying import Checker
from weft_collector.wire import edge_counts
from weft_collector.wire.otlp_protobuf import Decoder

START = NOW // MINUTE * MINUTE


class Counting(Collector):
    """A collector that also takes edge counts."""

    def _apply(self, position, record):
        if record.kind == RecordKind.EDGE_COUNTS:
            counted = edge_counts.read(record.body, record.arrived_ns, record.limits)
            self.derived.apply_counts(counted, position, record.arrived_ns)
        else:
            super()._apply(position, record)

    def count(self, content, arrived_ns=NOW):
        record = Record(RecordKind.EDGE_COUNTS, arrived_ns, 1, content)
        (position,) = self.log.append([record])
        self.log.sync()
        self._apply(position, record)

    def counts(self):
        return cells(self.derived.counts.between(0, 1 << 40))


def counted_bodies(count, seed=1):
    """Bodies of some points, in several minutes and by several instances; many come again in other bodies."""
    chance = random.Random(seed)
    for _ in range(count):
        groups = []
        for instance in chance.sample(("web-1", "web-2", "web-3"), 2):
            made = []
            for _ in range(chance.randrange(1, 4)):
                start = START - chance.randrange(5) * MINUTE + chance.randrange(3)
                words = TO_CART | {"weft.operation": chance.choice("ab"), "pad": "x" * chance.randrange(60)}
                made.append(point([10 ** chance.randrange(9)], words, start=start, time=start + MINUTE - 3))
            groups.append(group(made, WEB | {"service.instance.id": instance}))
        yield request(*groups).SerializeToString()


def distinct(bodies):
    """The points of bodies, in order."""
    return [one for content in bodies for one in edge_counts.read(content, NOW).points]


def test_the_table_is_the_same_live_sealed_and_after_any_number_of_restarts():
    disk, bodies = ForgetfulFiles(), list(counted_bodies(60))
    spans = list(span_requests(60))
    for start in range(0, 60, 7):
        collector = Counting(disk)
        for at in range(start, min(start + 7, 60)):
            collector.count(bodies[at])
            collector.receive(spans[at])
            assert collector.counts() == expected(distinct(bodies[: at + 1]))
        collector.close()
        disk.crash()
    again = Counting(disk)
    assert again.counts() == expected(distinct(bodies))
    assert sum(name.startswith("counts-") for name in disk.names()) > 5
    again.close()


def test_log_files_with_counts_alone_are_sealed_too():
    disk, bodies = ForgetfulFiles(), list(counted_bodies(30))
    collector = Counting(disk)
    for content in bodies:
        collector.count(content)
    collector.close()
    disk.crash()
    again = Counting(disk)
    assert again.catalog.manifest.through == max(again.log.numbers)
    assert again.catalog.segments == ()
    assert again.counts() == expected(distinct(bodies))
    again.close()


def test_many_points_end_a_log_file_before_its_size_does(monkeypatch):
    monkeypatch.setattr("weft_collector.derive._CUT_PLACES", 200)
    collector = Counting(ForgetfulFiles())
    for content in counted_bodies(20):
        collector.count(content)
        assert collector.derived.counts.waiting < 300
    collector.close()


def test_nothing_acknowledged_is_lost_and_nothing_counts_twice_wherever_the_power_goes():
    bodies = list(counted_bodies(14, seed=5))
    disk = ForgetfulFiles()
    whole = Counting(disk)
    for content in bodies:
        whole.count(content)
    for step in range(1, len(disk.steps) + 1, 2):
        disk, acknowledged = ForgetfulFiles(), []
        disk.crash_at(step)
        with suppress(Crashed):
            collector = Counting(disk)
            for content in bodies:
                record = Record(RecordKind.EDGE_COUNTS, NOW, 1, content)
                (position,) = collector.log.append([record])
                collector.log.sync()
                acknowledged.append(content)
                collector._apply(position, record)
        disk.crash(kept_bytes=step % 3 * 50)
        again = Counting(disk)
        found = again.counts()
        # What was being written may be there as a whole, or not at all.
        possible = [expected(distinct(bodies[:n])) for n in (len(acknowledged), len(acknowledged) + 1)]
        assert found in possible, step
        again.close()
    whole.close()


class TestRetention:
    def test_counts_stay_when_their_log_files_go_and_points_that_come_again_change_nothing(self):
        disk, bodies = ForgetfulFiles(), list(counted_bodies(300))
        collector = Counting(disk, age=SECOND)
        for number, content in enumerate(bodies):
            collector.clock.now_ns = NOW + number * 10 * SECOND
            collector.count(content, collector.clock.now_ns)
        assert collector.telemetry.value("log_files_removed", "age") > 100
        frozen = [name for name in disk.names() if name.startswith("frozen-counts")]
        assert len(frozen) == 1
        assert sum(name.startswith("counts-") for name in disk.names()) < 70
        collector.close()
        disk.crash()
        again = Counting(disk, age=SECOND)
        assert again.counts() == expected(distinct(bodies))
        for content in bodies[:20]:
            again.count(content, again.clock())
        assert again.counts() == expected(distinct(bodies))
        again.close()

    def test_no_more_of_them_is_kept_than_the_table_takes(self):
        disk = ForgetfulFiles()

        class Small(InlineSealer):
            def __init__(self, catalog, log, telemetry, limits):
                super().__init__(catalog, log, telemetry, replace(limits, count_places=40))

        collector = Counting(disk, age=SECOND, sealer=Small)
        for number in range(300):
            collector.clock.now_ns = NOW + number * MINUTE
            start = START + number * MINUTE
            words = TO_CART | {"pad": random.Random(number).randbytes(300)}
            content = request(group([point([5], words, start=start, time=start + 9)])).SerializeToString()
            collector.count(content, collector.clock.now_ns)
        collector.close()
        disk.crash()
        again = Counting(disk, age=SECOND, sealer=Small)
        minutes = again.derived.counts.minutes(0, 1 << 40)
        newest = START // MINUTE + 299
        assert minutes == list(range(minutes[0], newest + 1))
        assert len(minutes) < 100
        (frozen,) = (name for name in disk.names() if name.startswith("frozen-counts"))
        assert len(set(read_addition(disk.map(frozen)).key_minute.tolist())) == 40 // 5
        again.close()


class TestVerify:
    def check(self, disk):
        """What a checker finds in a folder."""
        collector = Counting(disk, sealer=InlineSealer)
        collector.close()
        disk.kill()
        checked = Checking(disk)
        found = checked.findings()
        checked.close()
        disk.kill()
        return found

    @pytest.mark.parametrize("age", [1 << 62, 100 * SECOND])
    def test_a_sound_folder_is_found_to_be_so_also_when_its_oldest_files_are_gone(self, age):
        disk = ForgetfulFiles()
        collector = Counting(disk, age=age)
        for number, content in enumerate(counted_bodies(60)):
            collector.clock.now_ns = NOW + number * 10 * SECOND
            collector.count(content, collector.clock.now_ns)
        gone = sum(part.gone for part in collector.catalog.manifest.sealed)
        assert (gone > 3) is (age < 1 << 62)
        collector.close()
        disk.kill()
        assert self.check(disk).wrong == []

    def test_other_counts_than_the_logs_are_found(self):
        disk = ForgetfulFiles()
        collector = Counting(disk)
        for content in counted_bodies(30):
            collector.count(content)
        collector.close()
        disk.kill()
        checked = Checking(disk)
        third, _, fifth = checked.checker.catalog.manifest.counts[2:5]
        disk.put(third, disk.content(fifth))
        (wrong,) = checked.findings().wrong
        assert "edge counts: " in wrong
        checked.close()


class Checking:
    """`weft verify` over a folder in memory."""

    def __init__(self, disk):
        telemetry = Telemetry()
        self.log = Log(disk, telemetry, LogOptions(floor_bytes=0))
        catalog = Catalog(disk, self.log, SCHEMAS)
        self.checker = Checker(catalog, self.log, telemetry, Limits(1 << 50, 1 << 62, ManualClock(NOW)))
        self.checker.begin(lambda number: None)
        self.derived = Derived(
            self.log, Decoder(seed=1), telemetry, self.checker, DeriveOptions(pairing_entries=16)
        )
        self.derived.through = 0
        self.derived.counts.load(self.checker.gone_counts())

    def findings(self):
        for position, record in self.log.replay():
            counted = edge_counts.read(record.body, record.arrived_ns, record.limits)
            self.derived.apply_counts(counted, position, record.arrived_ns)
        self.derived.resumed()
        return self.checker.end()

    def close(self):
        self.derived.stop()
        self.log.close()
