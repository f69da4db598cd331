"""The log: everything that can change an answer, in order, durable before it is acknowledged.

**Shape.** Numbered files of blocks (`blocks.py`), appended by one thread. A block starts where the one before
it ends, never spans files, and belongs to one group: `sync` closes the open block, so small groups make small
blocks and a position is never in two states. A file takes blocks until it has reached its size, so it
overruns by at most one block.

**Durable** means: the file was synced after the block was written, and the folder was synced after the file
got its name. `sync` does both before it returns; a file that is full is synced as the next one is begun.

**Failure.** After a failed write or sync nobody can say which bytes of that file will be read back after a
power loss: systems drop the pages that they failed to write and answer "all well" the next time. So no call
is ever repeated on that file. The group since the last `sync` is refused as a whole: its bytes are cut off as
far as the disk lets us, the file is given up, and the next group begins a new file *with the sequence number
that the refused group began with*. Readers leave out blocks that a later file supersedes (`recovery.py`), so
a refused group stays refused even where cutting failed. Only if the machine dies before the new file is
durable may refused blocks be read again. Their senders were told to send again, and spans are told apart by
identity, so this shows at most spans whose request was not answered with success.

Refused alternatives: writing the group again into the same file (see above); a marker record "group
cancelled" (it would need the failing disk); fixed block addresses with a table (a second thing to keep
consistent).
"""

import errno
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from weft_collector.errors import StorageFailed
from weft_collector.store.blocks import BlockBuilder, record_bytes
from weft_collector.store.files import AppendFile, Files
from weft_collector.store.log_reader import CACHE_BYTES, LogReader
from weft_collector.store.notices import Event, Listener, Notice
from weft_collector.store.opening import open_end
from weft_collector.store.ports import Position, Record
from weft_collector.store.recovery import Extent, file_name, torn_names
from weft_collector.store.scan import Block
from weft_collector.telemetry import Telemetry

__all__ = ["Log", "LogOptions"]

