"""Finding entries: by span id, and the children that wait on a parent id.

Open addressing with linear probing at a load of one half at most. A place holds slot + 1 in its low bits and
a tag above them, so that a probe seldom has to look at an entry of another id. Places are emptied by shifting
the run behind them back: there are no tombstones, and no rebuilding ever.

The tag's five highest bits are the lowest of the place where the entry would rather be, its home; the others
are spare bits of the hash. An entry stands at most as far behind its home as the run of places reaches back,
so in a run of less than 32 the five bits tell the home, and shifting needs no look at the entries, each of
which would be waited for: that doubles the speed of a full table.
"""

from weft_collector.graph.pairing_table import (
    BY_ID,
    BY_PARENT,
    INDEX_MASK,
    NONE,
    PARENT,
    SEED,
    SIBLING,
    SPAN,
    TRACE,
    entry_at,
)
from weft_collector.kernel import (
    ZERO,
    fold_multiply,
    inline,
    load32,
    load64,
    number,
    routine,
    shift_right,
    store32,
)

_C1, _C2 = number(0x1E3779B97F4A7C15), number(0x3F58476D1CE4E5B9)
_LOW = 0xFFFFFFFF
_HOME_AT, _HOMES = 27, 32  # where the home's bits are in a place, and how many homes they tell apart
_BELOW_HOME = (1 << _HOME_AT) - 1
_BY_SPAN, _BY_PARENT = number(SPAN), number(PARENT)  # fields by which the indexes hash


@inline
def mix(table: int, trace: int, span: int) -> int:
    """Hash of an id under the table's seed."""
    return fold_multiply(fold_multiply(trace ^ load64(table + SEED), _C1) ^ span, _C2)


@inline
def tag_of(mixed: int, mask: int) -> int:
    """What a place keeps of the hash: bits of the home, and spare ones where slot + 1 leaves room for them."""
    return (mixed & (_HOMES - 1)) << _HOME_AT | shift_right(mixed, 32) & _BELOW_HOME & ~mask


@inline
def slot_in(place: int, mask: int) -> int:
    """The slot that a place names; NONE for an empty place."""
    return ((place & mask) - 1) & _LOW


@routine
def insert_id(table: int, slot: int) -> None:
    """Enter an entry under its id."""
    mask, index = load64(table + INDEX_MASK), load64(table + BY_ID)
    entry = entry_at(table, slot)
    mixed = mix(table, load64(entry + TRACE), load64(entry + SPAN))
    at = mixed & mask
    while load32(index + 4 * at) != 0:
        at = (at + 1) & mask
    store32(index + 4 * at, tag_of(mixed, mask) | (slot + 1))


@routine
def remove_id(table: int, slot: int) -> None:
    """Take an entry out of the index by id."""
    mask, index = load64(table + INDEX_MASK), load64(table + BY_ID)
    entry = entry_at(table, slot)
    at = mix(table, load64(entry + TRACE), load64(entry + SPAN)) & mask
    while slot_in(load32(index + 4 * at), mask) != slot:
        at = (at + 1) & mask
    _close_gap(table, index, at, _BY_SPAN)


@inline
def _run_before(index: int, at: int, mask: int) -> int:
    """How many places in front of `at` are filled without a gap; counts to _HOMES only."""
    length = ZERO
    while length < _HOMES and load32(index + 4 * ((at - length - 1) & mask)) != 0:
        length += 1
    return length


@routine
def _close_gap(table: int, index: int, gap: int, field: int) -> None:
    """Empty a place of an index that hashes trace id and `field`: shift the run behind it back."""
    mask = load64(table + INDEX_MASK)
    at, run = gap, _run_before(index, gap, mask)
    while True:
        at = (at + 1) & mask
        run += 1
        place = load32(index + 4 * at)
        if place == 0:
            break
        if run < _HOMES:
            behind = (at - (place >> _HOME_AT)) & (_HOMES - 1)
        else:
            other = entry_at(table, slot_in(place, mask))
            behind = (at - mix(table, load64(other + TRACE), load64(other + field))) & mask
        if behind >= ((at - gap) & mask):
            store32(index + 4 * gap, place)
            gap = at
    store32(index + 4 * gap, 0)


@routine
def _place_of_children(table: int, trace: int, parent: int) -> int:
    """Address where the children of an id are named, or of the empty place where they would be."""
    mask, index = load64(table + INDEX_MASK), load64(table + BY_PARENT)
    mixed = mix(table, trace, parent)
    tag = tag_of(mixed, mask)
    at = mixed & mask
    while True:
        place = load32(index + 4 * at)
        if place == 0:
            break
        if place & ~mask == tag:
            youngest = entry_at(table, slot_in(place, mask))
            if load64(youngest + PARENT) == parent and load64(youngest + TRACE) == trace:
                break
        at = (at + 1) & mask
    return index + 4 * at


@inline
def youngest_child(table: int, trace: int, parent: int) -> int:
    """The last child in the ring of an id's children; NONE if there is none."""
    return slot_in(load32(_place_of_children(table, trace, parent)), load64(table + INDEX_MASK))


@routine
def link_child(table: int, slot: int) -> None:
    """Append an entry to the children of its parent id."""
    entry = entry_at(table, slot)
    trace, parent = load64(entry + TRACE), load64(entry + PARENT)
    if parent == 0:
        return
    mask = load64(table + INDEX_MASK)
    place = _place_of_children(table, trace, parent)
    youngest = slot_in(load32(place), mask)
    if youngest == NONE:
        store32(entry + SIBLING, slot)
    else:
        last = entry_at(table, youngest)
        store32(entry + SIBLING, load32(last + SIBLING))
        store32(last + SIBLING, slot)
    store32(place, tag_of(mix(table, trace, parent), mask) | (slot + 1))


@routine
def unlink_oldest(table: int, slot: int) -> None:
    """Take the oldest entry of all out of the children of its parent id: it is the first in their ring."""
    entry = entry_at(table, slot)
    parent = load64(entry + PARENT)
    if parent == 0:
        return
    place = _place_of_children(table, load64(entry + TRACE), parent)
    youngest = slot_in(load32(place), load64(table + INDEX_MASK))
    if youngest == slot:
        index = load64(table + BY_PARENT)
        _close_gap(table, index, (place - index) >> 2, _BY_PARENT)
    else:
        store32(entry_at(table, youngest) + SIBLING, load32(entry + SIBLING))
