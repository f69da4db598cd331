"""The kernels that Python calls: take a batch in, and let caller sides ripen.

Each works in small steps and stops when the output might not hold another step's rows; all that it was
doing stands in `state` and `descent`. Python empties the output and calls again. So no batch, however its
spans hang together, can overflow anything.

An arrival asks again for exactly those whose walk may pass the new span: itself, the callee sides that
share its id, and all below it that local spans lead to, HOPS levels deep; and past wrappers those whose name
they may lend (`pairing_wrappers`). The way down keeps one place per level and follows the rings of siblings;
nothing is inserted or evicted meanwhile, so the rings stand still.
"""

from weft_collector.graph.pairing_ahead import AHEAD, touch, touch_oldest
from weft_collector.graph.pairing_calls import decide, emit_own, leave, settle_own
from weft_collector.graph.pairing_index import (
    insert_id,
    link_child,
    mix,
    remove_id,
    slot_in,
    tag_of,
    unlink_oldest,
    youngest_child,
)
from weft_collector.graph.pairing_table import (
    ARRIVAL_BYTES,
    AT,
    BATCH,
    BOOKED_AS,
    BY_ID,
    CALLEE,
    CALLER,
    CAPACITY,
    CHILD,
    CLIENT_ONLY,
    CONFLICTING,
    CONTENT,
    COUNT,
    CROWDED,
    DESCENT,
    DUPLICATES,
    EVICTED,
    EVICTED_ORPHANS,
    EVICTED_WAITING,
    FIRST_ORDINAL,
    FLAGS,
    FOUND,
    HEAD,
    HOPS,
    INDEX_MASK,
    INSTANCE,
    LATE,
    LATEST_EVICTED,
    LENGTH,
    LEVEL,
    LEVEL_ABOVE,
    LEVEL_BYTES,
    LEVEL_LAST,
    LEVEL_NEXT,
    LEVEL_REACH,
    LEVELS,
    LOCAL,
    MEASURE,
    MINUS,
    NO_NODE,
    NODE,
    NONE,
    NOW,
    ORDINAL,
    OTHER,
    PARENT,
    PARTNER,
    PLUS,
    RIPE,
    ROOM,
    SHARED,
    SIBLING,
    SPAN,
    START,
    TRACE,
    WAITING,
    WAITING_SIGHT,
    WRAPPED,
    WRAPPER,
    WRAPS,
    add64,
    entry_at,
    is_callee_half,
    kind_side_of,
    load16,
    side_of,
    store16,
)
from weft_collector.graph.pairing_walk import parent_of
from weft_collector.graph.pairing_wrappers import around, enclose
from weft_collector.kernel import ZERO, copy_bytes, inline, kernel, load32, load64, routine, store32, store64


@inline
def _has_room(table: int) -> bool:
    return load64(table + COUNT) <= load64(table + ROOM)


@inline
def _same_id(entry: int, arrival: int) -> bool:
    return load64(entry + SPAN) == load64(arrival + SPAN) and load64(entry + TRACE) == load64(arrival + TRACE)


@inline
def _same_span(entry: int, arrival: int) -> bool:
    """Whether two spans of one id are one: same side, service and instance."""
    return (
        kind_side_of(entry) == kind_side_of(arrival)
        and load16(entry + NODE) == load16(arrival + NODE)
        and load32(entry + INSTANCE) == load32(arrival + INSTANCE)
    )


@inline
def _same_content(entry: int, arrival: int) -> bool:
    return (
        load64(entry + PARENT) == load64(arrival + PARENT)
        and load64(entry + START) == load64(arrival + START)
        and load16(entry + MEASURE) == load16(arrival + MEASURE)
        and load16(entry + OTHER) == load16(arrival + OTHER)
        and load16(entry + FLAGS) & CONTENT == load16(arrival + FLAGS)
    )


