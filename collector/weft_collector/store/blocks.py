"""The bytes of a block and of the records inside it; `docs/log-format.md` is the normative text.

A block is a header of 40 bytes and a zstd frame of records. Header and payload have checksums of their own:
where the header is whole, a damaged payload is stepped over exactly; only a damaged header has to be searched
past. Numbers are little-endian. The first 12 bytes and the place of the header's checksum hold for every
format version to come, so that an older program can tell "newer" from "damaged" and leaves such a log alone.

The frame carries no content size and no checksum of its own: the header has both. Matches are sought as by
level 1, but literals are left as they are (a target length of 1) and the window is what a core's own cache
holds: a fifth to a third less time for 3 to 7 % more bytes. Spans pack 6.5 to 7 fold so. Refused: level -1
and below, which save no more time and lose much more; level 3, half as fast; lz4, which packs a quarter less.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import zstandard
from isal.isal_zlib import crc32

from weft_collector.errors import CorruptLog
from weft_collector.store.ports import Record
from weft_collector.wire.limits import LARGEST_BODY

__all__ = [
    "HEADER_BYTES",
    "MAGIC",
    "MOST_INFLATED",
    "RECORD_BODY_BYTES",
    "RECORD_BYTES",
    "BlockBuilder",
    "BlockHeader",
    "body_slice",
    "count_records",
    "inflate_block",
    "parse_header",
    "record_bytes",
    "records_of",
]

MAGIC: Final = b"WeftBlk\n"
FORMAT_VERSION: Final = 1
CODEC_ZSTD: Final = 1
_ZSTD: Final = zstandard.ZstdCompressionParameters(
    compression_level=1, window_log=18, hash_log=14, min_match=5, target_length=1, write_content_size=False
)

# magic, format version, codec, sequence number, inflated bytes, payload bytes, records, checksum of the
# payload
_FIELDS: Final = struct.Struct("<8sHHQIIII")
_CHECKSUM: Final = struct.Struct("<I")
HEADER_BYTES: Final = _FIELDS.size + _CHECKSUM.size

# kind, transport, zero, body bytes, arrival, limits version, rejected spans
_RECORD: Final = struct.Struct("<HBBIqII")
#: Bytes before a record's body, and where among them the size of the body stands (32 bits).
RECORD_BYTES: Final = _RECORD.size
RECORD_BODY_BYTES: Final = 4
#: The most that a block holds: one record with the largest body. What does not shrink grows by less than a 256th.
MOST_INFLATED: Final = RECORD_BYTES + LARGEST_BODY
_MOST_PAYLOAD: Final = MOST_INFLATED + (MOST_INFLATED >> 8)


class BlockHeader(NamedTuple):
    """What a block's header says; sizes in bytes."""

    sequence: int
    inflated: int
    payload: int
    records: int
    checksum: int

    @property
    def size(self) -> int:
        """Bytes of the whole block, header included."""
        return HEADER_BYTES + self.payload

    @property
    def is_possible(self) -> bool:
        """Whether a writer can have written such a block: memory is made for what a header says."""
        return self.inflated <= MOST_INFLATED and self.payload <= _MOST_PAYLOAD


def parse_header(data: bytes) -> BlockHeader | None:
    """The header in these 40 bytes, or None if they are no whole header of a block that can be.

    Raises:
        CorruptLog: The header is whole, and of a version or codec that this program does not know.
    """
    if len(data) != HEADER_BYTES or not data.startswith(MAGIC):
        return None
    if _CHECKSUM.unpack_from(data, _FIELDS.size)[0] != crc32(data[: _FIELDS.size]):
        return None
    _, version, codec, *rest = _FIELDS.unpack_from(data)
    if (version, codec) != (FORMAT_VERSION, CODEC_ZSTD):
        raise CorruptLog(
            f"The log is of format {version}, codec {codec}, and this program reads format {FORMAT_VERSION}, "
            f"codec {CODEC_ZSTD}. A newer Weft wrote it: install that, or choose another data folder."
        )
    header = BlockHeader(*rest)
    return header if header.is_possible else None


