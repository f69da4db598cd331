"""Loading memory ahead of its use: the table is larger than any cache, and its places are random.

A span needs about seven places of the table. Asked for one by one, each is waited for; asked for together
for many spans, the waits overlap. This alone doubles the speed of pairing. Nothing depends on what is
loaded.
"""

from weft_collector.graph.pairing_index import mix, slot_in
from weft_collector.graph.pairing_table import (
    ARRIVAL_BYTES,
    AT,
    BATCH,
    BY_ID,
    BY_PARENT,
    CAPACITY,
    ENTRY_BYTES,
    HEAD,
    INDEX_MASK,
    LENGTH,
    NONE,
    PARENT,
    PARTNER,
    SPAN,
    TOUCHED,
    TRACE,
    entry_at,
)
from weft_collector.kernel import ZERO, inline, load32, load64, routine, store64

AHEAD = 16
"""Spans that are loaded for together; a power of two."""


@inline
def _first_field(table: int, place: int, mask: int) -> int:
    """Something of the entry that a place names."""
    return load64(entry_at(table, slot_in(place, mask))) if place != 0 else ZERO


@routine
def touch(table: int) -> None:
    """Load what the next AHEAD spans will look for: one after the other they would wait for memory each time.

    The processor runs ahead through both loops, as no load in them waits for another of the same loop.
    """
    mask, by_id, by_parent = load64(table + INDEX_MASK), load64(table + BY_ID), load64(table + BY_PARENT)
    first, at = load64(table + BATCH), load64(table + AT)
    end = min(at + AHEAD, load64(table + LENGTH))
    touched = ZERO
    for i in range(at, end):
        arrival = first + i * ARRIVAL_BYTES
        own = 4 * (mix(table, load64(arrival + TRACE), load64(arrival + SPAN)) & mask)
        parent = 4 * (mix(table, load64(arrival + TRACE), load64(arrival + PARENT)) & mask)
        touched ^= load32(by_id + own) ^ load32(by_parent + own)
        touched ^= load32(by_id + parent) ^ load32(by_parent + parent)
    for i in range(at, end):
        arrival = first + i * ARRIVAL_BYTES
        own = 4 * (mix(table, load64(arrival + TRACE), load64(arrival + SPAN)) & mask)
        parent = 4 * (mix(table, load64(arrival + TRACE), load64(arrival + PARENT)) & mask)
        touched ^= _first_field(table, load32(by_parent + own), mask)
        touched ^= _first_field(table, load32(by_id + parent), mask)
        touched ^= _first_field(table, load32(by_parent + parent), mask)
    store64(table + TOUCHED, touched)


@routine
def touch_oldest(table: int) -> None:
    """Load what the eviction of the next AHEAD entries will look for; nothing while the table has room.

    The oldest entries lie side by side, but what refers to them does not.
    """
    head, size = load64(table + HEAD), load64(table + CAPACITY)
    if head + AHEAD <= size:
        return
    mask, by_id, by_parent = load64(table + INDEX_MASK), load64(table + BY_ID), load64(table + BY_PARENT)
    touched = ZERO
    for i in range(AHEAD):
        entry = entry_at(table, (head + i) & (size - 1))
        trace, partner = load64(entry + TRACE), load32(entry + PARTNER)
        own = mix(table, trace, load64(entry + SPAN)) & mask
        parent = mix(table, trace, load64(entry + PARENT)) & mask
        touched ^= load32(by_id + 4 * own) ^ load32(by_parent + 4 * parent)
        touched ^= load64(entry_at(table, partner)) if partner != NONE else ZERO
        touched ^= load64(entry + ENTRY_BYTES - 8)
    for i in range(AHEAD):
        entry = entry_at(table, (head + i) & (size - 1))
        parent = mix(table, load64(entry + TRACE), load64(entry + PARENT)) & mask
        touched ^= _first_field(table, load32(by_parent + 4 * parent), mask)
    store64(table + TOUCHED, touched)
