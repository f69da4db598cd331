"""The pairing table's memory: what an entry holds, and the arrays that the kernels work on.

An entry is one span that counts. Entries lie in a ring in order of arrival: the slot of an entry is its
arrival number modulo the capacity, so the oldest entry is always the next to go and no list of ages is
kept.

What an entry refers to, it refers to by slot. Three structures run through the entries:

- `by_id`, an open-addressing index from (trace, span id) to entries. Some share an id: the two halves of a
  Zipkin span, or the same id out of two instances. Each has a place of its own in the index.
- `by_parent`, an index from (trace, parent id) to the *youngest* child that waits on it; `sibling` closes
  the children to a ring in order of arrival. The oldest child follows the youngest, so a child can be
  appended and the oldest taken out in constant time, and eviction only ever takes the oldest.
- a pairing heap of the callees of each caller-side entry, ordered by (start, span id): its root is the
  call that carries the caller side's figures. Any callee may leave it in logarithmic time, which a list
  sorted on demand could not promise to a sender who means ill.

A caller side is in no heap, and keeps there what `pairing_wrappers` needs: the wrapper around it, by arrival
number rather than by slot, as the wrapper may be evicted first; and how many it is the wrapper of.

Spans carry ids that senders choose, so the indexes hash them with a seed of the process. Ids themselves are
kept, not their hash: two spans are never taken for one.

Kernels work on addresses. Each gets the address of the control block, and finds all else from there; a
slot is a number below the capacity wherever it comes from, and so are the places of the indexes, being
masked. Row buffers are bounded by SPARE and by the length of the batch. So no access leaves the arrays
that `Table` holds.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.owners import Owners
from weft_collector.kernel import inline, load8, load64, number, store8, store64

ARRIVAL = np.dtype(
    [
        ("trace", np.uint64),  # low half of the trace id
        ("span", np.uint64),
        ("parent", np.uint64),  # 0 for a root
        ("start", np.int64),  # ns since the epoch, not negative
        ("node", np.uint16),  # whose span it is
        ("other", np.uint16),  # caller side: its peer. Otherwise: the channel, or the caller that it names
        ("flags", np.uint16),  # its role, and the other flags of CONTENT
        ("measure", np.int16),  # histogram bucket of its duration, and its outcome (`outcomes.py`)
        ("instance", np.int32),  # 0 where it names none
        ("filler", np.int32),
    ]
)
"""What pairing is told of a span: the first fields of its entry."""

ENTRY = np.dtype(
    [
        *ARRIVAL.descr[:-1],
        ("ordinal", np.uint32),  # of the span in the head, modulo 2**32
        ("partner", np.uint32),  # callee: its caller side. Caller side: the callee that has its figures
        ("sibling", np.uint32),  # next child of the same parent, in a ring
        ("child", np.uint32),  # callee: its first child in the heap. Caller side: root of its callees' heap
        # Callee: next in the list of its parent's children in the heap. Caller side: the number of its wrapper
        ("next", np.uint32),
        # Callee: the one before it in that list, or its parent in the heap. Caller side: how many it wraps
        ("prev", np.uint32),
        # Callee: the node that it is booked as called by. Caller side: its peer, by its own word or a lent one
        ("booked", np.uint16),
        ("client", np.int16),  # callee: measure of the caller side in its booking, or ABSENT
    ]
)
"""One entry: 72 bytes, and 16 bytes of the two indexes."""

ROW = np.dtype(
    [
        ("minute", np.int32),  # since the epoch, UTC, of the start of the span that identifies the call
        ("caller", np.uint16),
        ("callee", np.uint16),
        ("client", np.int16),  # histogram bucket, or -1
        ("server", np.int16),
        ("sign", np.int8),  # +1 books, -1 takes exactly that booking back
        ("sight", np.uint8),  # BOTH to INFERRED, or WAITING_SIGHT for a span that is no call yet
        ("outcome", np.uint8),  # of `outcomes.OUTCOMES`
        ("filler", np.uint8),
    ]
)
"""One signed call row."""


def _offset(record: np.dtype[np.void], name: str) -> int:
    fields: Any = record.fields
    return int(fields[name][1])


# Where the fields of an entry lie; those of ARRIVAL lie at the same places in both.
TRACE, SPAN, PARENT, START = (_offset(ENTRY, name) for name in ("trace", "span", "parent", "start"))
NODE, OTHER, FLAGS, MEASURE = (_offset(ENTRY, name) for name in ("node", "other", "flags", "measure"))
INSTANCE, ORDINAL = _offset(ENTRY, "instance"), _offset(ENTRY, "ordinal")
PARTNER, SIBLING = _offset(ENTRY, "partner"), _offset(ENTRY, "sibling")
CHILD, NEXT, PREV = (_offset(ENTRY, name) for name in ("child", "next", "prev"))
WRAPPER, WRAPPED = NEXT, PREV  # of a caller side
BOOKED_AS, CLIENT_MEASURE = _offset(ENTRY, "booked"), _offset(ENTRY, "client")
PEER = BOOKED_AS  # of a caller side
ENTRY_BYTES, ARRIVAL_BYTES, ROW_BYTES = ENTRY.itemsize, ARRIVAL.itemsize, ROW.itemsize

# Where the fields of a row lie.
ROW_MINUTE, ROW_CALLER, ROW_CALLEE = (_offset(ROW, name) for name in ("minute", "caller", "callee"))
ROW_CLIENT, ROW_SERVER, ROW_SIGN = (_offset(ROW, name) for name in ("client", "server", "sign"))
ROW_SIGHT, ROW_OUTCOME = _offset(ROW, "sight"), _offset(ROW, "outcome")

# Numbers that are handed to compiled functions: typed once, so that those are compiled once.
NONE = number(0xFFFFFFFF)
"""No slot."""
NO_NODE = number(0xFFFF)
ABSENT = number(0xFFFF)
"""No bucket, no measure; -1 as int16."""
PLUS, MINUS = number(1), number(255)
"""Signs, as the byte in a row."""
HOPS = 32
"""How many parents a walk looks at."""
LEVELS = 2 * HOPS
"""How deep a way down may be: to a caller side whose peer turns to another, and on to its callees."""
SHARED = 8
"""How many spans may share an id; what comes later is counted and left out."""
SPARE = 256
"""Rows that must be free before a step; no step emits more."""

# How a call was seen.
BOTH, CLIENT_ONLY, SERVER_ONLY, INFERRED, WAITING_SIGHT = map(number, range(5))

# Roles (docs/graph-rules.md R2.1), the two lowest bits of `flags`, and the other bits.
LOCAL, CALLER, CALLEE = map(number, range(3))
SIDE = 3
CONSUMER = number(1 << 2)  # callee: it reads from a channel rather than being called
AT_ONCE = number(1 << 4)  # caller side: its peer is known for sure, so it does not wait for a callee
CHANNEL = number(1 << 5)  # `other` is a channel
BOOKED = number(1 << 6)
SEEN_BOTH = number(1 << 7)  # callee: booked with a caller side
PUBLISHES = SEEN_BOTH  # caller side: its peer, own or lent, is a channel
CERTAIN = number(1 << 8)  # caller side: its peer, own or lent, is known for sure
MET = number(1 << 9)  # caller side: had a callee that was evicted
SPENT = number(1 << 10)  # caller side: its figures stay in the booking of an evicted callee
WAITING = number(1 << 11)  # caller side: shown as pending
FOUND = number(1 << 12)  # its walk ended at a span, not at one that is missing
LENT = FOUND  # caller side: a wrapper has lent it its peer
MISMATCH = number(1 << 13)  # its caller entry names another service than its walk found
# Its side by kind is not its role: a client span that fetches, or a span that settles.
TURNED = number(1 << 14)
EMPTY = number(1 << 15)  # callee that consumes: nothing came, so it is no call
NAMED = EMPTY  # callee that does not: `other` is the client that it names, not that of a caller entry
CONTENT = AT_ONCE | CHANNEL | CONSUMER | SIDE | TURNED | EMPTY
"""Flags that come with the span."""

CONTROL = (
    "entries",  # addresses
    "by_id",
    "by_parent",
    "descent",
    "rows",
    "batch",
    "owners",
    "capacity",
    "index_mask",
    "room",  # rows that the output may hold before it must be emptied
    "seed",
    "head",  # arrival number of the next entry
    "ripe",  # entries before this number no longer wait
    "count",  # rows in the output
    "at",  # row of the batch that is being worked on
    "length",  # rows of the batch
    "ordinal",  # of the first span of the batch
    "level",  # depth of the way down from it, 0 when it is done
    "wraps",  # whether the way down began at a caller side, or below one that spans further down may lie in
    "touched",  # keeps the compiler from leaving out loads that only warm the cache
    "now",  # arrival of the batch, ns since the epoch
    "latest_evicted",  # latest start of an entry that left, -1 before the first; one ahead of `now` tells nothing
    "duplicates",
    "conflicting",
    "crowded",
    "evicted",
    "evicted_waiting",
    "withdrawn",
    "mismatches",
    "evicted_orphans",  # no caller sides, and their walk had ended at a parent that was missing
    "late",  # spans that came with a start no later than `latest_evicted`
)
"""Names of the numbers in the control block, 8 bytes each."""

ENTRIES, BY_ID, BY_PARENT, DESCENT, ROWS, BATCH, OWNERS = range(0, 56, 8)
CAPACITY, INDEX_MASK, ROOM, SEED, HEAD, RIPE, COUNT = range(56, 112, 8)
AT, LENGTH, FIRST_ORDINAL, LEVEL, WRAPS, TOUCHED, NOW, LATEST_EVICTED = range(112, 176, 8)
DUPLICATES, CONFLICTING, CROWDED, EVICTED, EVICTED_WAITING, WITHDRAWN, MISMATCHES = range(176, 232, 8)
EVICTED_ORPHANS, LATE = 232, 240

# Places in a level of `descent`: the next child to visit, the last one, their parent, and how many levels may follow.
LEVEL_NEXT, LEVEL_LAST, LEVEL_ABOVE, LEVEL_REACH, LEVEL_BYTES = range(0, 40, 8)


class Table:
    """The arrays, and the control block that tells kernels where they are.

    Args:
        owners: Of the spans.
        capacity: Entries; rounded up to a power of two, at least 16 and at most 2**26.
        rows: Length of the output, at least 2 * SPARE.
        seed: Of the hash: any number of 63 bits, unknown to senders.
    """

    def __init__(self, owners: Owners, capacity: int, rows: int, seed: int) -> None:
        size = 1 << max(4, min(26, (capacity - 1).bit_length()))
        self.entries = np.zeros(size, ENTRY)
        self.indexes = np.zeros((2, 2 * size), np.uint32)
        self.rows = np.zeros(max(rows, 2 * SPARE), ROW)
        self._descent = np.zeros((LEVELS + 1) * LEVEL_BYTES // 8, np.int64)
        self._control = np.zeros(len(CONTROL), np.int64)
        self._batch = np.zeros(0, ARRIVAL)
        self._owners = owners
        self._set(owners=owners.address)
        self._set(entries=self.entries.ctypes.data, descent=self._descent.ctypes.data)
        self._set(by_id=self.indexes[0].ctypes.data, by_parent=self.indexes[1].ctypes.data)
        self._set(rows=self.rows.ctypes.data, room=len(self.rows) - SPARE)
        self._set(capacity=size, index_mask=2 * size - 1, seed=seed & ((1 << 63) - 1))
        self._set(latest_evicted=-1)

    @property
    def address(self) -> int:
        """The control block's address; valid as long as this object lives."""
        return self._control.ctypes.data

    def get(self, name: str) -> int:
        """A number of the control block."""
        return int(self._control[CONTROL.index(name)])

    def _set(self, **values: int) -> None:
        for name, value in values.items():
            self._control[CONTROL.index(name)] = value

    def set_batch(self, batch: NDArray[np.void], first_ordinal: int, arrived_ns: int) -> None:
        """Name the next batch (ARRIVAL); the table keeps it until the next one."""
        self._batch = np.ascontiguousarray(batch)
        self._set(batch=self._batch.ctypes.data, length=len(batch), ordinal=first_ordinal, at=0)
        self._set(now=arrived_ns)

    def set_latest_evicted(self, start_ns: int) -> None:
        """Note that a span with this start is not here any more."""
        self._set(latest_evicted=max(start_ns, self.get("latest_evicted")))

    def clear(self) -> None:
        """Forget all entries; they are not looked at unless an index leads to them."""
        self.indexes[:] = 0
        self._set(head=0, ripe=0, count=0, at=0, length=0, level=0)

    def empty_rows(self) -> NDArray[np.void]:
        """The rows in the output, which is empty from now on; they are valid until a kernel runs again."""
        rows = self.rows[: self.get("count")]
        self._set(count=0)
        return rows


