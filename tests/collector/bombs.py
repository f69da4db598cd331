"""Bodies that are small as sent and inflate to gigabytes, made without inflating anything."""

import gzip
import struct
import zlib

MIB = 1 << 20
SIZE = 15 * MIB
"""Of a body as sent: below the limit."""


def repeated(wbits):
    """A stream of deflate whose pieces begin anew, so that one can follow the other without end: a ratio of 1,000."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    head = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + piece * ((SIZE - len(head)) // len(piece))


def members():
    """Gzip members, each of them whole and small enough for itself."""
    member = gzip.compress(bytes(32 * MIB))
    return member * (SIZE // len(member))


def zstd(window_log):
    """A zstd frame of blocks that repeat a byte: four bytes are 128 KiB."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0, (window_log - 10) << 3])
    block = struct.pack("<I", (128 << 10) << 3 | 1 << 1)[:3] + b"\0"
    return head + block * ((SIZE - len(head)) // len(block))


GZIP = {"stream": repeated(31), "members": members()}
DEFLATE = {"stream": repeated(15)}
ZSTD = {"window of 8 MiB": zstd(23), "window of 64 MiB": zstd(26), "window of 2 GiB": zstd(31)}
BOMBS = [
    (encoding, body)
    for encoding, bodies in (("gzip", GZIP), ("deflate", DEFLATE), ("zstd", ZSTD))
    for body in bodies.values()
]
NAMES = [
    f"{encoding}, {name}"
    for encoding, bodies in (("gzip", GZIP), ("deflate", DEFLATE), ("zstd", ZSTD))
    for name in bodies
]
