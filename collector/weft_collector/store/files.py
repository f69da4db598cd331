"""The file layer: every durable byte of the store goes through these few calls.

`Files` is the contract, which the suite in `tests/contract` checks; `RealFiles` is the operating system's
disk, and `weft_collector.testing` has one in memory that forgets what was not synced. `ReadFiles` is the part of
it that changes nothing: who is given no more than that can read a folder that is another's.

What "durable" takes differs between systems, and only this file knows. `fdatasync` is enough on Linux, as it
also writes the size that is needed to read the bytes back. macOS answers both `fsync` and `fdatasync` out of
the drive's cache; `F_FULLFSYNC` empties that.
"""

import fcntl
import mmap
import os
from pathlib import Path
from typing import Final, Protocol

from weft_collector.errors import FolderInUse

__all__ = [
    "LOCK_NAME",
    "AppendFile",
    "Files",
    "FolderLock",
    "FolderReader",
    "ReadFile",
    "ReadFiles",
    "RealFiles",
]

LOCK_NAME: Final = "lock"
_FULL_SYNC: Final[int | None] = getattr(fcntl, "F_FULLFSYNC", None)


class AppendFile(Protocol):
    """A file that is open at its end, for one thread."""

    def write(self, data: bytes | memoryview) -> None:
        """Write all bytes at the end, or raise OSError after having written any part of them."""
        ...

    def sync(self) -> None:
        """Make the file's bytes durable; after an OSError nothing is known of unsynced bytes."""
        ...

    def close(self) -> None:
        """Close without syncing; safe twice."""
        ...


class ReadFile(Protocol):
    """A file that is open for reading; it can be read to the end even when its name is removed meanwhile."""

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes there: fewer than `length` only at the end of the file, empty behind it."""
        ...

    def close(self) -> None:
        """Close; safe twice."""
        ...


class FolderLock(Protocol):
    """The exclusive right to a folder, as long as it is open and the process lives."""

    def close(self) -> None:
        """Give the right back; safe twice."""
        ...


class ReadFiles(Protocol):
    """The files of one folder, addressed by plain names, for somebody who changes nothing.

    Every method raises OSError when the system refuses, FileNotFoundError for a name that is not there.
    """

    def names(self) -> list[str]:
        """Names of the files in the folder, sorted."""
        ...

    def open_read(self, name: str) -> ReadFile:
        """Open an existing file for reading."""
        ...

    def map(self, name: str) -> memoryview:
        """The file's bytes, read as they are looked at; they stay readable when its name is removed."""
        ...

    def release(self, view: memoryview) -> None:
        """Give back the memory that a mapped file takes; its bytes are read again when they are looked at."""
        ...

    def size(self, name: str) -> int:
        """Bytes in the file."""
        ...


class Files(ReadFiles, Protocol):
    """The files of one folder, for its owner.

    Durability is as on a POSIX disk: bytes survive a crash after the file's `sync`, names (created, renamed,
    removed) after `sync_folder`; anything else may survive, in whole, in part or not at all. Errors are those
    of ReadFiles.
    """

    def create(self, name: str) -> AppendFile:
        """Open a new, empty file; one of that name is emptied."""
        ...

    def truncate(self, name: str, size: int) -> None:
        """Cut the file to `size` bytes, and make those durable."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file that has it is replaced in one step."""
        ...

    def remove(self, name: str) -> None:
        """Remove a name."""
        ...

    def sync_folder(self) -> None:
        """Make names durable."""
        ...

    def free_bytes(self) -> int:
        """Bytes that the file system still offers to this process."""
        ...

    def lock(self) -> FolderLock:
        """Take the folder for this process alone.

        Raises:
            FolderInUse: Another process, or another lock of this one, holds it; the text names its process id
                if known.
        """
        ...


def _sync(descriptor: int) -> None:
    if _FULL_SYNC is None:
        os.fdatasync(descriptor)
    else:
        fcntl.fcntl(descriptor, _FULL_SYNC)


class _Descriptor:
    """A file descriptor that is closed once."""

    def __init__(self, path: Path, flags: int) -> None:
        self._fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._fd)


class _RealAppendFile(_Descriptor):
    def write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]

    def sync(self) -> None:
        _sync(self._fd)


class _RealReadFile(_Descriptor):
    def read_at(self, offset: int, length: int) -> bytes:
        # One pread moves at most 2 GiB and may be cut short by a signal; only an empty one is the end.
        data = os.pread(self._fd, length, offset)
        while data and len(data) < length:
            more = os.pread(self._fd, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data


class _RealLock(_Descriptor):
    """`flock` on a file that names the holder; the system gives it back when the process dies."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            self.close()
            raise FolderInUse(_in_use(path.parent, holder)) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)


def _in_use(folder: Path, holder: str) -> str:
    who = f"process {holder}" if holder.isdigit() else "another process"
    return f"{folder} is in use by {who}: stop it, or choose another data folder."


class FolderReader:
    """See ReadFiles: a folder of the operating system, which is there.

    Args:
        folder: Path of the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """See ReadFiles; the lock's own file is left out."""
        with os.scandir(self._folder) as entries:
            return sorted(e.name for e in entries if e.name != LOCK_NAME and e.is_file(follow_symlinks=False))

    def open_read(self, name: str) -> ReadFile:
        """See ReadFiles."""
        return _RealReadFile(self._folder / name, os.O_RDONLY)

    def map(self, name: str) -> memoryview:
        """See ReadFiles."""
        with (self._folder / name).open("rb") as file:
            if not self.size(name):
                return memoryview(b"")  # no mapping can be empty
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def release(self, view: memoryview) -> None:
        """See Files."""
        if isinstance(view.obj, mmap.mmap):
            view.obj.madvise(mmap.MADV_DONTNEED)

    def size(self, name: str) -> int:
        """See ReadFiles."""
        return (self._folder / name).stat().st_size


class RealFiles(FolderReader):
    """See Files; a missing folder is made, for its owner only.

    Args:
        folder: Path of the folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self, name: str) -> AppendFile:
        """See Files."""
        return _RealAppendFile(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC)

    def truncate(self, name: str, size: int) -> None:
        """See Files."""
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, size)
            _sync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        """See Files."""
        (self._folder / old).replace(self._folder / new)

    def remove(self, name: str) -> None:
        """See Files."""
        (self._folder / name).unlink()

    def sync_folder(self) -> None:
        """See Files."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self) -> int:
        """See Files."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def lock(self) -> FolderLock:
        """See Files."""
        return _RealLock(self._folder / LOCK_NAME)
