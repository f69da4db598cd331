"""Reading a log: its records in order, and the bytes at a position.

Who writes the log says how far it goes; who reads the folder of another process finds out by looking at the
newest file (`whole_part`). Nothing here changes a byte, and no lock is needed: blocks are never changed once they
are whole, and a file that is removed meanwhile is passed over, or not found.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from weft_collector.errors import CorruptLog, NotFound
from weft_collector.store.blocks import body_slice
from weft_collector.store.cache import BlockCache
from weft_collector.store.files import ReadFiles
from weft_collector.store.notices import Event, Listener, Notice
from weft_collector.store.ports import Position, Record
from weft_collector.store.recovery import Extent, Lost, file_name, find_end, sound_blocks
from weft_collector.store.scan import Block, block_at
from weft_collector.telemetry import Telemetry

__all__ = ["CACHE_BYTES", "LogReader", "whole_part"]

CACHE_BYTES: Final = 32 << 20


class LogReader:
    """See SpanBytes; any thread may read.

    Args:
        files: The folder.
        telemetry: Where losses are counted.
        listener: Is told of damage, by the thread that finds it.
        cache_bytes: Inflated blocks kept for readers.
    """

    def __init__(
        self, files: ReadFiles, telemetry: Telemetry, listener: Listener, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self._files, self._telemetry, self._listener = files, telemetry, listener
        self._cache = BlockCache(cache_bytes)

    def read(self, position: Position, offset: int, length: int) -> bytes:
        """See SpanBytes."""
        key = (position.file, position.block)
        inflated = self._cache.get(key, partial(self._load, *key))
        found = body_slice(inflated, position.offset, offset, length)
        if found is None:
            raise NotFound(f"No record at {position} has bytes {offset} to {offset + length}.")
        return found

    def records(self, extents: list[Extent], stop: int) -> Iterator[tuple[Position, Record]]:
        """The records of some log files, oldest first, in constant memory; damage is counted and announced.

        Args:
            extents: The files, ascending, and how far each is read.
            stop: Sequence number behind the last block.
        """
        for found in sound_blocks(self._files, extents, stop):
            if isinstance(found, Lost):
                self._announce_loss(found)
                continue
            number, block = found
            for offset, record in block.records:
                yield Position(number, block.offset, offset), record

    def blocks(self, extent: Extent) -> Iterator[Block]:
        """The whole blocks of a log file, in order; empty if it is gone."""
        for found in sound_blocks(self._files, [extent], 1 << 62):
            if not isinstance(found, Lost):
                yield found[1]

    def _load(self, number: int, offset: int) -> bytes:
        try:
            file = self._files.open_read(file_name(number))
        except FileNotFoundError as error:
            raise NotFound(f"{file_name(number)} has been removed from the log since.") from error
        try:
            return block_at(file, offset).inflated
        except OSError as error:
            raise CorruptLog(
                f"The disk cannot read {file_name(number)} at byte {offset}: {error}."
            ) from error
        finally:
            file.close()

    def _announce_loss(self, lost: Lost) -> None:
        self._telemetry.count("log_blocks_lost", lost.reason, lost.blocks)
        text = f"{lost.blocks} block(s) of the log are {lost.reason}, noticed in {file_name(lost.file)}."
        self._listener(Notice(Event.DAMAGED, lost.file, text))


def whole_part(files: ReadFiles, numbers: Sequence[int]) -> tuple[list[Extent], int]:
    """How far some log files, the newest among them, can be read now; and the sequence number behind their last block.

    The newest may be growing, or end with what a crash has left: it counts up to its last whole block.

    Raises:
        FileNotFoundError: One of them has been removed.
        CorruptLog: The log is of a newer format, or the disk cannot read it.
    """
    extents = [Extent(number, files.size(file_name(number))) for number in numbers]
    stop = 1
    for at in reversed(range(len(extents))):
        end = find_end(files, extents[at])
        extents[at] = extents[at]._replace(size=end.offset)
        if end.sequence is not None:
            stop = end.sequence + 1
            break
    return extents, stop
