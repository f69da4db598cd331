"""Tokens and the set that kernels collect them in.

A token is the 64-bit hash of `key=value`: first the hash of the key, seeded with KEY_SEED; then that of the value,
seeded with the key's hash xor TEXT or DOUBLE. A hash takes 16 bytes a step, the last step the last 16 bytes, whatever
of them was taken before (`docs/segments.md` has it in full). It must mean the same after a restart, so it cannot be
seeded by chance. A sender can choose texts with the same token, and gains that a search looks into its blocks in vain.

The set is only a sieve. A token that finds no free place within PROBES steps, as those of an adversary may, is
listed once more; so work is bounded for each token, and no choice of texts makes it quadratic. What is beyond the
room of the list is counted and not written.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import (
    fold_multiply,
    inline,
    kernel,
    load64,
    number,
    routine,
    shift_right,
    store8,
    store64,
)
from weft_collector.wire.key_pairs import KeyPairs
from weft_collector.wire.protobuf_reader import SCRATCH_BYTES
from weft_collector.wire.strings import load_part

#: What the hash of a key starts with, and what tells a text from a double.
KEY_SEED, TEXT, DOUBLE = number(0x5DEECE66D1CE4E5B), number(0), number(0x2545F4914F6CDD1D)
_FACTOR = number(0x1F83D9ABFB41BD6B)

#: The keys of what is no attribute.
SPAN_NAME_KEY, EVENT_NAME_KEY = "name", "event.name"

#: How many places of the set a token tries.
PROBES = 32

# The sink as kernels see it: an array of 64-bit numbers, by byte offset.
_SLOTS, _MASK, _SHIFT, _TOKENS, _ROOM, _COUNT, SCRATCH, TEXTS = range(0, 64, 8)
#: The seed of the last token, which is that of its key; whether there was one; the address of the pairs of keys.
KEY, TAKEN, PAIRS = range(64, 88, 8)

# Where things lie behind the address at TEXTS: digits, a double, and words, each up to where the next begins.
DIGITS_END, DOUBLE_AT, TRUE, FALSE, SPAN_NAME, EVENT_NAME, WORDS_END = 24, 24, 32, 36, 41, 45, 55
_WORDS: Final = b"true" + b"false" + SPAN_NAME_KEY.encode() + EVENT_NAME_KEY.encode()


@inline
def _hash(p: int, length: int, seed: int) -> int:
    """The hash of a text."""
    value = seed + length
    if length >= 16:
        last = p + length - 16
        while p < last:
            value = fold_multiply(load64(p) ^ _FACTOR, load64(p + 8) ^ value)
            p += 16
        return fold_multiply(load64(last) ^ _FACTOR, load64(last + 8) ^ value)
    if length >= 8:
        return fold_multiply(load64(p) ^ _FACTOR, load64(p + length - 8) ^ value)
    return fold_multiply(load_part(p, length) ^ _FACTOR, value)


@inline
def _seed(key: tuple[int, int]) -> int:
    """What the tokens of a key, given by its begin and end, start with."""
    return _hash(key[0], key[1] - key[0], KEY_SEED)


@kernel
def hash_token(key: tuple[int, int], value: tuple[int, int], tag: int) -> int:
    """The token of a key and a value, each given by its begin and end; `tag` is TEXT or DOUBLE."""
    return _hash(value[0], value[1] - value[0], _seed(key) ^ tag)


@routine
def take(key: tuple[int, int], value: tuple[int, int], tag: int, sink: int) -> None:
    """List a token, if the set does not hold it; count it in any case that it is not known."""
    seed = _seed(key)
    store64(sink + KEY, seed)
    store64(sink + TAKEN, 1)
    token = _hash(value[0], value[1] - value[0], seed ^ tag)
    slots, mask = load64(sink + _SLOTS), load64(sink + _MASK)
    slot = shift_right(token, load64(sink + _SHIFT))
    for _ in range(PROBES):
        known = load64(slots + 8 * slot)
        if known == token:
            return
        if known == 0:
            store64(slots + 8 * slot, token)
            break
        slot = (slot + 1) & mask
    count = load64(sink + _COUNT)
    if count < load64(sink + _ROOM):
        store64(load64(sink + _TOKENS) + 8 * count, token)
    store64(sink + _COUNT, count + 1)


@routine
def write_digits(value: int, texts: int) -> int:
    """Write a number in decimal, the last digit before `texts + DIGITS_END`; where it begins."""
    at = texts + DIGITS_END
    left = -value if value < 0 else value  # of the smallest number too, taken as unsigned
    while True:
        tenth = shift_right(left, 1) // 5
        at -= 1
        store8(at, 48 + left - 10 * tenth)
        left = tenth
        if left == 0:
            break
    if value < 0:
        at -= 1
        store8(at, 45)
    return at


class Sink:
    """A set of tokens while kernels fill it.

    Args:
        tokens: How many it can list, a power of two; more are counted and not listed.
        pairs: Where the pairs of keys go.
    """

    def __init__(self, tokens: int, pairs: KeyPairs) -> None:
        self.room = tokens
        self._pairs = pairs
        self._slots = np.zeros(2 * tokens, np.int64)
        self._tokens = np.zeros(tokens, np.uint64)
        self._scratch = np.zeros(SCRATCH_BYTES, np.uint8)
        self._texts = np.zeros(WORDS_END, np.uint8)
        self._texts[TRUE:] = np.frombuffer(_WORDS, np.uint8)
        shift = 64 - (len(self._slots).bit_length() - 1)
        arrays = [array.ctypes.data for array in (self._slots, self._tokens, self._scratch, self._texts)]
        slots, listed, scratch, texts = arrays
        self._state = np.array(
            [slots, len(self._slots) - 1, shift, listed, tokens, 0, scratch, texts, 0, 0, pairs.address],
            np.int64,
        )

    @property
    def address(self) -> int:
        """Where kernels find it; valid as long as this object lives."""
        return self._state.ctypes.data

    @property
    def count(self) -> int:
        """How many tokens were new to the set; more than `room` where it was too small."""
        return int(self._state[_COUNT // 8])

    def listed(self) -> NDArray[np.uint64]:
        """The tokens, distinct but for those that found no place in the set; a copy."""
        return self._tokens[: min(self.count, self.room)].copy()

    def clear(self) -> None:
        """Forget the tokens."""
        self._slots[:] = 0
        self._state[_COUNT // 8] = 0
