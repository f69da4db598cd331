"""From the log to segments: nothing acknowledged is lost, nothing is there twice, whenever the power goes."""

import random
from collections import Counter

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.wire.otlp_factory import (
    CLIENT,
    INTERNAL,
    NOW,
    SECOND,
    SERVER,
    body,
    resource_spans,
    span,
)
from tests.waiting import wait_until
from weft_collector.derive import Derived, DeriveOptions
from weft_collector.errors import CorruptLog
from weft_collector.graph.rollup import Bounds
from weft_collector.graph.snapshot import Window
from weft_collector.sealing import SCHEMAS, Limits, Sealer
from weft_collector.store.catalog import Catalog
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.manifest import MANIFEST
from weft_collector.store.ports import Record, RecordKind
from weft_collector.store.span_schema import SCHEMA
from weft_collector.telemetry import Telemetry
from weft_collector.testing import Crashed, ForgetfulFiles, ManualClock
from weft_collector.wire.otlp_protobuf import Decoder

EVER = Window(0, 1 << 30)
KINDS = (INTERNAL, SERVER, CLIENT)
SIDES = {SERVER: "callee", CLIENT: "caller", INTERNAL: "local"}


class InlineSealer(Sealer):
    """Seals at once, in the thread that cuts: a crash in it is a crash of everything."""

    def take(self, cut):
        self.seal(cut)
        self.retain()


class Collector:
    """A log, and everything that follows from it, on a disk that may forget."""

    def __init__(self, disk, *, sealer=InlineSealer, size=1 << 50, age=1 << 62, file_bytes=900, **options):
        self.telemetry, self.clock = Telemetry(), ManualClock(NOW)
        self.log = Log(
            disk, self.telemetry, LogOptions(file_bytes=file_bytes, block_bytes=400, floor_bytes=0)
        )
        self.decoder = Decoder(seed=1)
        limits = Limits(size, age, self.clock)
        self.catalog = Catalog(disk, self.log, SCHEMAS)
        self.sealer = sealer(self.catalog, self.log, self.telemetry, limits)
        chosen = DeriveOptions(**{"pairing_entries": 1024, "rollup": Bounds(1 << 16), **options})
        self.derived = Derived(self.log, self.decoder, self.telemetry, self.sealer, chosen)
        for position, record in self.log.replay(self.derived.resume()):
            self._apply(position, record)
        self.derived.resumed()

    def _apply(self, position, record):
        decoded = self.decoder.decode(record.body, record.arrived_ns)
        self.derived.apply(decoded, position, record.arrived_ns)
        self.derived.age(record.arrived_ns)

    def receive(self, content, arrived_ns=NOW):
        record = Record(RecordKind.SPANS, arrived_ns, 1, content)
        (position,) = self.log.append([record])
        self.log.sync()
        self._apply(position, record)

    def spans(self):
        """All spans that are held, as (trace, span, side, service), as often as tables have them."""
        found = Counter()
        for table in self.derived.tables():
            rows = table.read(("TraceId", "SpanId", "SpanKind", "ServiceName")).to_pylist()
            for row in rows:
                trace, own = (int.from_bytes(row[name], "big") for name in ("TraceId", "SpanId"))
                kind = {"Server": SERVER, "Client": CLIENT}.get(row["SpanKind"], INTERNAL)
                found[trace, own, SIDES[kind], row["ServiceName"]] += 1
        return found

    def edges(self):
        self.derived.settle()
        snapshot = self.derived.snapshot(EVER, unknown=True)
        return {e.id: (e.calls, e.errors, e.client, e.server, e.completeness) for e in snapshot.edges}

    def close(self):
        self.derived.stop()
        self.log.close()


def requests(count, seed=1, fresh=0):
    """Bodies of a few spans each; some spans come again, in the same or in another body.

    Of every `fresh` bodies the traces are others, if it is not 0.
    """
    chance = random.Random(seed)
    for number in range(count):
        first = number // fresh * 12 if fresh else 0
        groups = []
        for service in chance.sample(("web", "cart", "pay"), 2):
            own = [
                span(
                    f"op {chance.randrange(3)}",
                    trace=first + chance.randrange(1, 12),
                    id=chance.randrange(1, 6),
                    parent=chance.randrange(6),
                    kind=chance.choice(KINDS),
                    start=NOW + chance.randrange(100) * SECOND,
                    end=NOW + 200 * SECOND,
                )
                for _ in range(chance.randrange(1, 4))
            ]
            groups.append(resource_spans(own, service, {"service.instance.id": f"{service}-1"}))
        yield body(groups)


