r"""The index file of a segment: named sections of bytes, each readable in place.

    magic "WeftIdx\n" | format u16 | sections u16 | for each: name 16 bytes, offset u64, size u64, checksum u32
    | checksum of all before | sections, each at a multiple of 64

Numbers are little-endian, checksums CRC-32. Opening checks the header alone, so that a hundred segments open in
no time; `damaged` checks the sections too.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple

from weft_collector.errors import CorruptLog

__all__ = ["FILLER", "VERSION", "IndexFile", "index_bytes"]

VERSION: Final = 3
_MAGIC: Final = b"WeftIdx\n"
_HEAD: Final = struct.Struct("<8sHH")
_ROW: Final = struct.Struct("<16sQQI")
_CHECKSUM: Final = struct.Struct("<I")
_ALIGN: Final = 64
FILLER: Final = "(filler)"


class _Place(NamedTuple):
    offset: int
    size: int
    checksum: int


def index_bytes(sections: Mapping[str, bytes]) -> bytes:
    """An index file of these sections."""
    at = _HEAD.size + len(sections) * _ROW.size + _CHECKSUM.size
    head, body = [_HEAD.pack(_MAGIC, VERSION, len(sections))], list[bytes]()
    for name, content in sections.items():
        filler = -at % _ALIGN
        head.append(_ROW.pack(name.encode(), at + filler, len(content), zlib.crc32(content)))
        body += [bytes(filler), content]
        at += filler + len(content)
    start = b"".join(head)
    return b"".join([start, _CHECKSUM.pack(zlib.crc32(start)), *body])


class IndexFile:
    """An index file.

    Args:
        view: Its bytes, mapped.
        name: Its name, for messages.

    Raises:
        CorruptLog: It is none.
    """

    def __init__(self, view: memoryview, name: str) -> None:
        self._view = view
        try:
            self._places = _places(view)
        except (ValueError, struct.error) as error:
            raise CorruptLog(f"{name} is no whole index: `weft rebuild` makes it anew.") from error

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sections."""
        return tuple(self._places)

    def section(self, name: str) -> memoryview:
        """The bytes of a section; empty if there is none."""
        place = self._places.get(name, _Place(0, 0, 0))
        return self._view[place.offset : place.offset + place.size]

    def damaged(self) -> list[str]:
        """Names of the sections whose bytes are not those that were written; of the bytes between them, FILLER."""
        wrong = [n for n, place in self._places.items() if zlib.crc32(self.section(n)) != place.checksum]
        return wrong if self._filler_is_whole() else [*wrong, FILLER]

    def _filler_is_whole(self) -> bool:
        at = _HEAD.size + len(self._places) * _ROW.size + _CHECKSUM.size
        for place in self._places.values():
            if any(self._view[at : place.offset]):
                return False
            at = place.offset + place.size
        return at == len(self._view)


def _places(view: memoryview) -> dict[str, _Place]:
    magic, version, count = _HEAD.unpack_from(view)
    end = _HEAD.size + count * _ROW.size
    if magic != _MAGIC or version != VERSION or _CHECKSUM.unpack_from(view, end)[0] != zlib.crc32(view[:end]):
        raise ValueError("not an index")
    rows = [_ROW.unpack_from(view, _HEAD.size + i * _ROW.size) for i in range(count)]
    return {name.rstrip(b"\0").decode(): _Place(*place) for name, *place in rows}