@inline
def load16(p: int) -> int:
    """Two bytes as a number."""
    return load8(p) | load8(p + 1) << 8


@inline
def store16(p: int, value: int) -> None:
    """The lowest two bytes of a number."""
    store8(p, value)
    store8(p + 1, value >> 8)


@inline
def add64(p: int, value: int) -> None:
    """Add to a number in memory."""
    store64(p, load64(p) + value)


@inline
def entry_at(table: int, slot: int) -> int:
    """Address of the entry in a slot."""
    return load64(table + ENTRIES) + slot * ENTRY_BYTES


@inline
def side_of(entry: int) -> int:
    """Its role: LOCAL, CALLER or CALLEE."""
    return load8(entry + FLAGS) & SIDE


@inline
def kind_side_of(entry: int) -> int:
    """The side of its kind (R1.1): LOCAL, CALLER or CALLEE; a settling span of a callee's kind has CONSUMER set."""
    flags = load16(entry + FLAGS)
    if flags & TURNED == 0:
        return flags & SIDE
    return CALLEE if flags & (SIDE | CONSUMER) == CONSUMER else CALLER


@inline
def is_callee_half(entry: int) -> bool:
    """Whether it may be one half of a call whose other half has the same id."""
    return load16(entry + FLAGS) & (SIDE | TURNED) == CALLEE


@inline
def number_of(table: int, slot: int) -> int:
    """Arrival number of the entry in a slot."""
    last = load64(table + HEAD) - 1
    return last - ((last - slot) & (load64(table + CAPACITY) - 1))