def distinct(bodies):
    """What is to be found: each identity once."""
    found = Counter()
    for content in bodies:
        for group in ExportTraceServiceRequest.FromString(content).resource_spans:
            service = group.resource.attributes[0].value.string_value
            for one in group.scope_spans[0].spans:
                key = (one.trace_id, one.span_id)
                found[(*(int.from_bytes(part, "big") for part in key), SIDES[one.kind], service)] = 1
    return found


def test_every_span_is_found_once_live_sealed_and_after_a_restart():
    disk, bodies = ForgetfulFiles(), list(requests(60))
    collector = Collector(disk)
    for number, content in enumerate(bodies, start=1):
        collector.receive(content)
        assert collector.spans() == distinct(bodies[:number])
    assert len(collector.catalog.segments) > 5
    assert collector.telemetry.value("spans_left_out", "duplicate") > 0
    collector.close()
    disk.crash()
    again = Collector(disk)
    assert again.spans() == distinct(bodies)
    assert again.catalog.manifest.through == max(again.log.numbers)
    again.close()


def test_the_graph_is_the_same_after_any_number_of_restarts():
    bodies = list(requests(40, seed=3))
    whole = Collector(ForgetfulFiles())
    for content in bodies:
        whole.receive(content)
    disk = ForgetfulFiles()
    for start in range(0, 40, 7):
        collector = Collector(disk)
        for content in bodies[start : start + 7]:
            collector.receive(content)
        collector.close()
        disk.kill()
    again = Collector(disk)
    assert again.edges() == whole.edges()
    assert again.derived.sealed_spans == sum(map(spans_of, bodies))
    again.close()
    whole.close()


def spans_of(content):
    groups = ExportTraceServiceRequest.FromString(content).resource_spans
    return sum(len(group.scope_spans[0].spans) for group in groups)


def test_what_waits_at_a_cut_is_a_call_to_its_peer_for_who_starts_then_and_is_withdrawn_later():
    disk = ForgetfulFiles()
    collector = Collector(disk)
    caller = span("GET", id=1, kind=CLIENT, start=NOW, attributes={"server.address": "cart.internal"})
    collector.receive(body([resource_spans([caller], "web")]))
    collector.close()
    disk.crash()
    collector = Collector(disk)
    collector.close()  # nothing came: all of the log is sealed now
    disk.crash()
    collector = Collector(disk)
    assert collector.derived.snapshot(EVER).pending == 0
    assert set(collector.edges()) == {"service:web->external:cart.internal"}
    callee = span("GET", id=2, parent=1, kind=SERVER, start=NOW)
    collector.receive(body([resource_spans([callee], "cart")]))
    assert set(collector.edges()) == {"service:web->service:cart"}
    collector.close()


class TestCrash:
    """The power goes at each step of everything that happens while bodies come in."""

    BODIES = tuple(requests(14, seed=5))

    def run(self, disk):
        acknowledged = []
        collector = Collector(disk)
        for content in self.BODIES:
            collector.receive(content)
            acknowledged.append(content)
        return acknowledged

    def steps(self):
        disk = ForgetfulFiles()
        self.run(disk)
        return len(disk.steps)

    @pytest.mark.parametrize("kept_names", [False, True])
    def test_nothing_acknowledged_is_lost_and_nothing_half_written_is_shown(self, kept_names):
        for step in range(1, self.steps() + 1, 3 if kept_names else 2):
            disk, acknowledged = ForgetfulFiles(), []
            disk.crash_at(step)
            try:
                collector = Collector(disk)
                for content in self.BODIES:
                    record = Record(RecordKind.SPANS, NOW, 1, content)
                    (position,) = collector.log.append([record])
                    collector.log.sync()
                    acknowledged.append(content)
                    collector._apply(position, record)
            except Crashed:
                pass
            disk.crash(kept_names=kept_names, kept_bytes=step % 3 * 50)
            again = Collector(disk)
            held = again.spans()
            assert not distinct(acknowledged) - held, step
            assert set(held.values()) <= {1}
            assert not [name for name in disk.names() if name.endswith(".draft")]
            again.close()


