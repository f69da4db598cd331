import errno
import threading

import pytest

from tests.collector.store.logs import SMALL, append, contents, open_log, record, reopened
from weft_collector.errors import CorruptLog, FolderInUse, NotFound, StorageFailed
from weft_collector.store.files import RealFiles
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.notices import Event
from weft_collector.store.ports import Record
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles


@pytest.fixture
def disk():
    return ForgetfulFiles()


def test_a_new_log_is_empty(disk):
    log = open_log(disk)
    assert (contents(log), log.files, log.size_bytes) == ([], 0, 0)
    log.sync()
    assert disk.names() == []


def test_records_are_replayed_in_order_with_their_positions(disk):
    log = open_log(disk)
    written = [record(i) for i in range(40)]
    positions = append(log, *written[:15]) + append(log, *written[15:])
    assert list(log.replay()) == list(zip(positions, written, strict=True))
    assert len({p.file for p in positions}) > 1
    log.close()
    assert reopened(disk) == written


def test_a_log_on_the_real_disk_goes_on_where_it_ended(tmp_path):
    written = []
    for session in range(3):
        log = open_log(RealFiles(tmp_path))
        assert contents(log) == written
        more = [record(100 * session + i) for i in range(10)]
        append(log, *more)
        written += more
        log.close()
    assert reopened(RealFiles(tmp_path)) == written


def test_replay_shows_nothing_that_is_not_durable(disk):
    log = open_log(disk)
    append(log, record(1))
    log.append([record(i, 500) for i in range(2, 5)])
    assert contents(log) == [record(1)]
    log.sync()
    assert len(contents(log)) == 4


def test_small_bodies_share_a_block_and_a_large_one_has_its_own(disk):
    log = open_log(disk)
    positions = append(log, record(1, 50), record(2, 50), record(3, 5_000), record(4, 50), record(5, 50))
    assert [p.block for p in positions[:2]] == [0, 0]
    assert positions[2].block > 0
    assert positions[3].file == positions[4].file == 2  # the large one filled its file
    assert positions[3].block == positions[4].block == 0


def test_a_block_is_never_larger_than_asked_but_for_a_single_body(disk):
    log = open_log(disk)
    for position, found in [*zip(append(log, *(record(i, 90) for i in range(50))), range(50), strict=True)]:
        assert position.offset + 90 <= SMALL.block_bytes, found


def test_a_file_takes_blocks_until_it_has_its_size(disk):
    log = open_log(disk)
    append(log, *(record(i) for i in range(60)))
    sizes = [disk.size(name) for name in disk.names()]
    assert len(sizes) > 2
    assert all(SMALL.file_bytes <= size < SMALL.file_bytes + 500 for size in sizes[:-1])
    assert log.files == len(sizes)
    assert log.size_bytes == sum(sizes)
    assert disk.names()[0] == "log-00000001.weft"


def test_a_record_of_an_unknown_kind_is_passed_on(disk):
    log = open_log(disk)
    foreign = Record(999, 5, 77, b"?", 3, 0)
    append(log, foreign)
    assert contents(log) == [foreign]


def test_one_sync_serves_all_records_before_it(disk):
    log = open_log(disk)
    for i in range(10):
        log.append([record(i, 10)])
    log.sync()
    log.sync()
    assert disk.steps.count("sync") == 1


def test_the_folder_is_synced_once_for_each_new_file_and_before_the_first_acknowledgement(disk):
    log = open_log(disk)
    append(log, record(1))
    assert disk.steps == ["create", "write", "sync", "sync_folder"]
    append(log, record(2))
    assert disk.steps.count("sync_folder") == 1
    append(log, record(3, 3_000))
    append(log, record(4))
    assert disk.steps.count("sync_folder") == disk.steps.count("create") == 2


