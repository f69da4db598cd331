"""A data folder read by somebody else than its collector, while that goes on."""

from collections import Counter

import pytest

from tests.collector.store.logs import blocks
from tests.collector.test_sealing import Collector, distinct, requests
from weft_collector.errors import CorruptLog, QueryTooCostly, Unavailable
from weft_collector.folder import Folder
from weft_collector.store.files import FolderReader, RealFiles
from weft_collector.store.manifest import index_name, spans_name
from weft_collector.store.recovery import file_name
from weft_collector.store.span_schema import SCHEMA
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles


class Meanwhile:
    """ReadFiles that lets something happen before a call, counted from 1; before every call, if it is None."""

    def __init__(self, disk, happens, at=None):
        self._disk, self._happens, self._at = disk, happens, at
        self.calls = 0

    def __getattr__(self, name):
        self.calls += 1
        if self._at in {None, self.calls}:
            self._happens()
        return getattr(self._disk, name)


def folder(files, notices=None, **options):
    listener = [].append if notices is None else notices.append
    return Folder(files, Telemetry(), listener, lambda _: None, **options)


def rows(tables):
    """Every column of every span, table by table."""
    return [table.read(SCHEMA.names).to_pylist() for table in tables]


def ids(tables):
    """How often each span is there."""
    found = Counter()
    for table in tables:
        for row in table.read(("TraceId", "SpanId", "SpanKind", "ServiceName")).to_pylist():
            found[tuple(row.values())] += 1
    return found


@pytest.fixture
def kept():
    """A disk with sealed segments and with spans behind them, and what was sent."""
    disk, bodies = ForgetfulFiles(), list(requests(40))
    collector = Collector(disk)
    for content in bodies:
        collector.receive(content)
    assert len(collector.catalog.segments) > 3
    assert len(collector.derived.tables()) > len(collector.catalog.segments)
    yield disk, collector, bodies
    collector.close()


def test_a_reader_sees_what_the_collector_shows_at_every_moment_and_changes_nothing():
    disk = ForgetfulFiles()
    collector = Collector(disk)
    for content in requests(40):
        collector.receive(content)
        steps, owner = len(disk.steps), disk.locked_by
        tables = folder(disk).tables()
        assert rows(tables) == rows(collector.derived.tables())
        resources = [
            table.resource(row["ResourceId"])
            for table in tables
            for row in table.read(["ResourceId"]).to_pylist()
        ]
        assert all(bytes_ for bytes_, _ in resources)
        assert (len(disk.steps), disk.locked_by) == (steps, owner)
    collector.close()


def test_the_folder_of_a_collector_that_is_gone_is_read_without_its_lock(kept):
    disk, collector, bodies = kept
    collector.close()
    assert sum(ids(folder(disk).tables()).values()) == sum(distinct(bodies).values())
    assert disk.locked_by is None


def test_a_tail_that_grows_or_is_torn_ends_at_its_last_whole_block(kept):
    disk, collector, _ = kept
    newest = file_name(max(collector.log.numbers))
    before, whole = disk.content(newest), ids(folder(disk).tables())
    offset, size = blocks(disk, newest)[-1]
    last = before[offset : offset + size]
    for length in range(1, size):
        disk.put(newest, before + last[:length])
        assert ids(folder(disk).tables()) == whole, length
    assert not [name for name in disk.names() if name.endswith(".torn")]


def test_a_damaged_block_costs_its_spans_alone_and_is_announced(kept):
    disk, collector, _ = kept
    collector.close()
    collector = Collector(disk)
    for content in requests(2, seed=9):
        collector.receive(content)
    collector.close()
    newest, notices = file_name(max(collector.log.numbers)), []
    whole = ids(folder(disk).tables())
    offset, size = blocks(disk, newest)[0]
    disk.damage(newest, offset + size // 2)
    found = ids(folder(disk, notices).tables())
    assert found < whole
    assert "damaged" in notices[0].text


def test_nothing_is_missing_and_nothing_twice_whenever_retention_comes_between():
    moment = 1
    while True:
        disk = ForgetfulFiles()
        collector = Collector(disk, size=9000)
        bodies = iter(list(requests(60)))
        for _ in range(40):
            collector.receive(next(bodies))
        before = ids(collector.derived.tables())

        def happens(collector=collector, bodies=bodies):
            for content in bodies:
                collector.receive(content)

        files = Meanwhile(disk, happens, moment)
        found = ids(folder(files).tables())
        after = ids(collector.derived.tables())
        assert collector.telemetry.value("log_files_removed", "size")
        collector.close()
        if files.calls < moment:
            break
        assert set(found.values()) == {1}, moment
        assert before & after <= found <= before | after, moment
        moment += 1
    assert moment > 10


def test_a_file_that_is_lost_is_named_with_what_mends_it(kept):
    disk, collector, _ = kept
    number = collector.catalog.segments[1].number
    for name in (spans_name(number), index_name(number)):
        content = disk.content(name)
        disk.put(name, content[:-1])
        with pytest.raises(CorruptLog, match=rf"{name} has .* bytes.*weft rebuild"):
            folder(disk).tables()
        disk.remove(name)
        with pytest.raises(CorruptLog, match=f"{name} is missing.*weft rebuild"):
            folder(disk).tables()
        disk.put(name, content)
    folder(disk).tables()


def test_a_log_file_that_a_start_removes_meanwhile_is_no_loss(kept):
    disk, collector, _ = kept
    whole, empty = ids(folder(disk).tables()), file_name(max(collector.log.numbers) + 1)
    disk.put(empty, b"")
    looked = iter(range(9))

    class Listed(Meanwhile):
        def names(self):
            listed = disk.names()
            if next(looked) == 0:
                disk.remove(empty)
            return listed

    assert ids(folder(Listed(disk, lambda: None, 0)).tables()) == whole


def test_without_a_manifest_everything_is_read_from_the_log(kept):
    disk, _, bodies = kept
    disk.remove("manifest.json")
    assert sum(ids(folder(disk).tables()).values()) == sum(distinct(bodies).values())


def test_spans_that_no_memory_would_hold_are_refused_with_what_to_do(kept):
    disk, _, _ = kept
    disk.remove("manifest.json")
    with pytest.raises(QueryTooCostly, match=r"More than 20 spans.*weft rebuild"):
        folder(disk, most_unsealed=20).tables()


def test_a_reader_gives_up_where_retention_is_always_faster():
    disk, bodies = ForgetfulFiles(), requests(10_000)
    collector = Collector(disk, size=4000)

    def happens():
        for _ in range(12):
            collector.receive(next(bodies))

    happens()
    with pytest.raises(Unavailable, match="Retention"):
        folder(Meanwhile(disk, happens)).tables()
    collector.close()


def test_a_folder_reader_can_change_nothing(tmp_path):
    RealFiles(tmp_path).create("log-00000001.weft").close()
    reader = FolderReader(tmp_path)
    assert reader.names() == ["log-00000001.weft"]
    assert not {"create", "truncate", "rename", "remove", "lock"} & set(dir(reader))
    with pytest.raises(FileNotFoundError):
        FolderReader(tmp_path / "none").names()
    assert not (tmp_path / "none").exists()
