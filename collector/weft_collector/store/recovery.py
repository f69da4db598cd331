"""Reading a log folder: where its end is, and what is in it.

**Sequence numbers** run through the whole log, one a block, without holes. They decide three questions:

1. *Torn or damaged?* In the newest file, bytes behind the last whole block are the end of a write that a
   crash cut short: nobody was told that they are there, so they are cut off (kept aside as `.torn`). Bad
   bytes with a whole block behind them were once durable: that is damage. It is passed over and reported, and
   never cut.
2. *How much is lost?* Where the next whole block is not the next number, the numbers between are lost:
   damaged if bad bytes lie there, missing if a whole file is gone.
3. *Refused?* After a failed write or sync the log goes on in a new file with the first number of the refused
   group. So a block whose number is not below that of every later file was refused, and is not shown, even if
   its bytes could not be cut off the failing disk.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from weft_collector.errors import CorruptLog
from weft_collector.store.files import Files, ReadFiles
from weft_collector.store.scan import Block, Gap, scan

__all__ = [
    "End",
    "Extent",
    "Lost",
    "copy_torn_tail",
    "file_name",
    "file_numbers",
    "find_end",
    "sound_blocks",
    "torn_names",
]

_NAME: Final = re.compile(r"log-(\d{8,18})\.weft")
_TORN: Final = re.compile(r"log-(\d{8,18})-\d+\.torn")
_COPY_BYTES: Final = 1 << 20


class Extent(NamedTuple):
    """A log file's number and how many of its bytes count."""

    number: int
    size: int


class End(NamedTuple):
    """Where the whole blocks of a file end, and their highest number, None if it holds none."""

    offset: int
    sequence: int | None


class Lost(NamedTuple):
    """Blocks that are not there any more: how many, the file that shows it, and `damaged` or `missing`."""

    blocks: int
    file: int
    reason: str


def file_name(number: int) -> str:
    """Name of a log file."""
    return f"log-{number:08d}.weft"


def file_numbers(files: ReadFiles) -> list[int]:
    """Numbers of the log files in the folder, ascending; foreign names are left alone."""
    return sorted(int(match[1]) for name in files.names() if (match := _NAME.fullmatch(name)))


def torn_names(files: ReadFiles, number: int) -> list[str]:
    """Names of the tails that were cut off a log file or an earlier one."""
    return [n for n in files.names() if (match := _TORN.fullmatch(n)) and int(match[1]) <= number]


def find_end(files: ReadFiles, extent: Extent) -> End:
    """The end of a file's whole blocks.

    Raises:
        CorruptLog: The file is of a newer format, or the disk cannot read it.
    """
    end = End(0, None)
    for found in _found(files, extent):
        if isinstance(found, Block):
            end = End(found.offset + found.size, max(found.sequence, end.sequence or 0))
    return end


def copy_torn_tail(files: Files, extent: Extent, end: int) -> str:
    """Copy what lies behind `end` into a file of its own, durably; its name."""
    name = f"log-{extent.number:08d}-{end}.torn"
    source, copy = files.open_read(file_name(extent.number)), files.create(name)
    try:
        for offset in range(end, extent.size, _COPY_BYTES):
            copy.write(source.read_at(offset, min(_COPY_BYTES, extent.size - offset)))
        copy.sync()
    finally:
        source.close()
        copy.close()
    files.sync_folder()
    return name


def sound_blocks(files: ReadFiles, extents: list[Extent], stop: int) -> Iterator[tuple[int, Block] | Lost]:
    """The blocks of the log in order, each with the number of its file, and what is lost between them.

    Args:
        files: The folder.
        extents: Its log files, ascending.
        stop: Sequence number behind the last block of the log.
    """
    expected = 1 if extents and extents[0].number == 1 else None
    gap = False
    for extent, bound in zip(extents, _bounds(files, extents, stop), strict=True):
        for found in _found(files, extent):
            if isinstance(found, Gap):
                gap = True
            elif found.sequence < bound:
                yield from _lost(expected, found.sequence, extent.number, gap=gap)
                yield extent.number, found
                expected, gap = max(expected or 0, found.sequence + 1), False
    if extents:
        yield from _lost(expected, stop, extents[-1].number, gap=gap)


def _lost(expected: int | None, sequence: int, file: int, *, gap: bool) -> Iterator[Lost]:
    # Where older files went by retention, it is unknown how many blocks a gap held: one at least, if any.
    blocks = min(int(gap), sequence - 1) if expected is None else sequence - expected
    if blocks > 0:
        yield Lost(blocks, file, "damaged" if gap else "missing")


def _bounds(files: ReadFiles, extents: list[Extent], stop: int) -> list[int]:
    """For each file, the lowest first number of all later ones: its own blocks from there on were refused."""
    bounds: list[int] = []
    for extent in reversed(extents):
        bounds.append(stop)
        stop = min(stop, _first_sequence(files, extent, stop))
    return bounds[::-1]


def _first_sequence(files: ReadFiles, extent: Extent, default: int) -> int:
    # Only a block at the very beginning counts: one found by a search might be bytes inside a body.
    first = next(_found(files, extent), None)
    return first.sequence if isinstance(first, Block) else default


def _found(files: ReadFiles, extent: Extent) -> Iterator[Block | Gap]:
    try:
        file = files.open_read(file_name(extent.number))
    except FileNotFoundError:
        return  # retention was faster
    try:
        yield from scan(file, extent.size)
    except OSError as error:
        name = file_name(extent.number)
        raise CorruptLog(
            f"The disk cannot read {name}: {error}. Move it away to go on without it."
        ) from error
    finally:
        file.close()