class TestDamage:
    def collector(self, disk, bodies):
        collector = Collector(disk)
        for content in bodies:
            collector.receive(content)
        collector.close()
        disk.crash()

    @pytest.mark.parametrize("kind", ["manifest", "spans", "index", "rollup"])
    def test_a_derived_file_that_is_missing_is_derived_again(self, kind):
        disk, bodies = ForgetfulFiles(), list(requests(20))
        self.collector(disk, bodies)
        disk.remove(next(name for name in disk.names() if name.startswith(kind)))
        again = Collector(disk)
        assert again.spans() == distinct(bodies)
        again.close()

    def test_a_damaged_manifest_is_as_good_as_none(self):
        disk, bodies = ForgetfulFiles(), list(requests(20))
        self.collector(disk, bodies)
        disk.damage(MANIFEST, 40)
        again = Collector(disk)
        assert again.spans() == distinct(bodies)
        again.close()

    def test_a_segment_that_cannot_be_read_says_so_and_ends_no_sealing(self):
        disk, bodies = ForgetfulFiles(), list(requests(20))
        self.collector(disk, bodies)
        name = next(name for name in disk.names() if name.startswith("spans"))
        disk.damage(name, disk.size(name) - 20)
        again = Collector(disk, sealer=Sealer)
        with pytest.raises(CorruptLog, match=f"(?s){name} cannot be read.*weft rebuild"):
            again.derived.tables()[0].read(("TraceId",))
        again.receive(bodies[0])
        again.derived.resumed()
        assert wait_until(lambda: again.telemetry.value("sealing_failures"))
        assert again.log.numbers[-1] > again.catalog.manifest.through
        again.close()

    def test_a_disk_that_refuses_leaves_everything_readable_and_is_tried_again(self):
        disk, bodies = ForgetfulFiles(), list(requests(30))
        kept = []

        class Holding(Sealer):
            def take(self, cut):
                kept.append(cut)

        collector = Collector(disk, sealer=Holding)
        for content in bodies:
            collector.receive(content)
        disk.fail("rename")
        with pytest.raises(OSError, match="Input/output"):
            collector.sealer.seal(kept[0])
        assert collector.catalog.segments == ()
        assert collector.spans() == distinct(bodies)
        for cut in kept:
            collector.sealer.seal(cut)
            assert collector.spans() == distinct(bodies)
        assert len(collector.catalog.segments) == len(kept)
        collector.close()


def test_the_thread_seals_in_order_and_ends():
    disk, bodies = ForgetfulFiles(), list(requests(40))
    collector = Collector(disk, sealer=Sealer)
    for content in bodies:
        collector.receive(content)
    collector.sealer.settle()
    numbers = [segment.number for segment in collector.catalog.segments]
    assert numbers == sorted(numbers)
    assert numbers[-1] == max(collector.log.numbers) - 1
    assert collector.spans() == distinct(bodies)
    collector.close()


