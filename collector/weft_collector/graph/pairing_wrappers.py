"""Wrappers: spans that call around spans that call, and the names that they lend (R3.5 and R3.6 of the graph rules).

The wrapper of a caller side is the first caller side above it, where only local spans of their instance lie between.
It is no call of its own while it has anything to wrap, so it counts that. The lender of a caller side that does not
know its peer for sure is the first above it that does, past wrappers that do not either. Both are pure functions of
at most HOPS parents, as the answer of a walk is; so they can change only when one of these arrives. `pairing_run` asks
again for exactly those: it goes on below a caller side that has a wrapper, as what that lends may be for those further
down; and where a caller side turns to a channel or away from one, it asks all again whose walk ends at it.

A caller side keeps its wrapper by arrival number, of which 31 bits are enough: the wrapper was in the table in the time
of the caller side, so it is at most two tables old. When the wrapper has left, what was decided while it was there
holds. When a caller side leaves, its wrapper stays one.

Refused: a list of what a wrapper wraps (its number says all that is asked), and lending step by step from wrapper to
wrapper, which would reach further than HOPS parents.
"""

from weft_collector.graph.pairing_calls import emit_own, has, put, settle_own
from weft_collector.graph.pairing_table import (
    AT_ONCE,
    BOOKED,
    CALLEE,
    CALLER,
    CAPACITY,
    CERTAIN,
    CHANNEL,
    CLIENT_ONLY,
    EVICTED,
    HEAD,
    HOPS,
    INSTANCE,
    LENT,
    MINUS,
    NODE,
    NONE,
    OTHER,
    PEER,
    PLUS,
    PUBLISHES,
    WAITING,
    WAITING_SIGHT,
    WITHDRAWN,
    WRAPPED,
    WRAPPER,
    add64,
    entry_at,
    load16,
    number_of,
    side_of,
    store16,
)
from weft_collector.graph.pairing_walk import parent_of
from weft_collector.kernel import inline, load32, load64, routine, store32

_NUMBER = 0x7FFFFFFF  # the bits of an arrival number that are kept; never NONE


@inline
def _same_owner(one: int, other: int) -> bool:
    return load16(one + NODE) == load16(other + NODE) and load32(one + INSTANCE) == load32(other + INSTANCE)


@routine
def around(table: int, slot: int) -> tuple[int, int]:
    """The wrapper of a caller side, or of those that a local span leads to; and who lends it a name."""
    entry = entry_at(table, slot)
    nameless = not has(entry, AT_ONCE)
    wrapper, above = NONE, slot
    for _ in range(HOPS):
        above = parent_of(table, above)
        if above == NONE:
            break
        other = entry_at(table, above)
        side = side_of(other)
        if side == CALLEE or not _same_owner(entry, other):
            break
        if side == CALLER:
            wrapper = above if wrapper == NONE else wrapper
            if not nameless:
                break
            if has(other, AT_ONCE):
                return wrapper, above
    return wrapper, NONE


@inline
def _count(table: int, slot: int, more: int) -> None:
    """Let a caller side wrap one more, or one less."""
    entry = entry_at(table, slot)
    store32(entry + WRAPPED, load32(entry + WRAPPED) + more)
    settle_own(table, slot)


@inline
def _wrap(table: int, entry: int, wrapper: int) -> None:
    """Change which wrapper a caller side has."""
    before = load32(entry + WRAPPER)
    now = NONE if wrapper == NONE else number_of(table, wrapper) & _NUMBER
    if now == before:
        return
    store32(entry + WRAPPER, now)
    size = load64(table + CAPACITY)
    if before != NONE and ((load64(table + HEAD) - before) & _NUMBER) <= size:
        _count(table, before & (size - 1), -PLUS)
    if wrapper != NONE:
        _count(table, wrapper, PLUS)


@inline
def _name(table: int, entry: int, source: int, lent: bool) -> bool:
    """Take what is booked to another peer back; whether the caller side turns to a channel, or away from one.

    Whoever asks books what follows from it.
    """
    published = has(entry, PUBLISHES)
    if load16(entry + PEER) != load16(source + OTHER):
        if has(entry, WAITING):
            emit_own(table, entry, MINUS, WAITING_SIGHT)
            put(entry, WAITING, False)
        if has(entry, BOOKED):
            emit_own(table, entry, MINUS, CLIENT_ONLY)
            put(entry, BOOKED, False)
            add64(table + WITHDRAWN, PLUS)
        store16(entry + PEER, load16(source + OTHER))
    put(entry, LENT, lent)
    put(entry, CERTAIN, has(source, AT_ONCE))
    put(entry, PUBLISHES, has(source, CHANNEL))
    return published != has(entry, PUBLISHES)


@routine
def enclose(table: int, slot: int) -> bool:
    """Ask what a caller side lies in, and correct what is booked in its name and in its wrapper's.

    Returns:
        Whether other callees are its own now: it turned to a channel, or away from one.
    """
    entry = entry_at(table, slot)
    wrapper, lender = around(table, slot)
    forgetful = load64(table + EVICTED) != 0
    if wrapper != NONE or not forgetful:
        _wrap(table, entry, wrapper)
    turned = False
    if lender != NONE or not (forgetful and has(entry, LENT)):
        source = entry if lender == NONE else entry_at(table, lender)
        turned = _name(table, entry, source, lender != NONE)
    settle_own(table, slot)
    return turned
