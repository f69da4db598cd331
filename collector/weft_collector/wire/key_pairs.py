"""Which attribute keys meet in one span: collected while the blocks of a log file are walked for their tokens.

A block of a thousand spans has most values that are asked for, in one span or another; so filters of single tokens
let a conjunction pass that no span meets. But spans come in few *shapes*, sets of keys: a span about a queue has
the keys of queues, and never those of a database. The pairs of keys that meet are few, too: some thousand in
half a million spans. A search for two attributes whose keys never met passes over the segment.

**Theory.** A pair is taken for every two keys of one span, a key with itself included: so it is known, too, which keys no
span has. Only keys whose value has a token count, since no other value is ever found. Of a resource the pairs of its
keys with RESOURCE_KEY are taken: a key that resources have meets every key, as far as anyone knows. The pairs of a shape
are taken when it is seen first; a span of a known shape costs a look at a small table.

**Never too few.** What is not known denies nothing: with more shapes, pairs or keys than there is room for, and with a
block that cannot be walked, `whole` becomes False, and nobody may conclude anything. The work for pairs is bounded for
all blocks together, so no choice of keys makes it quadratic.

**Ill will.** A shape is known by the sum of hashes of its keys, and would be passed over if another had the same sum. So
the hash is seeded by chance: nobody can choose such keys. The pairs found do not depend on it. A pair is a number of
32 bits, whose hash is fixed, as it must mean the same after a restart: chosen keys can make a search look in vain.

Kernels write to arrays of this object alone: keys below MOST_KEYS, slots by a mask, pairs below the room of their list.
"""

import secrets
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import (
    ZERO,
    fold_multiply,
    inline,
    load64,
    number,
    routine,
    shift_right,
    store32,
    store64,
)

__all__ = [
    "MOST_KEYS",
    "MOST_PAIRS",
    "MOST_SHAPES",
    "RESOURCE_KEY",
    "RESOURCE_NUMBER",
    "KeyPairs",
    "end_message",
    "note_key",
    "pair_of",
]

#: Keys of one message, shapes, and pairs of keys, that are told apart.
MOST_KEYS, MOST_SHAPES, MOST_PAIRS = 256, 1 << 13, 1 << 15
#: Pairs that are looked at, the same again and again included.
_MOST_WORK = 1 << 22
#: What stands for "a resource has it" where keys do by the seeds of their tokens.
RESOURCE_KEY = number(0x3C79AC492BA7B653)
#: Makes the number of a key out of the seed that its token starts with: it is the token of an empty text.
_KEY_FACTOR = number(0x1F83D9ABFB41BD6B)
_FACTOR, _PAIR_SALT = number(0x1C69B3F74AC4AE35), number(0x27D4EB2F165667C5)

# The state as kernels see it: an array of 64-bit numbers, by byte offset.
_KEYS, _COUNT, _SHAPES, _SHAPE_COUNT, _SLOTS, _PAIRS, _PAIR_COUNT, _WORK, _SEED, _WHOLE = range(0, 80, 8)
_PROBES = 32
_WORD: Final = (1 << 64) - 1


@inline
def note_key(seed: int, pairs: int) -> None:
    """Note a key of the message at hand, by the seed of its tokens."""
    count = load64(pairs + _COUNT)
    if count < MOST_KEYS:
        store64(load64(pairs + _KEYS) + 8 * count, seed)
    store64(pairs + _COUNT, count + 1)


@inline
def _is_new(value: int, slots: int, mask: int, pairs: int) -> bool:
    """Put a number into a set of 64-bit slots; nothing is whole any more if there is no place for it."""
    value = value if value != 0 else 1
    slot = shift_right(value, 32) & mask
    for _ in range(_PROBES):
        held = load64(slots + 8 * slot)
        if held == value:
            return False
        if held == 0:
            store64(slots + 8 * slot, value)
            return True
        slot = (slot + 1) & mask
    store64(pairs + _WHOLE, 0)
    return False


