"""Finding the blocks of one log file, whole or damaged.

Blocks follow each other without a hole. Where the bytes at the next place are no whole block there is a gap.
It ends where the damaged block's own header says, if that header is whole; otherwise at the next place that
looks like a header, has a right checksum, and a sequence number that there is room for since the file's first
block.

A search may come upon bytes inside a sender's body that are made to look like a block. Such a block costs
nothing: it holds no more than its sender could send anyway, and no decision about another block depends on
it. That is why the last condition looks at the file's first block only, and not at the one before.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from weft_collector.errors import CorruptLog
from weft_collector.store.blocks import (
    HEADER_BYTES,
    MAGIC,
    BlockHeader,
    count_records,
    inflate_block,
    parse_header,
    records_of,
)
from weft_collector.store.files import ReadFile
from weft_collector.store.ports import Record

__all__ = ["Block", "Gap", "block_at", "scan"]

_SEARCH_BYTES: Final = 1 << 20
_HIGHEST_SEQUENCE: Final = 1 << 62


class Block(NamedTuple):
    """A whole block.

    Attributes:
        offset: Its place in the file.
        sequence: Its number in the log.
        size: Its bytes in the file.
        inflated: Its records as one run of bytes.
    """

    offset: int
    sequence: int
    size: int
    inflated: bytes

    @property
    def records(self) -> Iterator[tuple[int, Record]]:
        """Its records, each with the offset of its body in `inflated`; bodies are copies."""
        return records_of(self.inflated)


class Gap(NamedTuple):
    """Bytes that are no whole block, and what is wrong with them."""

    offset: int
    size: int
    reason: str


def block_at(file: ReadFile, offset: int) -> Block:
    """The block that begins at `offset`.

    Raises:
        CorruptLog: There is no whole block.
    """
    header = parse_header(file.read_at(offset, HEADER_BYTES))
    if header is None:
        raise CorruptLog("no block header")
    return _load(file, offset, header)


def _load(file: ReadFile, offset: int, header: BlockHeader) -> Block:
    payload = file.read_at(offset + HEADER_BYTES, header.payload)
    inflated = inflate_block(header, payload)
    if count_records(inflated) != header.records:
        raise CorruptLog("the block holds another number of records than its header says")
    return Block(offset, header.sequence, header.size, inflated)


def scan(file: ReadFile, size: int) -> Iterator[Block | Gap]:
    """The blocks and gaps of a file, in order; together they cover it.

    Args:
        file: The file.
        size: How many of its bytes to look at.

    Raises:
        CorruptLog: A block is of a format that this program does not know.
    """
    first = _header_at(file, 0, size)
    offset = 0
    while offset < size:
        found = _block_or_gap(file, offset, size, first)
        yield found
        offset += found.size


def _header_at(file: ReadFile, offset: int, size: int) -> BlockHeader | None:
    return parse_header(file.read_at(offset, min(HEADER_BYTES, size - offset)))


def _block_or_gap(file: ReadFile, offset: int, size: int, first: BlockHeader | None) -> Block | Gap:
    header = _header_at(file, offset, size)
    if header is None:
        end = _next_header(file, offset, size, first)
        return Gap(offset, end - offset, "header")
    if offset + header.size > size:
        return Gap(offset, size - offset, "unfinished")
    try:
        return _load(file, offset, header)
    except CorruptLog:
        return Gap(offset, header.size, "payload")


def _next_header(file: ReadFile, start: int, size: int, first: BlockHeader | None) -> int:
    """Where the next credible header behind `start` is, else `size`."""
    for place in _places_of_magic(file, start + 1, size):
        header = _searched_header(file, place)
        highest = _HIGHEST_SEQUENCE if first is None else first.sequence + place // HEADER_BYTES
        if header is not None and place + header.size <= size and header.sequence <= highest:
            return place
    return size


def _searched_header(file: ReadFile, place: int) -> BlockHeader | None:
    try:
        return parse_header(file.read_at(place, HEADER_BYTES))
    except CorruptLog:
        return None  # at a place that is only searched, an unknown version is no reason to stop


def _places_of_magic(file: ReadFile, start: int, size: int) -> Iterator[int]:
    while start < size:
        window = file.read_at(start, min(_SEARCH_BYTES, size - start))
        at = window.find(MAGIC)
        while at >= 0:
            yield start + at
            at = window.find(MAGIC, at + 1)
        # The next window overlaps by all but one byte of a magic that the border may cut.
        start += max(len(window) - len(MAGIC) + 1, 1)
