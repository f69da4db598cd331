import random
import struct
import zlib

import pytest
import zstandard

from weft_collector.config import SETTINGS
from weft_collector.errors import CorruptLog
from weft_collector.store.blocks import (
    HEADER_BYTES,
    MAGIC,
    MOST_INFLATED,
    BlockBuilder,
    body_slice,
    inflate_block,
    parse_header,
    record_bytes,
    records_of,
)
from weft_collector.store.ports import Record

RECORDS = [
    Record(1, 1_700_000_000_000_000_000, 1, b"body", 1, 0),
    Record(65_535, -(2**63), 255, b"", 2**32 - 1, 2**32 - 1),
    Record(2, 2**63 - 1, 0, b"x" * 100_000, 7, 3),
]


def block_of(*records, sequence=1):
    builder = BlockBuilder()
    offsets = [builder.add(r) for r in records]
    return builder.finish(sequence), offsets


def split(block):
    header = parse_header(block[:HEADER_BYTES])
    return header, block[HEADER_BYTES:]


def test_records_come_back_as_they_were():
    block, offsets = block_of(*RECORDS, sequence=2**40)
    header, payload = split(block)
    assert (header.sequence, header.records, header.size) == (2**40, 3, len(block))
    assert list(records_of(inflate_block(header, payload))) == list(zip(offsets, RECORDS, strict=True))


def test_the_bytes_are_those_of_the_format_document():
    block, _ = block_of(Record(1, 5, 1, b"abc", 1, 2), sequence=9)
    payload = block[40:]
    fields = struct.pack("<8sHHQIIII", b"WeftBlk\n", 1, 1, 9, 27, len(payload), 1, zlib.crc32(payload))
    assert block[:40] == fields + struct.pack("<I", zlib.crc32(fields))
    inflated = zstandard.ZstdDecompressor().decompress(payload, max_output_size=100)
    assert inflated == struct.pack("<HBBIqII", 1, 1, 0, 3, 5, 1, 2) + b"abc"


def test_the_builder_counts_what_a_record_takes_and_starts_afresh():
    builder = BlockBuilder()
    builder.add(RECORDS[0])
    assert builder.size == record_bytes(RECORDS[0])
    builder.finish(1)
    assert builder.size == 0
    assert builder.add(RECORDS[0]) == record_bytes(RECORDS[1])
    builder.clear()
    assert builder.size == 0


@pytest.mark.parametrize("at", range(HEADER_BYTES))
def test_a_header_with_one_flipped_bit_is_no_header(at):
    block = bytearray(block_of(*RECORDS)[0])
    block[at] ^= 1
    assert parse_header(bytes(block[:HEADER_BYTES])) is None


def header_of(inflated, payload):
    fields = struct.pack("<8sHHQIIII", MAGIC, 1, 1, 1, inflated, payload, 1, 0)
    return fields + struct.pack("<I", zlib.crc32(fields))


def test_a_header_that_promises_more_than_a_block_can_hold_is_none():
    largest = {row.name: row for row in SETTINGS}["inflated_bytes"].most
    assert largest + 24 == MOST_INFLATED == 1_073_741_848
    assert parse_header(header_of(MOST_INFLATED, 50)).inflated == MOST_INFLATED
    for inflated, payload in (
        (MOST_INFLATED + 1, 50),
        (2**32 - 1, 50),
        (50, 2**32 - 1),
        (50, MOST_INFLATED * 257 // 256 + 1),
    ):
        assert parse_header(header_of(inflated, payload)) is None


def test_a_block_that_does_not_shrink_stays_within_the_bound_of_the_largest():
    header, _ = split(block_of(Record(1, 1, 1, random.Random(1).randbytes(1 << 20)))[0])
    assert header.inflated < header.payload < header.inflated * 257 // 256


@pytest.mark.parametrize("length", range(HEADER_BYTES))
def test_a_part_of_a_header_is_no_header(length):
    assert parse_header(block_of(*RECORDS)[0][:length]) is None


@pytest.mark.parametrize(("version", "codec"), [(2, 1), (1, 2)])
def test_a_newer_format_is_named_and_not_taken_for_damage(version, codec):
    fields = struct.pack("<8sHHQIIII", MAGIC, version, codec, 1, 2, 3, 4, 5)
    with pytest.raises(CorruptLog, match="newer Weft"):
        parse_header(fields + struct.pack("<I", zlib.crc32(fields)))


def test_every_flipped_byte_of_a_payload_is_noticed():
    header, payload = split(block_of(RECORDS[0], RECORDS[1])[0])
    for at in range(len(payload)):
        with pytest.raises(CorruptLog, match="checksum"):
            inflate_block(header, payload[:at] + bytes([payload[at] ^ 0x10]) + payload[at + 1 :])


def test_a_payload_that_is_no_zstd_is_corrupt_even_with_a_right_checksum():
    header, payload = split(block_of(RECORDS[0])[0])
    junk = b"\0" * len(payload)
    with pytest.raises(CorruptLog, match="inflated"):
        inflate_block(header._replace(checksum=zlib.crc32(junk)), junk)


def test_a_payload_of_another_length_than_promised_is_corrupt():
    header, payload = split(block_of(RECORDS[0])[0])
    with pytest.raises(CorruptLog, match="another length"):
        inflate_block(header._replace(inflated=header.inflated + 1), payload)


@pytest.mark.parametrize(("cut", "part"), [(1, "body"), (5, "header")])
def test_a_record_that_reaches_over_the_end_is_corrupt(cut, part):
    header, payload = split(block_of(RECORDS[0])[0])
    with pytest.raises(CorruptLog, match=part):
        list(records_of(inflate_block(header, payload)[:-cut]))


def test_slices_stay_within_their_body():
    block, offsets = block_of(RECORDS[0], RECORDS[0])
    inflated = inflate_block(*split(block))
    assert body_slice(inflated, offsets[0], 0, 4) == b"body"
    assert body_slice(inflated, offsets[1], 1, 2) == b"od"
    assert body_slice(inflated, offsets[0], 4, 0) == b""
    for start, offset, length in [
        (0, 0, 1),
        (offsets[0], 0, 5),
        (offsets[0], -1, 2),
        (offsets[0], 2, -1),
        (10**6, 0, 1),
    ]:
        assert body_slice(inflated, start, offset, length) is None