_RETRY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The log's sizes, all in bytes.

    Attributes:
        file_bytes: A file that has reached this size takes no further block.
        block_bytes: Inflated size at which a block is closed; a larger body gets a block of its own.
        floor_bytes: Free space of the disk below which nothing more is taken.
        cache_bytes: Inflated blocks kept for readers.
    """

    file_bytes: int = 32 << 20
    block_bytes: int = 128 << 10
    floor_bytes: int = 256 << 20
    cache_bytes: int = CACHE_BYTES


class _Mark(NamedTuple):
    """The end of what is durable: file, bytes of it, and the sequence number that follows."""

    number: int
    size: int
    sequence: int


class Log:
    """See SpanLog; opening it takes the folder's lock and cuts off a torn tail.

    Args:
        files: The folder, for this log alone.
        telemetry: Where losses and failures are counted.
        options: Sizes.
        listener: Is told of removed files and of damage, by the thread that finds them.

    Raises:
        FolderInUse: Another process holds the folder.
        CorruptLog: The log is of a newer format, or the disk cannot read it.
        StorageFailed: The disk refuses to be written.
    """

    def __init__(
        self,
        files: Files,
        telemetry: Telemetry,
        options: LogOptions | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._files = files
        self._telemetry = telemetry
        self._options = options or LogOptions()
        self._listener = listener or _ignore
        self._reader = LogReader(files, telemetry, self._listener, self._options.cache_bytes)
        self._builder = BlockBuilder()
        self._closed = False
        self._rolled = 0  # the last file that takes no more blocks
        with ExitStack() as stack:
            self._lock = files.lock()
            stack.callback(self._lock.close)
            end = open_end(files, telemetry, self._listener)
            stack.pop_all()
        self._sizes = end.sizes
        self._number = max(end.sizes, default=0)
        self._sequence = end.sequence
        self._file: AppendFile | None = None
        self._named = True  # the open file's name is durable
        self._durable = self._here()

    @property
    def numbers(self) -> list[int]:
        """See SpanLog."""
        return sorted(self._sizes.copy())

    @property
    def files(self) -> int:
        """How many log files there are."""
        return len(self._sizes)

    @property
    def size_bytes(self) -> int:
        """Bytes of all log files together."""
        return sum(list(self._sizes.values()))  # list() copies in one step, whatever the writer does

    def append(self, records: Sequence[Record]) -> list[Position]:
        """See SpanLog."""
        with self._refusing("floor"):
            self._check_floor(sum(map(record_bytes, records)))
        with self._refusing("append"):
            return [self._append(record) for record in records]

    def sync(self) -> None:
        """See SpanLog."""
        with self._refusing("append"):
            self._close_block()
        if self._here() != self._durable:
            with self._refusing("sync"):
                self._sync_file()
            self._durable = self._here()

    def read(self, position: Position, offset: int, length: int) -> bytes:
        """See SpanLog."""
        return self._reader.read(position, offset, length)

    def replay(self, first: int = 0) -> Iterator[tuple[Position, Record]]:
        """See SpanLog."""
        durable = self._durable
        sizes = {**self._sizes, durable.number: durable.size}
        extents = [
            Extent(number, sizes[number]) for number in sorted(sizes) if first <= number <= durable.number
        ]
        yield from self._reader.records(extents, durable.sequence)

    def roll(self, number: int) -> None:
        """See SpanLog."""
        self._rolled = number

    def blocks(self, number: int) -> Iterator[Block]:
        """See SpanLog."""
        durable = self._durable
        size = durable.size if number == durable.number else self._sizes.get(number, 0)
        return self._reader.blocks(Extent(number, size))

    def remove(self, number: int) -> None:
        """See SpanLog."""
        for name in [*torn_names(self._files, number), file_name(number)]:
            self._files.remove(name)
        self._sizes.pop(number, None)
        text = f"{file_name(number)} and all that was made of it was removed: it is over the limits of retention."
        self._listener(Notice(Event.REMOVED, number, text))

    def close(self) -> None:
        """See SpanLog."""
        self._closed = True
        self._give_up_file()
        self._lock.close()

    # ---- appending

    def _append(self, record: Record) -> Position:
        size = record_bytes(record)
        if self._builder.size and self._builder.size + size > self._options.block_bytes:
            self._close_block()
        if not self._builder.size:
            self._choose_file()
        position = Position(self._number, self._sizes[self._number], self._builder.add(record))
        if self._builder.size >= self._options.block_bytes:
            self._close_block()
        return position

    def _choose_file(self) -> None:
        """Go on in the open file if it has room, else in a new one."""
        if self._closed:
            raise StorageFailed("The log is closed.", _RETRY_SECONDS)
        has_room = self._sizes.get(self._number, 0) < self._options.file_bytes and self._rolled < self._number
        if self._file is not None and has_room:
            return
        self._sync_file()
        self._give_up_file()
        self._number += 1
        self._file = self._files.create(file_name(self._number))
        self._sizes[self._number] = 0
        self._named = False

    def _close_block(self) -> None:
        if self._file is not None and self._builder.size:
            data = self._builder.finish(self._sequence)
            self._file.write(data)
            self._sequence += 1
            self._sizes[self._number] += len(data)
            self._telemetry.count("log_bytes_written", amount=len(data))

    def _sync_file(self) -> None:
        if self._file is not None:
            self._file.sync()
            if not self._named:
                self._files.sync_folder()
                self._named = True

    def _here(self) -> _Mark:
        return _Mark(self._number, self._sizes.get(self._number, 0), self._sequence)

    def _give_up_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # what matters was synced; what was not is refused
                file.close()

    # ---- failure

    @contextmanager
    def _refusing(self, step: str) -> Generator[None, None, None]:
        try:
            yield
        except OSError as error:
            self._telemetry.count("log_failures", step)
            if step != "floor" or self._builder.size or self._here() != self._durable:
                self._refuse_group()
            text = f"The log could not be written ({step}): {error}."
            self._listener(Notice(Event.REFUSED, self._number, text))
            raise StorageFailed(text, _RETRY_SECONDS) from error

    def _refuse_group(self) -> None:
        """Give up the file and go back to the durable end; see the theory above."""
        self._builder.clear()
        self._give_up_file()
        durable = self._durable
        if durable.number in self._sizes:
            self._sizes[durable.number] = durable.size
        with suppress(OSError):
            # From the end backwards, so that whatever is left is the group's beginning and has no holes.
            for number in sorted([n for n in self.numbers if n > durable.number], reverse=True):
                self._files.remove(file_name(number))
                del self._sizes[number]
            self._files.sync_folder()
            if durable.number in self._sizes:
                self._files.truncate(file_name(durable.number), durable.size)
        self._sequence = durable.sequence

    def _check_floor(self, wanted: int) -> None:
        free = self._files.free_bytes()
        if free - wanted < self._options.floor_bytes:
            floor = self._options.floor_bytes
            raise OSError(errno.ENOSPC, f"{free} bytes are free on the disk, and {floor} must stay free")


def _ignore(_notice: Notice) -> None:
    pass
