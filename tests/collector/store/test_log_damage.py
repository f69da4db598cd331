"""Bytes that decay, files that vanish, senders that try to forge blocks."""

import struct
import tracemalloc
import zlib

import pytest

from tests.collector.store.logs import append, blocks, contents, open_log, record, reopened
from weft_collector.errors import CorruptLog
from weft_collector.store.blocks import BlockBuilder
from weft_collector.store.files import RealFiles
from weft_collector.store.log import LogOptions
from weft_collector.store.notices import Event
from weft_collector.store.ports import Record
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles

ONE_FILE = LogOptions(file_bytes=1 << 20, block_bytes=400, floor_bytes=0)
FIRST = "log-00000001.weft"


def log_of_groups(count, options=ONE_FILE):
    disk = ForgetfulFiles()
    log = open_log(disk, options)
    for i in range(1, count + 1):
        append(log, record(i))
    log.close()
    return disk


def damaged_copy(disk, name, offset, flip=0xFF):
    copy = ForgetfulFiles()
    for each in disk.names():
        copy.put(each, disk.content(each))
    copy.damage(name, offset, flip)
    return copy


def test_a_flipped_byte_anywhere_in_a_block_costs_that_block_alone_and_is_reported():
    disk = log_of_groups(5)
    offset, size = blocks(disk, FIRST)[2]
    for at in range(offset, offset + size):
        telemetry, notices = Telemetry(), []
        found = reopened(damaged_copy(disk, FIRST, at), ONE_FILE, telemetry, notices)
        assert found == [record(i) for i in (1, 2, 4, 5)], at
        assert telemetry.snapshot()["log_blocks_lost"] == {"damaged": 1}
        assert [n.event for n in notices] == [Event.DAMAGED]
        assert telemetry.value("log_tails_torn") == 0


@pytest.mark.parametrize("at", [0, 9, 20, 60])
def test_the_first_block_of_the_log_may_be_damaged_too(at):
    telemetry = Telemetry()
    assert reopened(damaged_copy(log_of_groups(3), FIRST, at), ONE_FILE, telemetry) == [record(2), record(3)]
    assert telemetry.value("log_blocks_lost", "damaged") == 1


def test_several_damaged_blocks_are_counted_each():
    disk = log_of_groups(9)
    places = blocks(disk, FIRST)
    for number in (1, 2, 6):
        disk.damage(FIRST, places[number][0] + 3)
    telemetry = Telemetry()
    assert reopened(disk, ONE_FILE, telemetry) == [record(i) for i in (1, 4, 5, 6, 8, 9)]
    assert telemetry.value("log_blocks_lost", "damaged") == 3


def test_damage_is_left_on_the_disk_as_it_is_and_the_log_goes_on():
    disk = log_of_groups(4)
    disk.damage(FIRST, blocks(disk, FIRST)[1][0] + 50)
    before = disk.content(FIRST)
    log = open_log(disk, ONE_FILE)
    append(log, record(5))
    assert contents(log) == [record(i) for i in (1, 3, 4, 5)]
    assert disk.content(FIRST).startswith(before)


def test_a_damaged_end_of_an_older_file_is_damage_not_a_torn_tail():
    options = LogOptions(file_bytes=500, block_bytes=400, floor_bytes=0)
    disk = log_of_groups(12, options)
    offset, size = blocks(disk, FIRST)[-1]
    lost = len(blocks(disk, FIRST))
    for name, at in ((FIRST, offset), (FIRST, offset + size - 1)):
        telemetry = Telemetry()
        found = reopened(damaged_copy(disk, name, at), options, telemetry)
        assert found == [record(i) for i in range(1, 13) if i != lost]
        assert telemetry.snapshot()["log_blocks_lost"] == {"damaged": 1}


def test_an_older_file_cut_short_is_reported():
    options = LogOptions(file_bytes=500, block_bytes=400, floor_bytes=0)
    disk = log_of_groups(12, options)
    count = len(blocks(disk, FIRST))
    disk.put(FIRST, disk.content(FIRST)[:10])
    telemetry = Telemetry()
    assert reopened(disk, options, telemetry) == [record(i) for i in range(count + 1, 13)]
    assert telemetry.snapshot()["log_blocks_lost"] == {"damaged": count}