@routine
def _take_pairs(first: int, keys: int, count: int, pairs: int) -> None:
    """Take the pairs of a new shape: those of the keys from `first` on with all before, and with themselves."""
    slots, listed = load64(pairs + _SLOTS), load64(pairs + _PAIRS)
    for i in range(first, count):
        one = fold_multiply(_KEY_FACTOR, load64(keys + 8 * i))
        for j in range(i + 1):
            other = fold_multiply(_KEY_FACTOR, load64(keys + 8 * j))
            pair = fold_multiply(one + other, (one ^ other) + _PAIR_SALT)
            if _is_new(pair, slots, 2 * MOST_PAIRS - 1, pairs):
                known = load64(pairs + _PAIR_COUNT)
                if known >= MOST_PAIRS:
                    store64(pairs + _WHOLE, 0)
                    return
                store32(listed + 4 * known, shift_right(pair, 32))
                store64(pairs + _PAIR_COUNT, known + 1)


@routine
def end_message(own: int, pairs: int) -> None:
    """The message at hand is at its end: take its pairs, should its shape be new.

    Where `own` is not 0, it is a key to add, and only its pairs are taken.
    """
    keys, count = load64(pairs + _KEYS), load64(pairs + _COUNT)
    store64(pairs + _COUNT, 0)
    if count == 0 or load64(pairs + _WHOLE) == 0:
        return
    if own != 0:
        if count < MOST_KEYS:
            store64(keys + 8 * count, own)
        count += 1
    if count > MOST_KEYS:
        store64(pairs + _WHOLE, 0)
        return
    seed, shape = load64(pairs + _SEED), count
    for i in range(count):
        shape += fold_multiply(load64(keys + 8 * i) ^ seed, _FACTOR)
    if not _is_new(shape, load64(pairs + _SHAPES), 2 * MOST_SHAPES - 1, pairs):
        return
    shapes, work = load64(pairs + _SHAPE_COUNT) + 1, load64(pairs + _WORK) + count * (count + 1) // 2
    store64(pairs + _SHAPE_COUNT, shapes)
    store64(pairs + _WORK, work)
    if shapes > MOST_SHAPES or work > _MOST_WORK:
        store64(pairs + _WHOLE, 0)
    else:
        _take_pairs(ZERO if own == 0 else count - 1, keys, count, pairs)


class KeyPairs:
    """The pairs of some blocks while kernels collect them."""

    def __init__(self) -> None:
        self._keys = np.zeros(MOST_KEYS, np.int64)
        self._shapes = np.zeros(2 * MOST_SHAPES, np.int64)
        self._slots = np.zeros(2 * MOST_PAIRS, np.int64)
        self._pairs = np.zeros(MOST_PAIRS, np.uint32)
        keys, shapes, slots, pairs = (
            array.ctypes.data for array in (self._keys, self._shapes, self._slots, self._pairs)
        )
        state = [keys, 0, shapes, 0, slots, pairs, 0, 0, secrets.randbits(63), 1]
        self._state = np.array(state, np.int64)

    @property
    def address(self) -> int:
        """Where kernels find it; valid as long as this object lives."""
        return self._state.ctypes.data

    @property
    def whole(self) -> bool:
        """Whether all pairs are listed."""
        return bool(self._state[_WHOLE // 8])

    def give_up(self) -> None:
        """Some spans could not be walked: nothing may be concluded any more."""
        self._state[_WHOLE // 8] = 0

    def listed(self) -> NDArray[np.uint32]:
        """The pairs, ascending, each once."""
        return np.unique(self._pairs[: int(self._state[_PAIR_COUNT // 8])])


def pair_of(one: int, other: int) -> int:
    """The number of a pair, from the numbers of two keys."""
    return _fold(one + other & _WORD, (one ^ other) + int(_PAIR_SALT) & _WORD) >> 32


def _fold(left: int, right: int) -> int:
    product = left * right
    return product >> 64 ^ product & _WORD


RESOURCE_NUMBER: Final = _fold(int(_KEY_FACTOR), int(RESOURCE_KEY))
"""The number of RESOURCE_KEY."""