@routine
def _admits(table: int, arrival: int) -> bool:
    """Whether a span is new; counts it if it is not, or if too many share its id."""
    mask, index = load64(table + INDEX_MASK), load64(table + BY_ID)
    mixed = mix(table, load64(arrival + TRACE), load64(arrival + SPAN))
    tag = tag_of(mixed, mask)
    at = mixed & mask
    halves = 0
    while True:
        place = load32(index + 4 * at)
        if place == 0:
            break
        at = (at + 1) & mask
        if place & ~mask != tag:
            continue
        entry = entry_at(table, slot_in(place, mask))
        if not _same_id(entry, arrival):
            continue
        halves += 1
        if _same_span(entry, arrival):
            add64(table + (DUPLICATES if _same_content(entry, arrival) else CONFLICTING), PLUS)
            return False
    if halves >= SHARED:
        add64(table + CROWDED, PLUS)
    return halves < SHARED


@inline
def _note_evicted(table: int, entry: int) -> None:
    """Remember what `repairs.py` asks about entries that have left."""
    start, flags = load64(entry + START), load16(entry + FLAGS)
    if start <= load64(table + NOW):
        store64(table + LATEST_EVICTED, max(load64(table + LATEST_EVICTED), start))
    add64(table + EVICTED, PLUS)
    add64(table + EVICTED_WAITING, (flags & WAITING) != 0)
    orphan = flags & FOUND == 0 and side_of(entry) != CALLER and load64(entry + PARENT) != 0
    add64(table + EVICTED_ORPHANS, orphan)


@routine
def _evict_oldest(table: int) -> None:
    """Make room for one entry; the oldest of all lies where the next one goes."""
    size, head = load64(table + CAPACITY), load64(table + HEAD)
    slot = head & (size - 1)
    store64(table + RIPE, max(load64(table + RIPE), head - size + 1))
    _note_evicted(table, entry_at(table, slot))
    leave(table, slot)
    remove_id(table, slot)
    unlink_oldest(table, slot)


@routine
def _insert(table: int, arrival: int) -> int:
    """A new entry; its slot."""
    head = load64(table + HEAD)
    slot = head & (load64(table + CAPACITY) - 1)
    store64(table + HEAD, head + 1)
    entry = entry_at(table, slot)
    copy_bytes(entry, arrival, ORDINAL)
    store32(entry + ORDINAL, load64(table + FIRST_ORDINAL) + load64(table + AT))
    store32(entry + PARTNER, NONE)
    store32(entry + CHILD, NONE)
    store32(entry + WRAPPER, NONE)
    store32(entry + WRAPPED, 0)
    store16(entry + BOOKED_AS, NO_NODE)
    insert_id(table, slot)
    link_child(table, slot)
    return slot


@routine
def _ask_callee_halves(table: int, slot: int) -> None:
    """Ask the callee sides again that share a new caller side's id."""
    mask, index = load64(table + INDEX_MASK), load64(table + BY_ID)
    entry = entry_at(table, slot)
    mixed = mix(table, load64(entry + TRACE), load64(entry + SPAN))
    tag = tag_of(mixed, mask)
    at = mixed & mask
    while True:
        place = load32(index + 4 * at)
        if place == 0:
            break
        at = (at + 1) & mask
        if place & ~mask == tag:
            half = entry_at(table, slot_in(place, mask))
            if _same_id(half, entry) and is_callee_half(half):
                decide(table, slot_in(place, mask))


@routine
def _descend(table: int, slot: int, level: int, reach: int) -> None:
    """Make the children of an entry the next of `reach` levels of the way down, if it has any."""
    entry = entry_at(table, slot)
    youngest = youngest_child(table, load64(entry + TRACE), load64(entry + SPAN))
    store64(table + LEVEL, level)
    if youngest != NONE:
        below = load64(table + DESCENT) + (level + 1) * LEVEL_BYTES
        store64(table + LEVEL, level + 1)
        store64(below + LEVEL_NEXT, load32(entry_at(table, youngest) + SIBLING))
        store64(below + LEVEL_LAST, youngest)
        store64(below + LEVEL_ABOVE, slot)
        store64(below + LEVEL_REACH, reach - 1)


@inline
def _is_wrapped(entry: int) -> bool:
    return load32(entry + WRAPPER) != NONE