class TestRead:
    def test_any_slice_of_any_body_is_read(self, disk):
        log = open_log(disk)
        written = [record(i, 10 + 97 * i) for i in range(20)]
        for position, one in zip(append(log, *written), written, strict=True):
            assert log.read(position, 0, len(one.body)) == one.body
            assert log.read(position, 3, 5) == one.body[3:8]

    def test_slices_outside_of_the_body_are_not_found(self, disk):
        log = open_log(disk)
        position, _ = append(log, record(1, 10), record(2, 10))
        for offset, length in [(0, 11), (11, 0), (-1, 3), (5, -1)]:
            with pytest.raises(NotFound, match="No record"):
                log.read(position, offset, length)

    def test_a_removed_file_is_not_found(self, disk):
        log = open_log(disk)
        (position,) = append(log, record(1))
        disk.remove("log-00000001.weft")
        with pytest.raises(NotFound, match="removed"):
            log.read(position, 0, 1)

    def test_a_damaged_block_is_corrupt(self, disk):
        log = open_log(disk)
        (position,) = append(log, record(1))
        disk.damage("log-00000001.weft", 60)
        with pytest.raises(CorruptLog, match="checksum"):
            log.read(position, 0, 1)

    def test_an_unreadable_disk_is_corrupt(self, tmp_path):
        log = open_log(RealFiles(tmp_path))
        (position,) = append(log, record(1))
        (tmp_path / "log-00000001.weft").unlink()
        (tmp_path / "log-00000001.weft").mkdir()  # reading a folder is EISDIR
        with pytest.raises(CorruptLog, match="cannot read"):
            log.read(position, 0, 1)
        log.close()

    def test_readers_are_right_while_the_writer_writes(self, tmp_path):
        log = open_log(RealFiles(tmp_path), LogOptions(20_000, 2_000, 0, 4_000))
        known = list(zip(append(log, record(0)), [record(0)], strict=True))
        stop, wrong = threading.Event(), []

        def check():
            i = 0
            while not stop.is_set():
                position, one = known[i % len(known)]
                if log.read(position, 0, len(one.body)) != one.body:
                    wrong.append(position)
                i += 7

        readers = [threading.Thread(target=check) for _ in range(3)]
        for reader in readers:
            reader.start()
        for i in range(1, 300):
            known += zip(append(log, record(i)), [record(i)], strict=True)
        stop.set()
        for reader in readers:
            reader.join()
        log.close()
        assert wrong == []
        assert log.files > 1


class TestFolder:
    def test_a_second_log_is_refused_until_the_first_is_closed(self, tmp_path):
        log = open_log(RealFiles(tmp_path))
        with pytest.raises(FolderInUse, match="process"):
            open_log(RealFiles(tmp_path))
        log.close()
        log.close()
        open_log(RealFiles(tmp_path)).close()

    def test_a_log_that_cannot_be_opened_gives_the_folder_back(self, disk):
        open_log(disk).close()
        disk.put("log-00000001.weft", b"?")
        disk.fail("sync")
        with pytest.raises(StorageFailed, match="cannot be opened"):
            open_log(disk)
        open_log(disk).close()

    def test_a_closed_log_takes_nothing(self, disk):
        log = open_log(disk)
        log.close()
        with pytest.raises(StorageFailed, match="closed"):
            log.append([record(1)])
        assert disk.names() == []

    def test_foreign_files_are_left_alone(self, disk):
        disk.put("notes.txt", b"mine")
        disk.put("log-1.weft", b"not a name of ours")
        log = open_log(disk)
        append(log, record(1))
        assert contents(log) == [record(1)]
        assert disk.content("notes.txt") == b"mine"


