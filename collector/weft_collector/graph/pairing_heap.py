"""The callees of a caller-side entry in a pairing heap, the first by start, span id and owner on top.

`child` names a callee's first child, `next` the next in that child's list, `prev` the one before it or,
for the first of a list, the parent. The root has no `next` and no `prev`; the caller side's own `child`
names the root.
"""

from weft_collector.graph.pairing_order import called_before
from weft_collector.graph.pairing_table import CHILD, NEXT, NONE, PARTNER, PREV, entry_at
from weft_collector.kernel import load32, routine, store32


@routine
def _meld(table: int, one: int, other: int) -> int:
    """Two heaps into one; its root."""
    if one == NONE:
        return other
    if other == NONE:
        return one
    root, below = (one, other) if called_before(table, one, other) else (other, one)
    top, under = entry_at(table, root), entry_at(table, below)
    first = load32(top + CHILD)
    store32(under + PREV, root)
    store32(under + NEXT, first)
    if first != NONE:
        store32(entry_at(table, first) + PREV, below)
    store32(top + CHILD, below)
    store32(top + PREV, NONE)
    store32(top + NEXT, NONE)
    return root


@routine
def _meld_list(table: int, first: int) -> int:
    """The heaps of a list into one: in pairs from the left, then the pairs from the right."""
    pairs = NONE  # chained through `next`, the last pair first
    while first != NONE:
        second = load32(entry_at(table, first) + NEXT)
        rest = load32(entry_at(table, second) + NEXT) if second != NONE else NONE
        pair = _meld(table, first, second)
        store32(entry_at(table, pair) + NEXT, pairs)
        pairs = pair
        first = rest
    root = NONE
    while pairs != NONE:
        entry = entry_at(table, pairs)
        rest = load32(entry + NEXT)
        store32(entry + NEXT, NONE)
        store32(entry + PREV, NONE)
        root = _meld(table, root, pairs)
        pairs = rest
    return root


@routine
def heap_add(table: int, owner: int, slot: int) -> None:
    """Add a callee to a caller side's heap."""
    entry, side = entry_at(table, slot), entry_at(table, owner)
    store32(entry + CHILD, NONE)
    store32(entry + NEXT, NONE)
    store32(entry + PREV, NONE)
    store32(side + CHILD, _meld(table, load32(side + CHILD), slot))


@routine
def heap_remove(table: int, owner: int, slot: int) -> None:
    """Take a callee out of a caller side's heap."""
    entry, side = entry_at(table, slot), entry_at(table, owner)
    below = _meld_list(table, load32(entry + CHILD))
    if load32(side + CHILD) == slot:
        store32(side + CHILD, below)
        return
    before, after = load32(entry + PREV), load32(entry + NEXT)
    if load32(entry_at(table, before) + CHILD) == slot:
        store32(entry_at(table, before) + CHILD, after)
    else:
        store32(entry_at(table, before) + NEXT, after)
    if after != NONE:
        store32(entry_at(table, after) + PREV, before)
    store32(side + CHILD, _meld(table, load32(side + CHILD), below))


@routine
def heap_release(table: int, owner: int) -> None:
    """Let go of all callees of a caller side: none of them has a partner any more."""
    todo = load32(entry_at(table, owner) + CHILD)
    while todo != NONE:
        entry = entry_at(table, todo)
        store32(entry + PARTNER, NONE)
        after, child = load32(entry + NEXT), load32(entry + CHILD)
        todo = after
        if child != NONE:  # its children go before what follows
            last = child
            while load32(entry_at(table, last) + NEXT) != NONE:
                last = load32(entry_at(table, last) + NEXT)
            store32(entry_at(table, last) + NEXT, after)
            todo = child
    store32(entry_at(table, owner) + CHILD, NONE)
