"""Booking calls and taking them back: from answers to signed rows.

Every entry remembers exactly what is booked in its name, so that a booking is always taken back as it was
made, whatever has left the table meanwhile. Invariants, between two steps:

- a callee-side entry is booked if and only if its answer names a caller;
- a caller-side entry stands in its own name (as a call to its peer) only while it is no wrapper and has no
  callee, unless its peer is a channel, which it reaches whoever reads from there;
- of the callees of a caller side only the first by (start, span id) carries that side's duration and
  outcome: the root of the heap is the `partner` of its owner, unless the figures are spent.
"""

from weft_collector.graph.outcomes import BUCKET_BITS, MEASURE_BUCKET, of_call
from weft_collector.graph.pairing_heap import heap_add, heap_release, heap_remove
from weft_collector.graph.pairing_table import (
    ABSENT,
    BOOKED,
    BOOKED_AS,
    BOTH,
    CALLER,
    CERTAIN,
    CHANNEL,
    CHILD,
    CLIENT_MEASURE,
    CLIENT_ONLY,
    COUNT,
    EVICTED,
    FLAGS,
    FOUND,
    MEASURE,
    MET,
    MINUS,
    MISMATCH,
    MISMATCHES,
    NAMED,
    NO_NODE,
    NODE,
    NONE,
    OTHER,
    PARTNER,
    PEER,
    PLUS,
    PUBLISHES,
    RIPE,
    ROW_BYTES,
    ROW_CALLEE,
    ROW_CALLER,
    ROW_CLIENT,
    ROW_MINUTE,
    ROW_OUTCOME,
    ROW_SERVER,
    ROW_SIGHT,
    ROW_SIGN,
    ROWS,
    SEEN_BOTH,
    SERVER_ONLY,
    SPENT,
    START,
    WAITING,
    WAITING_SIGHT,
    WITHDRAWN,
    WRAPPED,
    add64,
    entry_at,
    load16,
    number_of,
    side_of,
    store16,
)
from weft_collector.graph.pairing_walk import answer
from weft_collector.kernel import ZERO, inline, load32, load64, routine, store8, store32

MINUTE_NS = 60_000_000_000
_UNBOOK = 0xFFFF & ~(BOOKED | SEEN_BOTH)


@inline
def has(entry: int, bit: int) -> bool:
    """Whether an entry has a flag."""
    return (load16(entry + FLAGS) & bit) != 0


@inline
def put(entry: int, bit: int, on: bool) -> None:
    """Give an entry a flag, or take it away."""
    flags = load16(entry + FLAGS)
    store16(entry + FLAGS, flags | bit if on else flags & ~bit)