class TestRemoval:
    def test_a_file_goes_and_the_rest_is_as_it_was(self, disk):
        notices = []
        log = open_log(disk, SMALL, notices=notices)
        for i in range(60):
            append(log, record(i))
        position = append(log, record(60))[0]
        first, *others = log.numbers
        log.remove(first)
        assert log.numbers == others
        assert [n.file for n in notices if n.event is Event.REMOVED] == [first]
        left = contents(log)
        assert left == [record(i) for i in range(61 - len(left), 61)]
        assert log.read(position, 0, 100) == record(60).body
        log.close()
        telemetry = Telemetry()
        assert reopened(disk, SMALL, telemetry) == left
        assert telemetry.value("log_blocks_lost") == 0

    def test_cut_off_tails_go_with_their_file(self, disk):
        log = open_log(disk)
        append(log, record(1))
        log.close()
        disk.put("log-00000001.weft", disk.content("log-00000001.weft") + b"torn")
        log = open_log(disk)
        assert any(name.endswith(".torn") for name in disk.names())
        append(log, record(2))
        log.remove(1)
        assert not any(name.endswith(".torn") for name in disk.names())


class TestRolling:
    def test_the_next_record_begins_a_new_file(self, disk):
        log = open_log(disk)
        append(log, record(1))
        log.roll(1)
        assert log.numbers == [1]
        append(log, record(2))
        append(log, record(3))
        assert log.numbers == [1, 2]

    def test_replay_can_begin_at_a_file(self, disk):
        log = open_log(disk)
        for i in range(3):
            append(log, record(i))
            log.roll(i + 1)
        assert [record for _, record in log.replay(2)] == [record(1), record(2)]
        assert [len(list(block.records)) for block in log.blocks(2)] == [1]
        assert list(log.blocks(9)) == []


class TestFloor:
    def test_below_the_floor_nothing_is_taken_and_nothing_is_touched(self, disk):
        telemetry = Telemetry()
        log = open_log(disk, LogOptions(floor_bytes=1_000_000), telemetry)
        append(log, record(1))
        steps = list(disk.steps)
        disk.free = 1_000_050
        with pytest.raises(StorageFailed, match="must stay free") as raised:
            log.append([record(2)])
        assert raised.value.retry_after > 0
        assert disk.steps == steps
        assert telemetry.value("log_failures", "floor") == 1
        assert contents(log) == [record(1)]

    def test_it_goes_on_by_itself_in_the_same_file_when_there_is_room(self, disk):
        log = open_log(disk, LogOptions(floor_bytes=1_000_000))
        append(log, record(1))
        disk.free = 0
        with pytest.raises(StorageFailed):
            log.append([record(2)])
        disk.free = 2_000_000
        append(log, record(3))
        assert contents(log) == [record(1), record(3)]
        assert log.files == 1

    def test_what_was_appended_before_the_refusal_is_refused_with_it(self, disk):
        log = open_log(disk, LogOptions(floor_bytes=1_000_000))
        append(log, record(1))
        log.append([record(2)])
        disk.free = 0
        with pytest.raises(StorageFailed):
            log.append([record(3)])
        disk.free = 2_000_000
        append(log, record(4))
        log.close()
        assert reopened(disk) == [record(1), record(4)]


