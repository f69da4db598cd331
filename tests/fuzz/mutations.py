"""Damaged bodies, hundreds at a time, the same for the same numbers.

A batch comes from one seed body and one random generator. Six ways of damage, each on a share of the batch:

- bytes: some bytes overwritten, by any value or by one that means something in a format;
- bits: some bits flipped;
- structure (protobuf): only tags and lengths are overwritten, so that damage is deep and not noise;
- widen (protobuf): a tag or length is replaced by a longer varint, up to too long ones;
- cut: the body ends early, or loses or doubles a piece;
- splice: the body's head with another's tail.

The first three keep the length and are done by numpy over a matrix of copies; the others one by one.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BATCH", "batch", "noise", "places_of_structure"]

BATCH: Final = 512
SHARE: Final = BATCH // 8
TELLING: Final = np.frombuffer(
    bytes([0, 1, 2, 3, 5, 7, 8, 9, 10, 16, 18, 0x22, 0x3A, 0x5B, 0x5D, 0x7B, 0x7D, 0x5C, 0x65, 0x2D])
    + bytes([0x7E, 0x7F, 0x80, 0x81, 0xC0, 0xE0, 0xED, 0xF0, 0xF4, 0xFE, 0xFF]),
    np.uint8,
)
"""Bytes at the edges of varints, UTF-8, protobuf's tags and JSON's grammar."""
DEPTH: Final = 8


def places_of_structure(body: bytes) -> NDArray[np.int64]:
    """Offsets of the bytes of tags and lengths of a protobuf message, nested ones included."""
    return np.array(sorted(_structure(body, 0, len(body), 0)), np.int64)


def _structure(body: bytes, at: int, end: int, depth: int) -> set[int]:
    """The places in one message; empty if these bytes are none."""
    found: set[int] = set()
    while at < end:
        tag, begin = _varint(body, at, end)
        found.update(range(at, begin))
        at = begin
        match tag & 7:
            case 0:
                at = _varint(body, at, end)[1]
            case 1:
                at += 8
            case 5:
                at += 4
            case 2:
                length, begin = _varint(body, at, end)
                found.update(range(at, begin))
                at = begin + length
                if at <= end and depth < DEPTH:
                    found |= _structure(body, begin, at, depth + 1)
            case _:
                return set()
        if at > end or tag < 8:
            return set()
    return found


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    """A varint's value and where it ends; where it does not end in time, a place behind the message."""
    value = 0
    for number, byte in enumerate(body[at : min(end, at + 10)]):
        value |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            return value, at + number + 1
    return 0, end + 1


def batch(
    body: bytes, others: Sequence[bytes], structure: NDArray[np.int64], chance: np.random.Generator
) -> Iterator[bytes]:
    """BATCH damaged copies of a body.

    Args:
        body: What is damaged; not empty.
        others: Bodies whose tails may be joined to it.
        structure: Places of tags and lengths; empty for formats that have none.
        chance: Decides everything.
    """
    everywhere = np.arange(len(body))
    yield from _overwritten(body, everywhere, chance, 2 * SHARE)
    yield from _flipped(body, chance, SHARE)
    yield from _overwritten(body, structure if len(structure) else everywhere, chance, 2 * SHARE)
    for _ in range(SHARE):
        yield _widened(body, structure if len(structure) else everywhere, chance)
        yield _cut(body, chance)
        yield _spliced(body, others[int(chance.integers(len(others)))], chance)


def noise(chance: np.random.Generator) -> Iterator[bytes]:
    """BATCH short bodies that were never whole."""
    for size in chance.integers(0, 64, BATCH).tolist():
        yield chance.bytes(size)


def _rows(copies: NDArray[np.uint8]) -> Iterator[bytes]:
    size, data = copies.shape[1], copies.tobytes()
    for start in range(0, len(data), size):
        yield data[start : start + size]


def _overwritten(
    body: bytes, places: NDArray[np.int64], chance: np.random.Generator, count: int
) -> Iterator[bytes]:
    """One to four places of each copy get a telling byte, any byte, or one more or less than they had."""
    copies = np.tile(np.frombuffer(body, np.uint8), (count, 1))
    rows = np.repeat(np.arange(count), chance.integers(1, 5, count))
    columns = places[chance.integers(0, len(places), len(rows))]
    way = chance.integers(0, 3, len(rows))
    telling = TELLING[chance.integers(0, len(TELLING), len(rows))]
    anything = chance.integers(0, 256, len(rows), np.uint8)
    beside = copies[rows, columns] + np.where(chance.integers(0, 2, len(rows)), 1, 255).astype(np.uint8)
    copies[rows, columns] = np.choose(way, (telling, anything, beside))
    return _rows(copies)


def _flipped(body: bytes, chance: np.random.Generator, count: int) -> Iterator[bytes]:
    copies = np.tile(np.frombuffer(body, np.uint8), (count, 1))
    rows = np.repeat(np.arange(count), chance.integers(1, 4, count))
    columns = chance.integers(0, len(body), len(rows))
    np.bitwise_xor.at(copies, (rows, columns), np.uint8(1) << chance.integers(0, 8, len(rows), np.uint8))
    return _rows(copies)


def _widened(body: bytes, places: NDArray[np.int64], chance: np.random.Generator) -> bytes:
    at = int(places[chance.integers(len(places))])
    more = int(chance.integers(1, 11))
    last = int(TELLING[chance.integers(len(TELLING))])
    return body[:at] + bytes([body[at] | 0x80]) + b"\x80" * (more - 1) + bytes([last]) + body[at + 1 :]


def _cut(body: bytes, chance: np.random.Generator) -> bytes:
    at, length = int(chance.integers(len(body))), int(chance.integers(1, 40))
    match int(chance.integers(3)):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + body[at + length :]
        case _:
            return body[:at] + body[at : at + length] + body[at:]


def _spliced(body: bytes, other: bytes, chance: np.random.Generator) -> bytes:
    return body[: int(chance.integers(len(body) + 1))] + other[int(chance.integers(len(other) + 1)) :]
