"""What every file layer promises; a test class inherits `FilesContract` and says how to make one."""

import pytest

from weft_collector.errors import FolderInUse
from weft_collector.store.files import Files


def read(files: Files, name: str) -> bytes:
    file = files.open_read(name)
    try:
        return file.read_at(0, files.size(name) + 1)
    finally:
        file.close()


def write(files: Files, name: str, *parts: bytes) -> None:
    file = files.create(name)
    for part in parts:
        file.write(part)
    file.sync()
    file.close()


class FilesContract:
    """Inherit, and give a fixture `files`: an empty folder."""

    def test_a_new_folder_is_empty(self, files):
        assert files.names() == []

    def test_written_parts_are_read_back_in_order(self, files):
        write(files, "a", b"one", b"", b"two")
        assert read(files, "a") == b"onetwo"
        assert files.size("a") == 6

    def test_names_are_sorted(self, files):
        for name in ("b", "c", "a"):
            write(files, name)
        assert files.names() == ["a", "b", "c"]

    def test_what_is_written_is_read_before_it_is_synced(self, files):
        file = files.create("a")
        file.write(b"early")
        assert read(files, "a") == b"early"
        file.close()

    def test_creating_an_existing_file_empties_it(self, files):
        write(files, "a", b"old")
        files.create("a").close()
        assert read(files, "a") == b""

    def test_truncating_cuts_the_end_off(self, files):
        write(files, "a", b"onetwo")
        files.truncate("a", 3)
        assert read(files, "a") == b"one"

    def test_writing_goes_on_at_the_new_end_after_truncating(self, files):
        file = files.create("a")
        file.write(b"onetwo")
        files.truncate("a", 3)
        file.write(b"!")
        file.close()
        assert read(files, "a") == b"one!"

    @pytest.mark.parametrize(
        ("offset", "length", "found"),
        [(0, 3, b"012"), (4, 3, b"456"), (8, 5, b"89"), (10, 1, b""), (50, 1, b""), (3, 0, b"")],
    )
    def test_reading_stops_at_the_end_of_the_file(self, files, offset, length, found):
        write(files, "a", b"0123456789")
        file = files.open_read("a")
        assert file.read_at(offset, length) == found
        file.close()

    def test_a_file_open_for_reading_outlives_its_name(self, files):
        write(files, "a", b"still here")
        file = files.open_read("a")
        files.remove("a")
        assert files.names() == []
        assert file.read_at(0, 5) == b"still"
        file.close()

    def test_renaming_replaces_the_file_of_that_name(self, files):
        write(files, "a", b"new")
        write(files, "b", b"old")
        files.rename("a", "b")
        files.sync_folder()
        assert files.names() == ["b"]
        assert read(files, "b") == b"new"

    @pytest.mark.parametrize(
        "call",
        [
            lambda f: f.open_read("no"),
            lambda f: f.size("no"),
            lambda f: f.truncate("no", 0),
            lambda f: f.rename("no", "b"),
            lambda f: f.remove("no"),
        ],
    )
    def test_a_missing_name_is_file_not_found(self, files, call):
        with pytest.raises(FileNotFoundError):
            call(files)

    def test_closing_twice_is_safe(self, files):
        write(files, "a", b"x")
        for handle in (files.create("a"), files.open_read("a"), files.lock()):
            handle.close()
            handle.close()

    def test_there_is_free_space(self, files):
        assert files.free_bytes() > 0

    def test_a_folder_is_locked_once_until_the_lock_is_closed(self, files):
        lock = files.lock()
        with pytest.raises(FolderInUse, match="in use by"):
            files.lock()
        lock.close()
        files.lock().close()

    def test_the_lock_is_no_file_of_the_folder(self, files):
        lock = files.lock()
        assert files.names() == []
        lock.close()