def test_a_missing_file_in_the_middle_is_reported():
    options = LogOptions(file_bytes=500, block_bytes=400, floor_bytes=0)
    disk = log_of_groups(12, options)
    names = disk.names()
    sizes = [len(blocks(disk, name)) for name in names]
    disk.remove(names[1])
    telemetry, notices = Telemetry(), []
    found = reopened(disk, options, telemetry, notices)
    lost = range(sizes[0] + 1, sizes[0] + sizes[1] + 1)
    assert found == [record(i) for i in range(1, 13) if i not in lost]
    assert telemetry.snapshot()["log_blocks_lost"] == {"missing": sizes[1]}
    assert "missing" in notices[0].text


def test_a_missing_newest_file_only_shortens_the_log():
    options = LogOptions(file_bytes=500, block_bytes=400, floor_bytes=0)
    disk = log_of_groups(12, options)
    disk.remove(disk.names()[-1])
    found = reopened(disk, options)
    assert found == [record(i) for i in range(1, len(found) + 1)]


def test_a_file_after_a_missing_one_may_begin_damaged():
    options = LogOptions(file_bytes=4_000, block_bytes=400, floor_bytes=0)
    disk = log_of_groups(80, options)
    names = disk.names()
    sizes = [len(blocks(disk, name)) for name in names]
    disk.remove(names[1])
    disk.damage(names[2], 2)
    telemetry = Telemetry()
    found = reopened(disk, options, telemetry)
    assert found == [record(i) for i in range(1, 81) if not sizes[0] < i <= sizes[0] + sizes[1] + 1]
    assert telemetry.value("log_blocks_lost") == sizes[1] + 1


def test_damage_at_the_start_of_what_retention_left_counts_at_least_one():
    options = LogOptions(file_bytes=500, block_bytes=400, floor_bytes=0)
    disk = log_of_groups(12, options)
    disk.remove(FIRST)
    disk.damage(disk.names()[0], 2)
    telemetry = Telemetry()
    reopened(disk, options, telemetry)
    assert telemetry.value("log_blocks_lost", "damaged") == 1


def forged(sequence, *records):
    builder = BlockBuilder()
    for one in records:
        builder.add(one)
    return builder.finish(sequence)


@pytest.mark.parametrize("sequence", [0, 1, 2, 3, 4, 5, 500, 2**63, 2**64 - 1])
def test_a_block_inside_a_body_cannot_pose_as_a_block_of_another_place(sequence):
    """Whoever knows the format can send a body that holds a block; after damage, a search comes upon it."""
    disk = ForgetfulFiles()
    log = open_log(disk, ONE_FILE)
    trap = Record(1, 2, 1, forged(sequence, record(666)) + record(2, 50_000).body)
    for one in (record(1), trap, record(3), record(4)):
        append(log, one)
    log.close()
    place = blocks(disk, FIRST)[1][0]
    assert disk.content(FIRST).count(b"WeftBlk", place) == 4  # it went in uncompressed
    disk.damage(FIRST, place)
    telemetry = Telemetry()
    found = reopened(disk, ONE_FILE, telemetry)
    assert [r for r in found if r != record(666)] == [record(1), record(3), record(4)]
    if sequence > 2**60:
        assert record(666) not in found  # it would use up the numbers
    if sequence < 3:
        assert telemetry.value("log_blocks_lost") == (sequence != 2)
    log = open_log(disk, ONE_FILE)
    append(log, record(5))
    assert contents(log)[-1] == record(5)


@pytest.mark.parametrize("sequence", [1, 2, 900, 2**61, 2**63])
def test_forged_blocks_in_the_first_block_of_a_file_hide_nothing(sequence):
    options = LogOptions(file_bytes=60_000, block_bytes=400, floor_bytes=0)
    disk = ForgetfulFiles()
    log = open_log(disk, options)
    before = [record(i, 20_000) for i in range(1, 4)]  # they fill the first file
    append(log, *before)
    chain = forged(sequence, record(666)) + forged(sequence + 1, record(667))
    append(log, Record(1, 5, 1, chain + record(5, 40_000).body))
    append(log, record(6), record(7))
    log.close()
    disk.damage(disk.names()[1], 0)
    for _ in range(2):
        log = open_log(disk, options)
        found = [r for r in contents(log) if r.arrived_ns not in (666, 667, 8)]
        assert found == [*before, record(6), record(7)]
        append(log, record(8))
        assert contents(log)[-1] == record(8)
        log.close()


