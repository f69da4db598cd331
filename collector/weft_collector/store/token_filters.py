"""The token filters of a segment: which of its log blocks are worth a look.

All filters lie behind each other in one run of lines, so that a search asks every block of a segment in one call,
and so that a file of filters can be mapped and asked as it is. `docs/segments.md` has the bytes:

    8 bytes     magic
    4 bytes     number of blocks, n
    4 bytes     0
    4 n bytes   offsets of the blocks in the log file, ascending
    4 n bytes   lines of each block's filter; 0 for one that may hold everything
    to the next multiple of 64: zeros
    64 bytes each: the lines, in the order of the blocks

Checksums are the caller's. Sizes are checked here, so that no probe leaves the bytes whatever they say.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.errors import CorruptLog
from weft_collector.store.bloom import LINE_BYTES, Filter, Filters, fitting

__all__ = ["TokenFilters"]

_MAGIC: Final = b"WeftTok\n"
_HEADER_BYTES: Final = 16


class TokenFilters:
    """The filters of some blocks; nothing changes once it is made, and any thread may ask.

    Args:
        blocks: Offsets of the blocks, ascending.
        lines: Lines of each block's filter.
        words: The filters behind each other.

    Raises:
        ValueError: These do not fit each other.
    """

    def __init__(
        self, blocks: NDArray[np.uint32], lines: NDArray[np.uint32], words: NDArray[np.uint64]
    ) -> None:
        ends = np.cumsum(lines, dtype=np.int64)
        if len(blocks) != len(lines) or words.nbytes != (int(ends[-1]) if len(ends) else 0) * LINE_BYTES:
            raise ValueError("blocks, lines and words of token filters do not fit each other")
        if not (blocks[1:] > blocks[:-1]).all():
            raise ValueError("the blocks of token filters are not in order")
        self.blocks = blocks
        self._lines = lines
        self._words = np.ascontiguousarray(words)
        places = self._words.ctypes.data + LINE_BYTES * (ends - lines)
        self._filters = Filters(places, lines.astype(np.int64))

    @classmethod
    def of(cls, filters: Iterable[tuple[int, Filter]]) -> "TokenFilters":
        """Put filters together, each with the offset of its block, in the order of the log file."""
        pairs = list(filters)
        lines = [words.nbytes // LINE_BYTES for _, words in pairs]
        words = np.concatenate([np.zeros(0, np.uint64), *(words for _, words in pairs)])
        return cls(np.array([block for block, _ in pairs], np.uint32), np.array(lines, np.uint32), words)

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> "TokenFilters":
        """What `to_bytes` made. Nothing is copied: `data` may be a mapped file.

        A probe touches one line of the processor's cache where `data` begins at a multiple of 64, else two.

        Raises:
            CorruptLog: These are no token filters.
        """
        view = np.frombuffer(data, np.uint8)
        if len(view) < _HEADER_BYTES or bytes(view[:8]) != _MAGIC:
            raise CorruptLog("These bytes are no token filters.")
        count = int(view[8:12].view("<u4")[0])
        start = _start_of_lines(count)
        if start > len(view) or (len(view) - start) % LINE_BYTES:
            raise CorruptLog("The token filters are cut off.")
        numbers = view[_HEADER_BYTES : _HEADER_BYTES + 8 * count].view("<u4")
        try:
            return cls(numbers[:count], numbers[count:], view[start:].view("<u8"))
        except ValueError as error:
            raise CorruptLog(f"The token filters are damaged: {error}.") from error

    def to_bytes(self) -> bytes:
        """The bytes of a file, without any checksum."""
        count = len(self.blocks)
        head = _MAGIC + count.to_bytes(8, "little")
        head += self.blocks.astype("<u4").tobytes() + self._lines.astype("<u4").tobytes()
        return head.ljust(_start_of_lines(count), b"\0") + self._words.astype("<u8").tobytes()

    @property
    def size_bytes(self) -> int:
        """Bytes of the filters in memory."""
        return self._words.nbytes

    def blocks_with(self, tokens: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint32]:
        """See SpanTable: offsets of the blocks that may hold, for each condition, one of its tokens."""
        found: NDArray[np.uint32] = self.blocks[fitting(self._filters, tokens)]
        return found


def _start_of_lines(count: int) -> int:
    return -(-(_HEADER_BYTES + 8 * count) // LINE_BYTES) * LINE_BYTES
