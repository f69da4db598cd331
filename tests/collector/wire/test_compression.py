import gzip
import os
import tracemalloc
import zlib

import pytest
import zstandard

from weft_collector.errors import BodyTooLarge, MalformedBody, UnsupportedEncoding
from weft_collector.wire.compression import ENCODINGS, MEMBERS, inflate

MIB = 1 << 20
TEXT = b"".join(b"span %d of many, " % i for i in range(20_000))


def deflate(data: bytes) -> bytes:
    return zlib.compress(data)


def streamed_zstd(data: bytes) -> bytes:
    """A frame that does not say how large its content is."""
    writer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return writer.compress(data) + writer.flush()


COMPRESS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": deflate, "zstd": streamed_zstd}
SEVERAL = ("gzip", "x-gzip", "zstd")


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize(
    "data", [b"", b"x", TEXT, os.urandom(300_000)], ids=["empty", "one", "text", "noise"]
)
def test_a_body_comes_back(encoding, data):
    assert inflate(COMPRESS[encoding](data), encoding, MIB) == data


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_no_encoding_is_no_work(encoding):
    assert inflate(b"as it is", encoding, 8) == b"as it is"


@pytest.mark.parametrize("encoding", ["GZIP", " gzip", "Gzip "])
def test_the_name_is_read_leniently(encoding):
    assert inflate(gzip.compress(b"x"), encoding, 8) == b"x"


def test_the_known_encodings_are_listed():
    assert set(ENCODINGS) == {"identity", *COMPRESS}


@pytest.mark.parametrize("encoding", ["br", "snappy", "lz4", "gzip;q=1", "\x00"])
def test_an_unknown_encoding_is_refused_and_the_known_ones_named(encoding):
    with pytest.raises(UnsupportedEncoding, match="zstd"):
        inflate(b"", encoding, MIB)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,zstd", "identity, gzip"])
def test_several_encodings_are_refused_as_such(encoding):
    with pytest.raises(UnsupportedEncoding, match="One content-encoding at a time"):
        inflate(b"", encoding, MIB)


@pytest.mark.parametrize("encoding", [*COMPRESS, "identity"])
def test_the_limit_is_exact(encoding):
    body = COMPRESS.get(encoding, bytes)(TEXT)
    assert inflate(body, encoding, len(TEXT)) == TEXT
    with pytest.raises(BodyTooLarge, match=str(len(TEXT) - 1)):
        inflate(body, encoding, len(TEXT) - 1)


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_body_cut_short_is_malformed(encoding):
    body = COMPRESS[encoding](b"a body worth cutting, a body")
    for end in range(len(body)):
        with pytest.raises(MalformedBody):
            inflate(body[:end], encoding, MIB)


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("garbage", [b"\0", b"x", b"garbage that is longer than any header" * 3])
def test_bytes_behind_the_end_are_malformed(encoding, garbage):
    with pytest.raises(MalformedBody):
        inflate(COMPRESS[encoding](TEXT) + garbage, encoding, MIB)


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("garbage", [b"not compressed at all", b"\0" * 100, b"\xff" * 100])
def test_something_else_is_malformed(encoding, garbage):
    with pytest.raises(MalformedBody, match="byte"):
        inflate(garbage, encoding, MIB)


@pytest.mark.parametrize("encoding", COMPRESS)
def test_damage_is_found_by_the_checksum(encoding):
    body = bytearray(COMPRESS[encoding](os.urandom(1000)))
    body[500] ^= 1  # inside stored bytes: only a checksum can tell
    with pytest.raises(MalformedBody):
        inflate(bytes(body), encoding, MIB)


@pytest.mark.parametrize("encoding", SEVERAL)
def test_members_are_joined(encoding):
    parts = [TEXT, b"", b"end", os.urandom(70_000)]
    assert inflate(b"".join(map(COMPRESS[encoding], parts)), encoding, MIB) == b"".join(parts)


@pytest.mark.parametrize("encoding", SEVERAL)
def test_the_limit_holds_for_all_members_together(encoding):
    body = COMPRESS[encoding](b"x" * 600) * 2
    assert len(inflate(body, encoding, 1200)) == 1200
    with pytest.raises(BodyTooLarge):
        inflate(body, encoding, 1199)


@pytest.mark.parametrize("encoding", SEVERAL)
def test_the_number_of_members_is_bounded(encoding):
    member = COMPRESS[encoding](b"x")
    assert inflate(member * MEMBERS, encoding, MIB) == b"x" * MEMBERS
    with pytest.raises(MalformedBody):
        inflate(member * (MEMBERS + 1), encoding, MIB)


def zstd_blocks() -> bytes:
    """As dense as a frame can be: blocks of four bytes, each one byte repeated 128 Ki times."""
    block = (1 << 1 | (128 << 10) << 3).to_bytes(3, "little") + b"a"
    return bytes.fromhex("28b52ffd0038") + block * 4096


BOMBS = {
    "gzip": lambda: gzip.compress(bytes(128 * MIB)),
    "deflate": lambda: deflate(bytes(128 * MIB)),
    "zstd": lambda: streamed_zstd(bytes(128 * MIB)),
    "zstd blocks": zstd_blocks,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_no_more_than_the_limit_and_a_step(name):
    body = BOMBS[name]()
    assert len(body) < MIB
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            inflate(body, name.split()[0], 4 * MIB)
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_body_larger_than_what_is_inflated_at_once_comes_back(encoding):
    data = TEXT * (40 * MIB // len(TEXT))
    body = COMPRESS[encoding](data)
    assert inflate(body, encoding, len(data)) == data
    with pytest.raises(BodyTooLarge, match=str(len(data) - 1)):
        inflate(body, encoding, len(data) - 1)


def test_a_zstd_window_over_the_limit_is_too_large():
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(BodyTooLarge, match="window"):
        inflate(writer.compress(b"x") + writer.flush(), "zstd", MIB)