class TestRetention:
    def test_the_oldest_files_go_when_the_folder_is_too_large_and_their_calls_stay_in_the_graph(self):
        disk, bodies = ForgetfulFiles(), list(requests(80, seed=9, fresh=8))
        collector, whole = Collector(disk, size=100_000), Collector(ForgetfulFiles())
        for content in bodies:
            collector.receive(content)
            whole.receive(content)
        assert collector.telemetry.value("log_files_removed", "size") > 3
        assert collector.log.size_bytes + collector.catalog.segment_bytes < 120_000
        numbers = collector.log.numbers
        assert numbers[0] > 3
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert set(collector.spans()) < set(whole.spans())
        collector.derived.resumed()  # the tail is sealed, too: its callers may be gone at the next start
        edges = collector.edges()
        assert {e: v[0] for e, v in edges.items()} == {e: v[0] for e, v in whole.edges().items()}
        collector.close()
        disk.crash()
        again = Collector(disk, size=100_000)
        assert again.edges() == edges
        again.close()
        whole.close()

    def test_files_go_by_age(self):
        disk = ForgetfulFiles()
        collector = Collector(disk, age=10 * SECOND)
        for number, content in enumerate(requests(60)):
            collector.clock.now_ns = NOW + number * SECOND
            collector.receive(content, collector.clock.now_ns)
        assert collector.telemetry.value("log_files_removed", "age") > 3
        assert len(collector.log.numbers) < 20
        collector.close()

    def test_the_rollups_of_many_files_that_are_gone_become_one(self):
        disk = ForgetfulFiles()
        collector = Collector(disk, age=SECOND)
        for number, content in enumerate(requests(400)):
            collector.clock.now_ns = NOW + number * 10 * SECOND
            collector.receive(content, collector.clock.now_ns)
        collector.derived.resumed()
        edges = collector.edges()
        frozen = [name for name in disk.names() if name.startswith("frozen")]
        assert len(frozen) == 1
        assert sum(name.startswith("rollup") for name in disk.names()) < 70
        collector.close()
        disk.crash()
        again = Collector(disk, age=SECOND)
        assert again.edges() == edges
        again.close()


def test_a_file_ends_after_so_many_spans():
    collector = Collector(ForgetfulFiles(), segment_spans=10)
    for content in requests(30):
        collector.receive(content)
    assert all(part.rows + part.duplicates < 20 for part in collector.catalog.manifest.sealed)
    collector.close()


class TestTables:
    @pytest.fixture
    def collector(self):
        collector = Collector(ForgetfulFiles())
        for content in requests(25):
            collector.receive(content)
        yield collector
        collector.close()

    def test_all_have_the_columns_of_the_schema(self, collector):
        for table in collector.derived.tables():
            found = table.read(SCHEMA.names)
            assert found.column_names == SCHEMA.names
            assert found.num_rows == table.rows
            assert found.schema.field("TraceId").type == pa.binary(16)

    def test_a_trace_is_one_run_of_rows(self, collector):
        for table in collector.derived.tables():
            whole = table.read(("TraceId", "SpanId")).to_pylist()
            for trace in range(14):
                rows = table.trace_rows(trace)
                found = [row for row in whole if int.from_bytes(row["TraceId"], "big") == trace]
                assert table.read(("TraceId", "SpanId"), rows).to_pylist() == found

    def test_summaries_count_every_span(self, collector):
        for table in collector.derived.tables():
            rows = table.read(("ServiceName", "SpanName", "SpanKind")).to_pylist()
            expected = Counter(tuple(map(str, row.values())) for row in rows)
            found = table.summary().to_pylist()
            names = ("ServiceName", "SpanName", "SpanKind")
            assert {tuple(row[n] for n in names): row["Spans"] for row in found} == expected
            assert min(row["EarliestNs"] for row in found) == table.earliest_ns
            assert max(row["LatestNs"] for row in found) == table.latest_ns

    def test_resources_lead_to_the_bytes_that_were_sent(self, collector):
        for table in collector.derived.tables():
            for row in table.read(("ServiceName", "ResourceId", "ScopeId")).to_pylist():
                content, schema_url = table.resource(row["ResourceId"])
                assert row["ServiceName"].encode() in content
                assert schema_url == ""
                assert table.scope(row["ScopeId"])[1] == ""


def test_a_file_that_is_sealed_while_tables_are_listed_is_in_the_list():
    kept, bodies = [], list(requests(30))

    class Holding(Sealer):
        def take(self, cut):
            kept.append(cut)

    class Racing(Catalog):
        """Seals what is held as soon as its segments have been looked at."""

        race = None

        @property
        def published(self):
            seen, race, self.race = self._published, self.race, None
            if race is not None:
                race()
            return seen

        @published.setter
        def published(self, published):
            self._published = published

    collector = Collector(ForgetfulFiles(), sealer=Holding)
    for content in bodies:
        collector.receive(content)
    collector.catalog.__class__ = Racing
    collector.catalog._published = collector.catalog.__dict__.pop("published")
    collector.catalog.race = lambda: [collector.sealer.seal(cut) for cut in kept]
    assert collector.spans() == distinct(bodies)
    assert len(collector.catalog.segments) == len(kept) > 2
    collector.close()
