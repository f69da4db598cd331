"""Who called: the walk from a span up its parents, as docs/graph-rules.md section 2 tells it.

The walk is a pure function of the entries that are there. It looks at HOPS parents at most, which also
ends every cycle, and it passes through local spans only. So a span's answer can change only when an
ancestor within HOPS local spans arrives, and `pairing_run` asks again for exactly those.

An answer is (caller's node or NO_NODE for no call, the caller side's slot or NONE, whether a span gave
it). While spans only arrive, an answer that a span gave is lost again only where several spans share an id.
"""

from weft_collector.graph.nodes import CLIENT_NUMBER, UNKNOWN_CALLER_NUMBER
from weft_collector.graph.pairing_index import mix, slot_in, tag_of
from weft_collector.graph.pairing_order import same_environment, started_before
from weft_collector.graph.pairing_table import (
    BY_ID,
    CALLEE,
    CALLER,
    CHANNEL,
    CONSUMER,
    EMPTY,
    FLAGS,
    HOPS,
    INDEX_MASK,
    INSTANCE,
    LOCAL,
    NAMED,
    NO_NODE,
    NODE,
    NONE,
    OTHER,
    PARENT,
    PEER,
    PUBLISHES,
    SPAN,
    TRACE,
    TURNED,
    entry_at,
    is_callee_half,
    kind_side_of,
    load16,
    side_of,
)
from weft_collector.kernel import inline, load32, load64, number, routine

Answer = tuple[int, int, bool]

_CLIENT, _UNKNOWN = number(CLIENT_NUMBER), number(UNKNOWN_CALLER_NUMBER)
_ANY_SIDE = number(-1)
_FAR = number(1 << 30)
_NOTHING = CONSUMER | EMPTY


@inline
def _distance(table: int, child: int, half: int) -> int:
    """How far a span that bears the parent id is from being the child's parent."""
    side = kind_side_of(half)
    steps = 0 if side == CALLEE else (1 if side == LOCAL else 2)
    if load16(half + NODE) != load16(child + NODE):
        return steps + (6 if same_environment(table, half, child) else 9)
    return steps if load32(half + INSTANCE) == load32(child + INSTANCE) else steps + 3


@routine
def _half(table: int, child_slot: int, span: int, only: int) -> int:
    """The span of an id that is nearest to the child, of the side `only`; NONE if there is none."""
    mask, index = load64(table + INDEX_MASK), load64(table + BY_ID)
    child = entry_at(table, child_slot)
    trace = load64(child + TRACE)
    mixed = mix(table, trace, span)
    tag = tag_of(mixed, mask)
    at = mixed & mask
    best, best_distance = NONE, _FAR
    while True:
        place = load32(index + 4 * at)
        if place == 0:
            break
        at = (at + 1) & mask
        slot = slot_in(place, mask)
        if place & ~mask != tag or slot == child_slot:
            continue
        half = entry_at(table, slot)
        if load64(half + SPAN) != span or load64(half + TRACE) != trace:
            continue
        if only >= 0 and kind_side_of(half) != only:
            continue
        distance = _distance(table, child, half)
        if distance < best_distance or (distance == best_distance and started_before(table, slot, best)):
            best, best_distance = slot, distance
    return best


@routine
def parent_of(table: int, slot: int) -> int:
    """The parent's slot, or NONE; for the callee half of a call first of all the caller side that shares its id."""
    entry = entry_at(table, slot)
    if is_callee_half(entry):
        half = _half(table, slot, load64(entry + SPAN), CALLER)
        if half != NONE:
            return half
    parent = load64(entry + PARENT)
    return NONE if parent == 0 else _half(table, slot, parent, _ANY_SIDE)


@inline
def _through(table: int, slot: int) -> Answer:
    """The answer of a walk that reached a caller side; behind one that publishes stands the channel."""
    entry = entry_at(table, slot)
    if load16(entry + FLAGS) & PUBLISHES:
        return load16(entry + PEER), NONE, True
    return load16(entry + NODE), slot, True


@inline
def _nested(span: int, outer: int) -> Answer:
    """The answer of a walk that reached a callee of the span's own service."""
    if load32(span + INSTANCE) == load32(outer + INSTANCE):
        return NO_NODE, NONE, True
    return load16(span + NODE), NONE, True


@inline
def _ended(span: int, last: int) -> Answer:
    """The answer of a walk that ended at `last`, whose parent is not there."""
    named = load16(last + OTHER)
    if load16(last + FLAGS) & (CHANNEL | NAMED):
        named = NO_NODE
    if named == NO_NODE and load16(span + FLAGS) & NAMED:
        named = load16(span + OTHER)
    if named != NO_NODE:
        return named, NONE, False
    if load64(last + PARENT) == 0:
        return (NO_NODE if load16(span + FLAGS) & CONSUMER else _CLIENT), NONE, False
    return _UNKNOWN, NONE, False


@routine
def _inside(table: int, slot: int, hops: int) -> Answer:
    """Go on inside the caller's service, from its local span, to the caller side if there is one."""
    node = load16(entry_at(table, slot) + NODE)
    for _ in range(hops):
        slot = parent_of(table, slot)
        if slot == NONE:
            break
        entry = entry_at(table, slot)
        if load16(entry + NODE) != node or side_of(entry) == CALLEE:
            break
        if side_of(entry) == CALLER:
            return _through(table, slot)
    return node, NONE, True


@routine
def _walk(table: int, start: int) -> Answer:
    """Who called the callee-side span in slot `start`."""
    span = entry_at(table, start)
    node = load16(span + NODE)
    slot = start
    for hop in range(HOPS):
        above = parent_of(table, slot)
        if above == NONE:
            return _ended(span, entry_at(table, slot))
        entry = entry_at(table, above)
        foreign = load16(entry + NODE) != node
        if foreign and slot != start:  # a local span that another service's span called
            return _nested(span, entry_at(table, slot))
        side = side_of(entry)
        if side == CALLER:
            return _through(table, above)
        if foreign and side == LOCAL:
            return _inside(table, above, HOPS - 1 - hop)
        if side == CALLEE:
            return (load16(entry + NODE), NONE, True) if foreign else _nested(span, entry)
        slot = above
    return _UNKNOWN, NONE, False


@routine
def answer(table: int, slot: int) -> Answer:
    """Who called the span in a slot that is no caller side."""
    entry = entry_at(table, slot)
    flags = load16(entry + FLAGS)
    role = side_of(entry)
    settles, fetched_nothing = role == LOCAL and flags & TURNED != 0, flags & _NOTHING == _NOTHING
    if settles or fetched_nothing:
        return NO_NODE, NONE, True
    if role == CALLEE:
        if flags & CHANNEL:
            return load16(entry + OTHER), NONE, True
        return _walk(table, slot)
    above = parent_of(table, slot)
    if above == NONE:
        return NO_NODE, NONE, False
    if load16(entry_at(table, above) + NODE) == load16(entry + NODE):
        return NO_NODE, NONE, True
    return _walk(table, slot)