def test_a_forged_block_in_the_damaged_last_block_hides_nothing():
    disk = log_of_groups(5)
    log = open_log(disk, ONE_FILE)
    append(log, record(6))
    append(log, Record(1, 7, 1, forged(1, record(666)) + record(7, 50_000).body))
    log.close()
    newest = disk.names()[-1]
    disk.damage(newest, blocks(disk, newest)[-1][0])
    log = open_log(disk, ONE_FILE)
    append(log, record(8))
    log.close()
    assert [r for r in reopened(disk, ONE_FILE) if r != record(666)] == [
        record(i) for i in (1, 2, 3, 4, 5, 6, 8)
    ]


def test_magic_bytes_in_a_body_mislead_nobody():
    disk = ForgetfulFiles()
    log = open_log(disk, ONE_FILE)
    for one in (record(1), Record(1, 2, 1, b"WeftBlk\n" * 9 + record(2).body), record(3)):
        append(log, one)
    log.close()
    disk.damage(FIRST, blocks(disk, FIRST)[1][0])
    assert reopened(disk, ONE_FILE) == [record(1), record(3)]


def test_a_search_finds_a_header_across_its_windows():
    disk = ForgetfulFiles()
    options = LogOptions(file_bytes=1 << 30, block_bytes=400, floor_bytes=0)
    log = open_log(disk, options)
    # The next header lies close to one mebibyte behind the damaged one, where the search's first window ends.
    for size in range((1 << 20) - 140, (1 << 20) - 60, 3):
        append(log, record(size, size), record(1))
    total = contents(log)
    log.close()
    places = blocks(disk, FIRST)
    for number in range(0, len(places), 2):
        disk.damage(FIRST, places[number][0])
    found = reopened(disk, options)
    assert found == total[1::2]


def test_a_log_of_a_newer_format_is_left_alone():
    disk = log_of_groups(1)
    fields = struct.pack("<8sHHQIIII", b"WeftBlk\n", 2, 1, 2, 3, 4, 5, 6)
    disk.put(FIRST, disk.content(FIRST) + fields + struct.pack("<I", zlib.crc32(fields)) + b"new!")
    before = disk.content(FIRST)
    with pytest.raises(CorruptLog, match="newer Weft"):
        open_log(disk, ONE_FILE)
    assert disk.content(FIRST) == before
    assert disk.names() == [FIRST]


def test_a_file_that_the_disk_cannot_read_is_named_and_nothing_is_cut(tmp_path):
    (tmp_path / "data").mkdir()
    log = open_log(RealFiles(tmp_path / "data"), LogOptions(file_bytes=500, block_bytes=400, floor_bytes=0))
    for i in range(12):
        append(log, record(i))
    (tmp_path / "data" / FIRST).unlink()
    (tmp_path / "data" / FIRST).mkdir()  # reading a folder is EISDIR
    with pytest.raises(CorruptLog, match=f"{FIRST}.*Move it away"):
        contents(log)
    log.close()


def test_damage_found_while_the_process_runs_counts_once_a_replay():
    disk = log_of_groups(5)
    telemetry = Telemetry()
    log = open_log(disk, ONE_FILE, telemetry)
    disk.damage(FIRST, blocks(disk, FIRST)[-1][0])
    assert contents(log) == [record(i) for i in (1, 2, 3, 4)]
    assert telemetry.value("log_blocks_lost", "damaged") == 1


@pytest.mark.parametrize("at", [0, 2])
def test_a_header_that_promises_gigabytes_costs_its_block_and_no_memory(at):
    disk = log_of_groups(5)
    offset, _ = blocks(disk, FIRST)[at]
    content = bytearray(disk.content(FIRST))
    struct.pack_into(
        "<I", content, offset + 20, 2**32 - 1
    )  # the inflated size, with a checksum that is right
    struct.pack_into("<I", content, offset + 36, zlib.crc32(content[offset : offset + 36]))
    disk.put(FIRST, bytes(content))
    telemetry = Telemetry()
    tracemalloc.start()
    found = reopened(disk, ONE_FILE, telemetry)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [record(i) for i in range(1, 6) if i != at + 1]
    assert telemetry.snapshot()["log_blocks_lost"] == {"damaged": 1}
    assert peak < 100 << 20
