"""Blocked bloom filters over 64-bit keys: "certainly not here", or "perhaps".

**Shape.** A filter is a run of lines of 64 bytes, each of eight 64-bit words. A key belongs to one line and has
one bit in each of its words; so a probe costs one access to memory, wherever the filter lies, and all eight
words are compared at once. At 16 bits a key 0.09 % of the probes for absent keys say "perhaps", at 20 bits
0.03 % (`tests/collector/store/test_bloom.py`). A filter without lines knows nothing: it may hold every key.

**Hash.** Keys are ids or hashes already, yet ids are chosen by senders, who may count upwards. With
`fold(a, b)` the upper half xor the lower half of the 128-bit product of two unsigned numbers:

    first  = fold(key ^ 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)
    second = fold(first ^ 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3)
    line   = (first >> 32) * lines >> 32
    bit of word w = second >> 6 * w & 63

The numbers are part of the format of files that hold filters (`docs/segments.md`).

**Ill will.** The hash is fixed, for a filter must mean the same after a restart; so a sender can choose ids
that share a line, and fill it. Then the filters *of the blocks or segments that hold these ids* say "perhaps"
more often, which costs a look. No choice of keys makes a filter deny a key that it was built with: bits are
only ever set. Building and probing take the same time for all keys.

Refused: bits all over the filter (five to eight accesses to memory a probe), a cuckoo or xor filter (fewer bits,
but building may fail or retry for keys of an adversary), and a seed for each filter (every probe of a
thousand filters would hash anew).

Words are little-endian wherever they are kept. Kernels read `lines` lines from a filter's address, and
the line of a key is below `lines` by construction; the arrays are alive and contiguous while they do.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import (
    fold_multiply,
    inline,
    kernel,
    load64,
    number,
    shift_right,
    store8,
    store64,
)

__all__ = ["LINE_BYTES", "Filter", "Filters", "build", "fitting", "may_hold", "may_hold_any"]

#: An array of whole lines: eight words each.
Filter = NDArray[np.uint64]

LINE_WORDS: Final = 8
LINE_BYTES: Final = 8 * LINE_WORDS
_LINE_BITS: Final = 8 * LINE_BYTES
_MOST_LINES: Final = 1 << 24  # 1 GiB


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


_SALT, _FACTOR, _SECOND_SALT, _SECOND_FACTOR = (
    number(_signed(word))
    for word in (0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3)
)

# A key as probes need it: its first hash, then the words that its line must have.
_PATTERN_BYTES: Final = 8 + LINE_BYTES


class Filters(NamedTuple):
    """Many filters at once: where each lies, and how many lines it has.

    Attributes:
        addresses: One for each filter; whoever makes it keeps the memory alive.
        lines: As many numbers; 0 for a filter that may hold every key.
    """

    addresses: NDArray[np.int64]
    lines: NDArray[np.int64]


class _Probe(NamedTuple):
    """What `_probe` works on: addresses and numbers."""

    filters: int
    lines: int
    filter_count: int
    patterns: int
    ends: int  # for each condition, the number of the pattern behind its last one
    conditions: int
    verdicts: int


@inline
def _first_hash(key: int) -> int:
    return fold_multiply(key ^ _SALT, _FACTOR)


@inline
def _line(first: int, lines: int) -> int:
    """Offset of the line of a key, from its first hash."""
    return LINE_BYTES * (shift_right(first, 32) * lines >> 32)


@kernel
def _set_bits(keys: int, count: int, filter_: int, lines: int) -> None:
    """Set the bits of `count` keys in a filter of at least one line."""
    for i in range(count):
        first = _first_hash(load64(keys + 8 * i))
        second = fold_multiply(first ^ _SECOND_SALT, _SECOND_FACTOR)
        at = filter_ + _line(first, lines)
        for word in range(LINE_WORDS):
            bit = 1 << (shift_right(second, 6 * word) & 63)
            store64(at + 8 * word, load64(at + 8 * word) | bit)


@kernel
def _make_patterns(keys: int, count: int, patterns: int) -> None:
    """Write the pattern of each of `count` keys."""
    for i in range(count):
        first = _first_hash(load64(keys + 8 * i))
        second = fold_multiply(first ^ _SECOND_SALT, _SECOND_FACTOR)
        at = patterns + i * _PATTERN_BYTES
        store64(at, first)
        for word in range(LINE_WORDS):
            store64(at + 8 + 8 * word, 1 << (shift_right(second, 6 * word) & 63))


@inline
def _has(filter_: int, lines: int, pattern: int) -> bool:
    """Whether the line of a key has all bits of its pattern."""
    at = filter_ + _line(load64(pattern), lines)
    missing = 0
    for word in range(LINE_WORDS):
        missing |= load64(pattern + 8 + 8 * word) & ~load64(at + 8 * word)
    return missing == 0


@kernel
def _probe(probe: _Probe) -> None:
    """Write 1 for each filter that may hold a key of every condition, else 0."""
    for i in range(probe.filter_count):
        filter_, lines = load64(probe.filters + 8 * i), load64(probe.lines + 8 * i)
        fits = True
        pattern = 0
        for condition in range(probe.conditions):
            end = load64(probe.ends + 8 * condition)
            found = lines == 0
            while pattern < end:
                if not found:
                    found = _has(filter_, lines, probe.patterns + pattern * _PATTERN_BYTES)
                pattern += 1
            if not found:
                fits = False
                break
        store8(probe.verdicts + i, 1 if fits else 0)


def build(keys: NDArray[np.uint64], bits_per_key: int) -> Filter:
    """A filter of these keys: at least one line, so that a filter of no keys denies all.

    Args:
        keys: Any number of keys; what occurs twice counts twice for the size, so give each once.
        bits_per_key: Size of the filter.
    """
    keys = np.ascontiguousarray(keys, np.uint64)
    lines = min(max(1, -(-len(keys) * bits_per_key // _LINE_BITS)), _MOST_LINES)
    found = np.zeros(lines * LINE_WORDS, np.uint64)
    _set_bits(keys.ctypes.data, len(keys), found.ctypes.data, lines)
    return found


def may_hold(filter_: Filter, key: int) -> bool:
    """False only if the filter was built without `key`."""
    return bool(may_hold_any([filter_], np.array([key], np.uint64))[0])


def may_hold_any(filters: Sequence[Filter], keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """For each filter, whether it may hold one of the keys at least."""
    whole = [np.ascontiguousarray(filter_, np.uint64) for filter_ in filters]
    addresses = np.array([filter_.ctypes.data for filter_ in whole], np.int64)
    lines = np.array([len(filter_) // LINE_WORDS for filter_ in whole], np.int64)
    return fitting(Filters(addresses, lines), [keys])


def fitting(filters: Filters, conditions: Sequence[NDArray[np.uint64]]) -> NDArray[np.bool_]:
    """For each filter, whether it may hold a key of every condition.

    Args:
        filters: Where they lie.
        conditions: Keys, of which a filter must have one; a condition without keys is met by nothing but
            filters that may hold every key.
    """
    keys = np.concatenate([np.zeros(0, np.uint64), *conditions])
    patterns = np.empty(len(keys) * _PATTERN_BYTES, np.uint8)
    _make_patterns(keys.ctypes.data, len(keys), patterns.ctypes.data)
    ends = np.cumsum([len(condition) for condition in conditions], dtype=np.int64)
    verdicts = np.zeros(len(filters.lines), np.bool_)
    places = filters.addresses.ctypes.data, filters.lines.ctypes.data, len(filters.lines)
    keyed = patterns.ctypes.data, ends.ctypes.data, len(ends)
    _probe(_Probe(*places, *keyed, verdicts.ctypes.data))
    return verdicts


@kernel
def _probe_each(filter_: int, lines: int, keys: int, count: int, verdicts: int) -> None:
    """Write 1 for each of `count` keys that a filter of at least one line may hold, else 0.

    Patterns are not written down, as they are for many filters: eight bytes a key are read instead of 72.
    """
    for i in range(count):
        first = _first_hash(load64(keys + 8 * i))
        second = fold_multiply(first ^ _SECOND_SALT, _SECOND_FACTOR)
        at = filter_ + _line(first, lines)
        missing = 0
        for word in range(LINE_WORDS):
            missing |= (1 << (shift_right(second, 6 * word) & 63)) & ~load64(at + 8 * word)
        store8(verdicts + i, 1 if missing == 0 else 0)


def held(filter_: Filter, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """For each key, whether the filter may hold it."""
    keys, whole = np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(filter_, np.uint64)
    verdicts = np.ones(len(keys), np.bool_)
    if len(whole) >= LINE_WORDS:
        places = whole.ctypes.data, len(whole) // LINE_WORDS
        _probe_each(*places, keys.ctypes.data, len(keys), verdicts.ctypes.data)
    return verdicts
