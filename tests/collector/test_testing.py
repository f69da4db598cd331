import errno

import pytest

from tests.contract.files_contract import FilesContract, read, write
from weft_collector.testing import Crashed, ForgetfulFiles, ManualClock


class TestForgetfulFiles(FilesContract):
    @pytest.fixture
    def files(self):
        return ForgetfulFiles()


def test_a_crash_forgets_a_file_whose_name_was_not_synced():
    disk = ForgetfulFiles()
    write(disk, "a", b"x")
    disk.crash()
    assert disk.names() == []


def half_synced(disk):
    file = disk.create("a")
    file.write(b"synced")
    file.sync()
    disk.sync_folder()
    file.write(b", and not")


def test_a_killed_process_leaves_all_that_it_wrote():
    disk = ForgetfulFiles()
    half_synced(disk)
    disk.lock()
    disk.kill()
    disk.lock().close()
    assert read(disk, "a") == b"synced, and not"


def test_a_crash_forgets_bytes_that_were_not_synced():
    disk = ForgetfulFiles()
    half_synced(disk)
    disk.crash()
    assert read(disk, "a") == b"synced"


def test_a_crash_can_leave_a_part_of_what_was_not_synced():
    disk = ForgetfulFiles()
    half_synced(disk)
    disk.crash(kept_bytes=3, kept_names=True)
    assert read(disk, "a") == b"synced, a"


def test_a_crash_brings_removed_and_renamed_names_back():
    disk = ForgetfulFiles()
    write(disk, "a", b"1")
    write(disk, "b", b"2")
    disk.sync_folder()
    disk.remove("a")
    disk.rename("b", "c")
    disk.crash()
    assert disk.names() == ["a", "b"]


def test_a_step_fails_when_it_was_told_to():
    disk = ForgetfulFiles()
    file = disk.create("a")
    disk.fail("write", nth=[2], error=errno.ENOSPC)
    file.write(b"one")
    with pytest.raises(OSError, match="No space left"):
        file.write(b"two!")
    file.write(b"three")
    assert read(disk, "a") == b"onetwthree"  # a failed write leaves what it likes


def test_after_a_failed_sync_later_ones_do_nothing_for_that_file():
    disk = ForgetfulFiles()
    file = disk.create("a")
    disk.sync_folder()
    file.write(b"x")
    disk.fail("sync")
    with pytest.raises(OSError, match="Input/output"):
        file.sync()
    file.sync()
    disk.crash()
    assert read(disk, "a") == b""


def test_the_power_goes_at_a_step_and_stays_off():
    disk = ForgetfulFiles()
    disk.crash_at(2)
    file = disk.create("a")
    with pytest.raises(Crashed):
        file.write(b"four")
    with pytest.raises(Crashed):
        disk.size("a")
    disk.crash(kept_bytes=10, kept_names=True)
    assert read(disk, "a") == b"fo"


def test_a_damaged_byte_stays_damaged():
    disk = ForgetfulFiles()
    disk.put("a", b"abc")
    disk.damage("a", 1)
    disk.crash()
    assert disk.content("a") == b"a\x9dc"


def test_the_clock_moves_when_told():
    clock = ManualClock(5)
    clock.advance(1.5)
    assert clock() == 1_500_000_005