class TestFailure:
    @pytest.mark.parametrize("kind", ["write", "sync", "create", "sync_folder"])
    @pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
    def test_a_group_that_the_disk_refuses_is_refused_whole_and_the_log_goes_on(self, disk, kind, error):
        telemetry, notices = Telemetry(), []
        log = open_log(disk, telemetry=telemetry, notices=notices)
        disk.fail(kind, error=error)
        with pytest.raises(StorageFailed):
            append(log, *(record(i) for i in range(30)))
        assert contents(log) == []
        append(log, record(31))
        assert contents(log) == [record(31)]
        log.close()
        disk.crash()
        assert reopened(disk, telemetry=telemetry) == [record(31)]
        assert telemetry.value("log_failures") == 1
        assert telemetry.value("log_blocks_lost") == 0
        assert [n.event for n in notices] == [Event.REFUSED]

    @pytest.mark.parametrize("kind", ["write", "sync"])
    @pytest.mark.parametrize("nth", [1, 2, 3, 4])
    def test_what_was_accepted_before_stays(self, disk, kind, nth):
        telemetry = Telemetry()
        log = open_log(disk, telemetry=telemetry)
        append(log, record(1), record(2))
        disk.fail(kind, nth=[nth])
        accepted = [record(1), record(2)]
        for group in range(1, 6):
            more = [record(100 * group + i) for i in range(8)]
            try:
                append(log, *more)
                accepted += more
            except StorageFailed:
                assert contents(log) == accepted
        assert telemetry.value("log_failures") == 1
        assert contents(log) == accepted
        disk.crash()
        assert reopened(disk, telemetry=telemetry) == accepted
        assert telemetry.value("log_blocks_lost") == 0

    def test_no_call_is_repeated_on_a_file_whose_sync_failed(self, disk):
        log = open_log(disk)
        append(log, record(1))
        disk.fail("sync")
        with pytest.raises(StorageFailed):
            append(log, record(2))
        append(log, record(3))
        assert disk.names() == ["log-00000001.weft", "log-00000002.weft"]
        disk.crash()
        assert reopened(disk) == [record(1), record(3)]

    def test_a_refused_group_stays_refused_even_if_its_bytes_cannot_be_cut_off(self, disk):
        telemetry = Telemetry()
        log = open_log(disk, telemetry=telemetry)
        append(log, record(1))
        disk.fail("sync")
        disk.fail("truncate")
        with pytest.raises(StorageFailed):
            append(log, record(2), record(3))
        append(log, record(4))
        disk.crash(kept_bytes=10_000, kept_names=True)
        assert reopened(disk, telemetry=telemetry) == [record(1), record(4)]
        assert telemetry.value("log_blocks_lost") == 0

    def test_a_refused_group_over_several_files_stays_refused_even_if_they_cannot_be_removed(self, disk):
        telemetry = Telemetry()
        log = open_log(disk, telemetry=telemetry)
        append(log, record(1))
        disk.fail("sync", nth=[4])
        for kind in ("truncate", "remove"):
            disk.fail(kind, nth=range(1, 9))
        with pytest.raises(StorageFailed):
            append(log, *(record(i) for i in range(2, 90)))
        assert len(disk.names()) > 3
        append(log, record(100))
        assert contents(log) == [record(1), record(100)]
        disk.crash(kept_bytes=10_000, kept_names=True)
        assert reopened(disk, telemetry=telemetry) == [record(1), record(100)]
        assert telemetry.value("log_blocks_lost") == 0

    def test_removed_files_of_a_refused_group_do_not_come_back_with_a_hole_before_them(self, disk):
        telemetry, options = Telemetry(), LogOptions(74, 1, floor_bytes=0)
        log = open_log(disk, options, telemetry)
        append(log, record(1, 0))
        log.append([record(2, 0), record(3, 0), record(4, 0)])
        disk.fail("write")
        with pytest.raises(StorageFailed):
            log.append([record(5, 0)])  # the full file before it was synced, with its name
        disk.crash()
        assert reopened(disk, options, telemetry) == [record(1, 0)]
        assert telemetry.value("log_blocks_lost") == 0

    def test_a_disk_that_fails_for_long_leaves_no_heap_of_files(self, disk):
        log = open_log(disk)
        append(log, record(1))
        disk.fail("sync", nth=range(1, 21))
        for i in range(20):
            with pytest.raises(StorageFailed):
                append(log, record(2 + i))
        append(log, record(50))
        assert len(disk.names()) == 2
        assert contents(log) == [record(1), record(50)]

    def test_the_listener_is_told_why(self, disk):
        notices = []
        log = Log(disk, Telemetry(), SMALL, notices.append)
        disk.fail("write", error=errno.ENOSPC)
        with pytest.raises(StorageFailed, match="No space left"):
            append(log, record(1))
        assert "No space left" in notices[0].text