@inline
def _row(table: int, entry: int, sign: int, sight: int) -> int:
    """The next row of the output, with what every row of an entry has."""
    row = load64(table + ROWS) + load64(table + COUNT) * ROW_BYTES
    add64(table + COUNT, PLUS)
    store32(row + ROW_MINUTE, load64(entry + START) // MINUTE_NS)
    store8(row + ROW_SIGN, sign)
    store8(row + ROW_SIGHT, sight)
    return row


@routine
def emit_own(table: int, entry: int, sign: int, sight: int) -> None:
    """A caller side's row in its own name: a call to its peer, or a wait for its callee."""
    row = _row(table, entry, sign, sight)
    store16(row + ROW_CALLER, load16(entry + NODE))
    store16(row + ROW_CALLEE, load16(entry + PEER))
    measure = load16(entry + MEASURE)
    store16(row + ROW_CLIENT, measure & MEASURE_BUCKET)
    store16(row + ROW_SERVER, ABSENT)
    store8(row + ROW_OUTCOME, measure >> BUCKET_BITS)


@routine
def _emit_callee(table: int, entry: int, sign: int) -> None:
    """A callee's row, as the entry remembers it."""
    row = _row(table, entry, sign, BOTH if has(entry, SEEN_BOTH) else SERVER_ONLY)
    store16(row + ROW_CALLER, load16(entry + BOOKED_AS))
    store16(row + ROW_CALLEE, load16(entry + NODE))
    measure, client = load16(entry + MEASURE), load16(entry + CLIENT_MEASURE)
    carried = client != ABSENT
    store16(row + ROW_CLIENT, client & MEASURE_BUCKET if carried else ABSENT)
    store16(row + ROW_SERVER, measure & MEASURE_BUCKET)
    store8(row + ROW_OUTCOME, of_call(measure >> BUCKET_BITS, client >> BUCKET_BITS if carried else ZERO))


@routine
def settle_own(table: int, slot: int) -> None:
    """Book a caller side to its peer, or take that back, as what it wraps, its callees and its age demand."""
    entry = entry_at(table, slot)
    unanswered = has(entry, PUBLISHES) or (load32(entry + CHILD) == NONE and not has(entry, MET))
    calls = unanswered and load32(entry + WRAPPED) == 0
    ready = has(entry, CERTAIN) or number_of(table, slot) < load64(table + RIPE)
    book, wait = calls and ready, calls and not ready
    if wait != has(entry, WAITING):
        put(entry, WAITING, wait)
        emit_own(table, entry, PLUS if wait else MINUS, WAITING_SIGHT)
    if book != has(entry, BOOKED):
        put(entry, BOOKED, book)
        emit_own(table, entry, PLUS if book else MINUS, CLIENT_ONLY)
        add64(table + WITHDRAWN, ZERO if book else PLUS)


@inline
def _carry(table: int, entry: int, owner: int) -> None:
    """Give a callee the figures of its caller side; NONE takes them away. The caller emits the rows."""
    measure = ABSENT if owner == NONE else load16(entry_at(table, owner) + MEASURE)
    store16(entry + CLIENT_MEASURE, measure)


@routine
def _rebook(table: int, slot: int, owner: int) -> None:
    """Change which caller side's figures a booked callee carries."""
    entry = entry_at(table, slot)
    _emit_callee(table, entry, MINUS)
    _carry(table, entry, owner)
    _emit_callee(table, entry, PLUS)


@routine
def _detach(table: int, slot: int) -> None:
    """Take a callee, which is not booked now, away from its caller side."""
    entry = entry_at(table, slot)
    owner = load32(entry + PARTNER)
    side = entry_at(table, owner)
    store32(entry + PARTNER, NONE)
    heap_remove(table, owner, slot)
    if load32(side + PARTNER) == slot:
        first = load32(side + CHILD)
        store32(side + PARTNER, first)
        if first != NONE:
            _rebook(table, first, owner)
    settle_own(table, owner)


@routine
def _attach(table: int, slot: int, owner: int) -> None:
    """Give a callee, which is not booked now, to a caller side."""
    side = entry_at(table, owner)
    store32(entry_at(table, slot) + PARTNER, owner)
    heap_add(table, owner, slot)
    if load32(side + CHILD) == slot and not has(side, SPENT):
        before = load32(side + PARTNER)
        if before != NONE:
            _rebook(table, before, NONE)
        store32(side + PARTNER, slot)
        _carry(table, entry_at(table, slot), owner)
    settle_own(table, owner)


@inline
def _compare(table: int, entry: int, caller: int, found: bool) -> None:
    """Count a caller entry that names another caller than the walk found."""
    entered = load16(entry + OTHER)
    named = entered != NO_NODE and not has(entry, CHANNEL | NAMED)
    wrong = named and found and caller not in (NO_NODE, entered)
    if wrong and not has(entry, MISMATCH):
        add64(table + MISMATCHES, PLUS)
    put(entry, MISMATCH, wrong)


@routine
def decide(table: int, slot: int) -> None:
    """Ask who called an entry that is no caller side, and correct what is booked in its name."""
    entry = entry_at(table, slot)
    caller, owner, found = answer(table, slot)
    if has(entry, FOUND) and not found and load64(table + EVICTED) != 0:
        return  # an ancestor may have left the table; what was decided while it was there still holds
    _compare(table, entry, caller, found)
    put(entry, FOUND, found)
    booked = load16(entry + BOOKED_AS) if has(entry, BOOKED) else NO_NODE
    if caller == booked and owner == load32(entry + PARTNER):
        return
    if booked != NO_NODE:
        _emit_callee(table, entry, MINUS)
        store16(entry + FLAGS, load16(entry + FLAGS) & _UNBOOK)
    if load32(entry + PARTNER) != NONE:
        _detach(table, slot)
    if caller == NO_NODE:
        return
    store16(entry + BOOKED_AS, caller)
    _carry(table, entry, NONE)
    if owner != NONE:
        _attach(table, slot, owner)
    put(entry, BOOKED, True)
    put(entry, SEEN_BOTH, owner != NONE)
    _emit_callee(table, entry, PLUS)


@routine
def leave(table: int, slot: int) -> None:
    """Settle an entry that is about to leave the table; its bookings stay."""
    entry = entry_at(table, slot)
    if side_of(entry) == CALLER:
        settle_own(table, slot)
        heap_release(table, slot)
        return
    owner = load32(entry + PARTNER)
    if owner == NONE:
        return
    side = entry_at(table, owner)
    heap_remove(table, owner, slot)
    put(side, MET, True)
    if load32(side + PARTNER) == slot:
        store32(side + PARTNER, NONE)
        put(side, SPENT, True)