def inflate_block(header: BlockHeader, payload: bytes) -> bytes:
    """The records of a block as one run of bytes.

    Raises:
        CorruptLog: The payload is not what was written.
    """
    if len(payload) != header.payload or crc32(payload) != header.checksum:
        raise CorruptLog("the payload does not match its checksum")
    try:
        if zstandard.frame_content_size(payload) > header.inflated:  # it would be believed, and made room for
            raise CorruptLog("the payload announces another length than its header says")
        inflated = zstandard.ZstdDecompressor().decompress(payload, max_output_size=header.inflated)
    except zstandard.ZstdError as error:
        raise CorruptLog(f"the payload cannot be inflated: {error}") from error
    if len(inflated) != header.inflated:
        raise CorruptLog("the payload inflates to another length than its header says")
    return inflated


def records_of(inflated: bytes) -> Iterator[tuple[int, Record]]:
    """The records of an inflated block in order, each with the offset of its body.

    Raises:
        CorruptLog: A record reaches over the end of the block.
    """
    for offset, (kind, transport, _, length, arrived_ns, limits, rejected) in _heads(inflated):
        body = inflated[offset : offset + length]
        yield offset, Record(kind, arrived_ns, transport, body, limits, rejected)


def count_records(inflated: bytes) -> int:
    """How many records an inflated block has.

    Raises:
        CorruptLog: A record reaches over the end of the block.
    """
    return sum(1 for _ in _heads(inflated))


def _heads(inflated: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The offset of each record's body, which is whole, and the fields before it."""
    offset = _RECORD.size
    while offset <= len(inflated):
        fields = _RECORD.unpack_from(inflated, offset - _RECORD.size)
        end = offset + fields[3]
        if end > len(inflated):
            raise CorruptLog("a record's body reaches over the end of its block")
        yield offset, fields
        if end == len(inflated):
            return
        offset = end + _RECORD.size
    if inflated:
        raise CorruptLog("a record's header reaches over the end of its block")


def body_slice(inflated: bytes, body: int, offset: int, length: int) -> bytes | None:
    """A part of the body that begins at `body` in an inflated block; None if it has no such part."""
    if not _RECORD.size <= body <= len(inflated):
        return None
    size = _RECORD.unpack_from(inflated, body - _RECORD.size)[3]
    if not (offset >= 0 and length >= 0 and offset + length <= size):
        return None
    return inflated[body + offset : body + offset + length]


def record_bytes(record: Record) -> int:
    """Bytes that the record takes in an inflated block."""
    return _RECORD.size + len(record.body)


class BlockBuilder:
    """Collects the records of one block."""

    def __init__(self) -> None:
        self.size = 0  # inflated bytes so far
        self._parts: list[bytes] = []
        self._compressor = zstandard.ZstdCompressor(compression_params=_ZSTD)

    def add(self, record: Record) -> int:
        """Take a record; the offset of its body in the inflated block."""
        head = _RECORD.pack(
            record.kind,
            record.transport,
            0,
            len(record.body),
            record.arrived_ns,
            record.limits,
            record.rejected,
        )
        self._parts += (head, record.body)
        offset = self.size + _RECORD.size
        self.size = offset + len(record.body)
        return offset

    def finish(self, sequence: int) -> bytes:
        """The block's bytes, numbered `sequence`; the builder is empty afterwards."""
        payload = self._compressor.compress(b"".join(self._parts))
        fields = _FIELDS.pack(
            MAGIC,
            FORMAT_VERSION,
            CODEC_ZSTD,
            sequence,
            self.size,
            len(payload),
            len(self._parts) // 2,
            crc32(payload),
        )
        self.clear()
        return fields + _CHECKSUM.pack(crc32(fields)) + payload

    def clear(self) -> None:
        """Forget the records."""
        self._parts.clear()
        self.size = 0
