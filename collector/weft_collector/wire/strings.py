"""The texts of a decoder's batches, each kept once and known by a small number.

Open addressing over 64-bit hashes, the bytes one after the other in an arena. Nothing is ever removed, so an
id means the same text for the life of the table. The table is bounded in texts and in bytes. Once it is full,
new texts get the id `OTHER`, are counted, and only totals are right for them; texts longer than a limit are
`OTHER` from the start.

**Shares.** Values of spans' attributes may fill three quarters of the table, span names seven eighths, and what
resources say all of it. So a client that puts an id into an attribute hides neither new operations nor new
services, and one that puts it into names hides no new service.

**What a flood costs.** A sender of unique values fills its share within seconds; from then on memory stands still
(by default 131,072 texts and 16 MiB, with the Python texts of those that were asked for some 40 MB), and new values
in columns are `other` until the process starts anew, with an empty table that the last sealed spans of the
log fill again. The spans' bytes keep what was sent.

Refused: one table per body (ids would have to be translated row by row), and evicting texts (an id could then
mean two things in the rows that are kept: the unsealed spans, the head, the instances).

The hash is seeded: who sends names must not be able to choose names that collide.
"""

import secrets

import numpy as np

from weft_collector.kernel import (
    copy_bytes,
    fold_multiply,
    inline,
    load8,
    load32,
    load64,
    number,
    routine,
    shift_right,
    store32,
    store64,
)
from weft_collector.wire.limits import Limits

EMPTY, OTHER = 0, 1

# The table as kernels see it: an array of 64-bit numbers, by byte offset.
_SLOTS, _MASK, _HASHES, _OFFSETS, _ARENA, _COUNT, _USED, _OVERFLOWED = range(0, 64, 8)
_TEXTS, _BYTES, _LONGEST, _SEED, _MULTIPLIER = range(64, 104, 8)


@inline
def load_part(p: int, length: int) -> int:
    """Less than eight bytes as a number that differs when they differ."""
    if length >= 4:
        return load32(p) | load32(p + length - 4) << 32
    if length == 0:
        return 0
    return load8(p) | load8(p + (length >> 1)) << 8 | load8(p + length - 1) << 16


@inline
def hash_bytes(p: int, length: int, seed: int, multiplier: int) -> int:
    """A seeded 64-bit hash."""
    value = seed + length
    if length < 8:
        return fold_multiply(load_part(p, length) ^ value, multiplier)
    last = p + length - 8
    while p < last:
        value = fold_multiply(load64(p) ^ value, multiplier)
        p += 8
    return fold_multiply(load64(last) ^ value, multiplier)


@inline
def same_bytes(a: int, b: int, length: int) -> bool:
    """Whether two ranges hold the same bytes."""
    if length < 8:
        return load_part(a, length) == load_part(b, length)
    last = a + length - 8
    while a < last:
        if load64(a) != load64(b):
            return False
        a += 8
        b += 8
    return load64(last) == load64(b + (last - a))


@routine
def intern(p: int, end: int, strings: int, reserve: int) -> int:
    """The id of the text at `p..end`; `strings` is `Strings.address`.

    `reserve` is the power of two of the share of the table that this text must leave free: 3 for an eighth.
    The caller has checked that the text is UTF-8.
    """
    length = end - p
    if length == 0:
        return EMPTY
    if length > load64(strings + _LONGEST):
        store64(strings + _OVERFLOWED, load64(strings + _OVERFLOWED) + 1)
        return OTHER
    value = hash_bytes(p, length, load64(strings + _SEED), load64(strings + _MULTIPLIER))
    slots, mask = load64(strings + _SLOTS), load64(strings + _MASK)
    hashes, offsets = load64(strings + _HASHES), load64(strings + _OFFSETS)
    arena = load64(strings + _ARENA)
    slot = shift_right(value, 20) & mask
    while True:
        known = load32(slots + 4 * slot)
        if known == 0:
            break
        if load64(hashes + 8 * known) == value:
            at = load64(offsets + 8 * known)
            if load64(offsets + 8 * known + 8) - at == length and same_bytes(arena + at, p, length):
                return known
        slot = (slot + 1) & mask
    count, used = load64(strings + _COUNT), load64(strings + _USED)
    texts, room = load64(strings + _TEXTS), load64(strings + _BYTES)
    if count >= texts - (texts >> reserve) or used + length > room - (room >> reserve):
        store64(strings + _OVERFLOWED, load64(strings + _OVERFLOWED) + 1)
        return OTHER
    copy_bytes(arena + used, p, length)
    store64(hashes + 8 * count, value)
    store64(offsets + 8 * count + 8, used + length)
    store32(slots + 4 * slot, count)
    store64(strings + _USED, used + length)
    store64(strings + _COUNT, count + 1)
    return count


#: Shares for `intern`: attributes of spans leave a quarter free, names an eighth, resources use all (1/2**62 of any
#: size is nothing).
ATTRIBUTE_RESERVE, NAME_RESERVE, RESOURCE_RESERVE = number(2), number(3), number(62)


class Strings:
    """The texts behind the ids; one writer (the decoder), any number of readers.

    Args:
        limits: `strings`, `string_bytes` and `strings_total_bytes` bound the table.
        seed: of the hash; drawn at random by default.
    """

    def __init__(self, limits: Limits, seed: int | None = None) -> None:
        texts = max(limits.strings, 2)
        slots = 1 << (2 * texts - 1).bit_length()
        self._slots = np.zeros(slots, np.int32)
        self._hashes = np.zeros(texts, np.int64)
        self._offsets = np.zeros(texts + 1, np.int64)
        self._arena = np.empty(limits.strings_total_bytes, np.uint8)
        self._state = np.zeros(13, np.int64)
        self._set(_SLOTS, self._slots.ctypes.data)
        self._set(_MASK, slots - 1)
        self._set(_HASHES, self._hashes.ctypes.data)
        self._set(_OFFSETS, self._offsets.ctypes.data)
        self._set(_ARENA, self._arena.ctypes.data)
        self._set(_COUNT, 2)
        self._set(_TEXTS, texts)
        self._set(_BYTES, limits.strings_total_bytes)
        self._set(_LONGEST, limits.string_bytes)
        chosen = secrets.randbits(62) if seed is None else seed & (1 << 62) - 1
        self._set(_SEED, chosen)
        self._set(_MULTIPLIER, (chosen * 0x9E3779B97F4A7C15 >> 1) & (1 << 62) - 1 | 1)
        self._texts = {EMPTY: "", OTHER: "other"}

    def _set(self, field: int, value: int) -> None:
        self._state[field // 8] = value

    def _get(self, field: int) -> int:
        return int(self._state[field // 8])

    @property
    def address(self) -> int:
        """Where kernels find the table; valid as long as this object lives."""
        return self._state.ctypes.data

    @property
    def overflowed(self) -> int:
        """How often a text became `other`."""
        return self._get(_OVERFLOWED)

    @property
    def used_bytes(self) -> int:
        """Bytes of all kept texts together."""
        return self._get(_USED)

    def __len__(self) -> int:
        return self._get(_COUNT)

    def text(self, id: int) -> str:  # noqa: A002 - the contract's word for it
        """The text of an id that this table gave out.

        Raises:
            IndexError: the id was never given out.
        """
        known = self._texts.get(id)
        if known is not None:
            return known
        if not 0 <= id < len(self):
            raise IndexError(f"no text has the id {id}; there are {len(self)}")
        kept = self._arena[int(self._offsets[id]) : int(self._offsets[id + 1])].tobytes().decode()
        self._texts[int(id)] = kept
        return kept
