import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.files_contract import FilesContract, read, write
from weft_collector.errors import FolderInUse
from weft_collector.store import files as files_module
from weft_collector.store.files import RealFiles

HOLD = """
import pathlib, sys
from weft_collector.store.files import RealFiles
lock = RealFiles(pathlib.Path(sys.argv[1])).lock()
print("held", flush=True)
sys.stdin.read()
"""


class TestRealFiles(FilesContract):
    @pytest.fixture
    def files(self, tmp_path):
        return RealFiles(tmp_path / "deep" / "data")


def test_the_folder_and_its_files_belong_to_their_owner_alone(tmp_path):
    write(RealFiles(tmp_path / "data"), "a", b"x")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "a").stat().st_mode) == 0o600


def test_folders_and_links_are_no_files(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/dev/null")
    assert RealFiles(tmp_path).names() == []


def test_a_second_process_is_told_who_holds_the_folder(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse, match=f"process {holder.pid}"):
            RealFiles(tmp_path).lock()
    finally:
        holder.kill()
        holder.communicate()
    RealFiles(tmp_path).lock().close()  # the system took it back from the killed process


def test_a_lock_without_a_readable_holder_still_says_that_it_is_held(tmp_path):
    lock = RealFiles(tmp_path).lock()
    (tmp_path / "lock").write_bytes(b"\xff\xfe?")
    with pytest.raises(FolderInUse, match="another process"):
        RealFiles(tmp_path).lock()
    lock.close()


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(files_module.os, "write", lambda fd, data: real(fd, data[:3]))
    write(RealFiles(tmp_path), "a", b"0123456789")
    monkeypatch.undo()
    assert read(RealFiles(tmp_path), "a") == b"0123456789"


def test_short_reads_are_continued(tmp_path, monkeypatch):
    write(RealFiles(tmp_path), "a", b"0123456789")
    real = os.pread
    monkeypatch.setattr(files_module.os, "pread", lambda fd, length, at: real(fd, min(length, 3), at))
    assert read(RealFiles(tmp_path), "a") == b"0123456789"


def test_on_macos_the_drive_itself_is_asked_to_write(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(files_module, "_FULL_SYNC", 51)
    monkeypatch.setattr(files_module.fcntl, "fcntl", lambda fd, command: asked.append(command))
    write(RealFiles(tmp_path), "a", b"x")
    assert asked == [51]


def resident_pages(name: str) -> int:
    """Bytes of the mappings of a file that are in this process."""
    maps = Path("/proc/self/smaps").read_text().split("VmFlags")
    return sum(int(part.partition("Rss:")[2].split()[0]) << 10 for part in maps if name in part)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells")
def test_forgotten_pages_leave_the_process_and_are_read_again(tmp_path):
    (tmp_path / "of-many-pages").write_bytes(b"weft" * (1 << 18))
    files = RealFiles(tmp_path)
    mapped = files.map("of-many-pages")
    assert bytes(mapped[-4:]) == b"weft" == bytes(mapped[:4])
    assert resident_pages("of-many-pages") > 0
    files.release(mapped)
    assert resident_pages("of-many-pages") == 0
    assert bytes(mapped) == b"weft" * (1 << 18)


def test_bytes_that_are_not_mapped_have_no_pages_to_forget(tmp_path):
    RealFiles(tmp_path).release(memoryview(b"weft"))