@routine
def _step(table: int) -> None:
    """Ask the next entry on the way down again; then go on below it or beside it.

    Only the true children of the entry above count, not those of another span that shares its id: so each
    entry is reached by one way, however ids are shared.
    """
    level = load64(table + LEVEL)
    here = load64(table + DESCENT) + level * LEVEL_BYTES
    slot = load64(here + LEVEL_NEXT)
    if slot == NONE:
        store64(table + LEVEL, level - 1)
        return
    entry = entry_at(table, slot)
    store64(here + LEVEL_NEXT, NONE if slot == load64(here + LEVEL_LAST) else load32(entry + SIBLING))
    side, wrapped = side_of(entry), _is_wrapped(entry)
    if side == CALLER and not wrapped and load64(table + WRAPS) == 0:
        return  # nothing is around it, and nothing was
    if parent_of(table, slot) != load64(here + LEVEL_ABOVE):
        return
    reach = load64(here + LEVEL_REACH)
    if side == CALLER:
        if enclose(table, slot):
            _ask_callee_halves(table, slot)
            reach = HOPS
        elif not (wrapped or _is_wrapped(entry)):
            return
    else:
        decide(table, slot)
    if side != CALLEE and reach > 0 and level < LEVELS:
        _descend(table, slot, level, reach)


@routine
def _begin(table: int) -> None:
    """Let the next span of the batch in, and ask who called it."""
    arrival = load64(table + BATCH) + load64(table + AT) * ARRIVAL_BYTES
    if not _admits(table, arrival):
        return
    if load64(table + HEAD) >= load64(table + CAPACITY):
        _evict_oldest(table)
    add64(table + LATE, load64(arrival + START) <= load64(table + LATEST_EVICTED))
    slot = _insert(table, arrival)
    side = side_of(arrival)
    store64(table + WRAPS, side == CALLER)
    if side == CALLER:
        enclose(table, slot)
    else:
        decide(table, slot)
    if kind_side_of(arrival) == CALLER:
        _ask_callee_halves(table, slot)
    if side == LOCAL:
        store64(table + WRAPS, around(table, slot)[0] != NONE)
    _descend(table, slot, ZERO, HOPS)


@kernel
def take(table: int) -> bool:
    """Work on the batch, from where the last call stopped.

    Returns:
        Whether the batch is done; if not, empty the output and call again.
    """
    while load64(table + AT) < load64(table + LENGTH):
        if load64(table + LEVEL) == 0:
            if not _has_room(table):
                return False
            if load64(table + AT) & (AHEAD - 1) == 0:
                touch(table)
                touch_oldest(table)
            _begin(table)
        while load64(table + LEVEL) > 0:
            if not _has_room(table):
                return False
            _step(table)
        add64(table + AT, PLUS)
    return True


@kernel
def ripen(table: int, until: int) -> bool:
    """Let all caller sides before an arrival number wait no longer.

    Returns:
        Whether it is done; if not, empty the output and call again.
    """
    size = load64(table + CAPACITY)
    store64(table + RIPE, max(load64(table + RIPE), load64(table + HEAD) - size))
    while load64(table + RIPE) < until:
        if not _has_room(table):
            return False
        slot = load64(table + RIPE) & (size - 1)
        add64(table + RIPE, PLUS)
        if load16(entry_at(table, slot) + FLAGS) & WAITING:
            settle_own(table, slot)
    return True


@kernel
def foretell(table: int, slot: int) -> int:
    """Put into the output what `ripen` would book for all that wait, from arrival number `slot` on; change nothing.

    Returns:
        Where to go on after the output was emptied; the number behind the last entry when all is done.
    """
    head, size = load64(table + HEAD), load64(table + CAPACITY)
    while slot < head and _has_room(table):
        entry = entry_at(table, slot & (size - 1))
        if load16(entry + FLAGS) & WAITING:
            emit_own(table, entry, MINUS, WAITING_SIGHT)
            emit_own(table, entry, PLUS, CLIENT_ONLY)
        slot += 1
    return slot
