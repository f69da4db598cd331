"""Stand-ins for tests of what is built on the collector: a disk that forgets, and a clock set by hand."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from weft_collector.errors import FolderInUse
from weft_collector.store.files import AppendFile, FolderLock, ReadFile

__all__ = ["Crashed", "ForgetfulFiles", "ManualClock"]


class Crashed(Exception):  # noqa: N818 - it is an event, not an error of the program
    """The power went; until `ForgetfulFiles.crash` brings the disk back, every call raises this."""


class ManualClock:
    """A clock that moves when it is told to.

    Args:
        now_ns: Its first time, in ns since the epoch.
    """

    def __init__(self, now_ns: int = 1_700_000_000_000_000_000) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        """The time, in ns since the epoch."""
        return self.now_ns

    def advance(self, seconds: float) -> None:
        """Move on by some seconds."""
        self.now_ns += round(seconds * 1e9)


@dataclass(slots=True, eq=False)
class _Inode:
    """A file's bytes as processes see them and as the disk has them."""

    live: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    failed: bool = (
        False  # a sync failed: the system took the pages for clean, later syncs do nothing for them
    )

    def sync(self) -> None:
        if not self.failed:
            self.durable = bytes(self.live)

    def crash(self, kept: int) -> None:
        tail = bytes(self.live[len(self.durable) :][:kept]) if self.live.startswith(self.durable) else b""
        self.live = bytearray(self.durable + tail)
        self.durable, self.failed = bytes(self.live), False


class _AppendFile:
    def __init__(self, disk: "ForgetfulFiles", inode: _Inode) -> None:
        self._disk, self._inode = disk, inode

    def write(self, data: bytes | memoryview) -> None:
        try:
            self._disk.step("write")
        except (OSError, Crashed):
            self._inode.live += data[: len(data) // 2]
            raise
        self._inode.live += data

    def sync(self) -> None:
        try:
            self._disk.step("sync")
        except OSError:
            self._inode.failed = True
            raise
        self._inode.sync()

    def close(self) -> None:
        pass


class _ReadFile:
    def __init__(self, inode: _Inode) -> None:
        self._inode = inode

    def read_at(self, offset: int, length: int) -> bytes:
        return bytes(self._inode.live[offset : offset + length])

    def close(self) -> None:
        pass


class _Lock:
    def __init__(self, disk: "ForgetfulFiles") -> None:
        self._disk = disk
        disk.locked_by = self

    def close(self) -> None:
        if self._disk.locked_by is self:
            self._disk.locked_by = None


class ForgetfulFiles:
    """A folder in memory that forgets, at a crash, whatever was not synced, names included.

    Every call that changes the disk is one step: write, sync, create, truncate, rename, remove, sync_folder.
    Steps can be made to fail by their kind and number, and the power can go at any step.

    Attributes:
        steps: The kinds of the steps taken so far, in order.
        free: What `free_bytes` answers.
    """

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.free = 1 << 40
        self.locked_by: _Lock | None = None
        self._live: dict[str, _Inode] = {}
        self._durable: dict[str, _Inode] = {}
        self._failures: dict[tuple[str, int], int] = {}
        self._crash_at: int | None = None

    def fail(self, kind: str, nth: Sequence[int] = (1,), error: int = errno.EIO) -> None:
        """Let coming steps of a kind raise OSError.

        Args:
            kind: Kind of the steps.
            nth: Which ones, counted from now on: 1 is the next.
            error: The errno.
        """
        taken = self.steps.count(kind)
        self._failures |= {(kind, taken + n): error for n in nth}

    def crash_at(self, step: int) -> None:
        """Let the power go instead of the given step, counted from now on: 1 is the next."""
        self._crash_at = len(self.steps) + step

    def crash(self, *, kept_bytes: int = 0, kept_names: bool = False) -> None:
        """Lose what was not synced, and let the disk work again.

        Args:
            kept_bytes: How many unsynced bytes at the end of each file survive by luck.
            kept_names: Whether unsynced names survive by luck.
        """
        self._live = dict(self._live if kept_names else self._durable)
        self._durable = dict(self._live)
        for inode in self._live.values():
            inode.crash(kept_bytes)
        self.kill()

    def kill(self) -> None:
        """End the process that uses the disk: its lock goes, what it wrote stays in the system's cache."""
        self.locked_by, self._crash_at = None, None
        self._failures.clear()

    def step(self, kind: str) -> None:
        """Note a step, and fail or crash if that was asked for."""
        if self._crash_at is not None and len(self.steps) + 1 >= self._crash_at:
            raise Crashed(f"power lost before step {self._crash_at}, {kind}")
        self.steps.append(kind)
        error = self._failures.get((kind, self.steps.count(kind)))
        if error is not None:
            raise OSError(error, os.strerror(error))

    def names(self) -> list[str]:
        """See Files."""
        return sorted(self._live)

    def create(self, name: str) -> AppendFile:
        """See Files."""
        self.step("create")
        inode = self._live.setdefault(name, _Inode())
        inode.live.clear()
        return _AppendFile(self, inode)

    def open_read(self, name: str) -> ReadFile:
        """See Files."""
        return _ReadFile(self._inode(name))

    def map(self, name: str) -> memoryview:
        """See Files."""
        return memoryview(bytes(self._inode(name).live))

    def release(self, view: memoryview) -> None:
        """See Files: this one is in memory."""

    def size(self, name: str) -> int:
        """See Files."""
        return len(self._inode(name).live)

    def truncate(self, name: str, size: int) -> None:
        """See Files."""
        inode = self._inode(name)
        self.step("truncate")
        del inode.live[size:]
        inode.sync()

    def rename(self, old: str, new: str) -> None:
        """See Files."""
        inode = self._inode(old)
        self.step("rename")
        self._live[new] = inode
        del self._live[old]

    def remove(self, name: str) -> None:
        """See Files."""
        self._inode(name)
        self.step("remove")
        del self._live[name]

    def sync_folder(self) -> None:
        """See Files."""
        self.step("sync_folder")
        self._durable = dict(self._live)

    def free_bytes(self) -> int:
        """See Files."""
        return self.free

    def lock(self) -> FolderLock:
        """See Files."""
        if self.locked_by is not None:
            raise FolderInUse("the folder in memory is in use by another process")
        return _Lock(self)

    def damage(self, name: str, offset: int, flip: int = 0xFF) -> None:
        """Change one byte of a file on the disk, as a decaying medium does."""
        inode = self._inode(name)
        inode.live[offset] ^= flip
        inode.sync()

    def content(self, name: str) -> bytes:
        """A file's bytes as processes see them."""
        return bytes(self._inode(name).live)

    def put(self, name: str, content: bytes) -> None:
        """Set a file's durable bytes, as a restored backup does."""
        self._live[name] = self._durable[name] = _Inode(bytearray(content), content)

    def _inode(self, name: str) -> _Inode:
        if self._crash_at is not None and len(self.steps) + 1 >= self._crash_at:
            raise Crashed("the power is off")
        try:
            return self._live[name]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from None
