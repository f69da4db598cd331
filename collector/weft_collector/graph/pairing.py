"""From spans to signed call rows, one batch after the other.

Whatever the order in which spans come, the rows that were given out add up to the calls of all spans that
are in the table, by the rules of docs/graph-rules.md: an arrival books the difference that it makes.
Nothing is ever decided for good; a later span that tells better takes the booking back and makes a new
one.

The table is a cache, bounded in entries, oldest arrival out first. What an entry decided while it was
there stays booked after it has gone; a span whose partner went too early is judged alone, and counted by
`counters`.

The algorithm lies in small files, from the ground up: `pairing_table` (the memory), `pairing_index`
(finding entries), `pairing_ahead` (loading them in time), `pairing_order` (which of two spans comes first),
`pairing_walk` (who called), `pairing_heap` and `pairing_calls` (booking), `pairing_wrappers` (spans that call
around others), `pairing_run` (the kernels).

Refused: holding back calls until a trace is complete (nobody knows when it is), and joining spans at query
time (seconds for what takes nanoseconds here). Not thread-safe: `Derived` holds its lock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import pairing_table as pt
from weft_collector.graph.outcomes import BUCKET_BITS, FAILED_FROM
from weft_collector.graph.owners import Owners
from weft_collector.graph.pairing_run import foretell, ripen, take

DEFAULT_CAPACITY = 1 << 20
RIPE_AFTER_NS = 30_000_000_000
"""How long a caller side waits for its callee before it stands as a call to its peer."""

_ROWS = 1 << 15
_SAME_ARRIVAL_NS = 100_000_000

Rows = NDArray[np.void]
"""Array of pairing_table.ROW."""
Batch = NDArray[np.void]
"""Array of pairing_table.ARRIVAL."""


class BookedCalls(NamedTuple):
    """Calls that stand as booked now and whose identifying span is still in the table; one row per call.

    Attributes:
        start: Start of the identifying span, ns since the epoch.
        caller: Number of the caller's node.
        callee: Number of the callee's node.
        sight: BOTH, CLIENT_ONLY, SERVER_ONLY or INFERRED of `pairing_table`.
        outcome: How it went: a number of `outcomes.OUTCOMES`.
        trace: Low half of the trace id.
        client: Ordinal of the span that gives the caller side's figures; -1 where there is none.
        client_span: Its id; 0 where there is none, like the following.
        client_instance: Number of its instance.
        server: Ordinal of the span that gives the callee side's figures; -1 where there is none.
        server_span: Its id.
        server_instance: Number of its instance.
    """

    start: NDArray[np.int64]
    caller: NDArray[np.int32]
    callee: NDArray[np.int32]
    sight: NDArray[np.uint8]
    outcome: NDArray[np.uint8]
    trace: NDArray[np.uint64]
    client: NDArray[np.int64]
    client_span: NDArray[np.uint64]
    client_instance: NDArray[np.int32]
    server: NDArray[np.int64]
    server_span: NDArray[np.uint64]
    server_instance: NDArray[np.int32]


def let_go(blocks: Iterable[Rows]) -> None:
    """Run blocks of rows to their end; what they book stands elsewhere."""
    for _ in blocks:
        pass


class Pairing:
    """The pairing table and its clockwork.

    `take`, `age`, `settle` and `flush` give out blocks of rows as iterators: each block is valid until the
    next is asked for, and the iterator must be run to its end. Rows gather over several batches; `flush`
    gives out those that are left.

    Args:
        owners: What the spans' nodes and instances are called.
        capacity: Entries; rounded up to a power of two.
        seed: Of the hash.
        rows: How many rows gather at most.
    """

    def __init__(
        self, owners: Owners, capacity: int = DEFAULT_CAPACITY, seed: int = 0, rows: int = _ROWS
    ) -> None:
        self._table = pt.Table(owners, capacity, rows, seed)
        self._arrivals: deque[tuple[int, int]] = deque()
        self._next_ordinal = 0

    @property
    def capacity(self) -> int:
        """How many entries there is room for."""
        return len(self._table.entries)

    @property
    def nbytes(self) -> int:
        """Bytes of the entries and their indexes."""
        return self._table.entries.nbytes + self._table.indexes.nbytes

    def clear(self) -> None:
        """Forget all spans, and rows that have gathered; what was counted stays counted."""
        self._table.clear()
        self._arrivals.clear()

    @property
    def gathered(self) -> int:
        """How many rows wait for `flush`."""
        return self._table.get("count")

    @property
    def arrivals(self) -> int:
        """How many spans were let in; the oldest beyond the capacity have left again."""
        return self._table.get("head")

    @property
    def latest_evicted(self) -> int:
        """The latest start of a span that has left, ns since the epoch; -1 before the first."""
        return self._table.get("latest_evicted")

    def miss(self, start_ns: int) -> None:
        """Note that spans with starts up to this one are not in the table, as if they had left."""
        self._table.set_latest_evicted(start_ns)

    def counters(self) -> dict[str, int]:
        """How often since the start, by event."""
        events = pt.CONTROL[pt.CONTROL.index("duplicates") :]
        return {event: self._table.get(event) for event in events}

    def take(self, batch: Batch, first_ordinal: int, arrived_ns: int) -> Iterator[Rows]:
        """Take a batch in.

        Args:
            batch: The spans.
            first_ordinal: The head's ordinal of the first span.
            arrived_ns: When the batch arrived; a clock that goes back is held still.
        """
        self._table.set_batch(batch, first_ordinal, arrived_ns)
        self._next_ordinal = first_ordinal + len(batch)
        yield from self._work(lambda: take(self._table.address))
        self._note_arrival(arrived_ns)

    def age(self, now_ns: int) -> Iterator[Rows]:
        """Let the caller sides stand that arrived at least RIPE_AFTER_NS before `now_ns`."""
        until = 0
        while self._arrivals and self._arrivals[0][1] + RIPE_AFTER_NS <= now_ns:
            until = self._arrivals.popleft()[0]
        yield from self._work(lambda: ripen(self._table.address, until))

    def settle(self) -> Iterator[Rows]:
        """Let all caller sides stand that are there."""
        self._arrivals.clear()
        until = self._table.get("head")
        yield from self._work(lambda: ripen(self._table.address, until))

    def foretell(self) -> Iterator[Rows]:
        """What `settle` would book now; nothing is decided by asking. To be called after `flush`."""
        head = self._table.get("head")
        at = max(self._table.get("ripe"), head - self.capacity)
        while at < head:
            at = foretell(self._table.address, at)
            yield self._table.empty_rows()

    def flush(self) -> Iterator[Rows]:
        """The rows that have gathered."""
        yield self._table.empty_rows()

    def booked(self, start_ns: int, end_ns: int) -> BookedCalls:
        """The calls that start within [start_ns, end_ns), by start."""
        entries = self._table.entries
        start = entries["start"]
        within = (start >= start_ns) & (start < end_ns)
        chosen = np.flatnonzero(((entries["flags"] & pt.BOOKED) != 0) & within)
        return self._calls_of(chosen[np.argsort(start[chosen], kind="stable")])

    def _calls_of(self, slots: NDArray[np.intp]) -> BookedCalls:
        entries = self._table.entries
        own = entries[slots]
        callee = (own["flags"] & pt.SIDE) != pt.CALLER
        carried = callee & (own["client"] >= 0) & (own["partner"] != pt.NONE)
        client = np.where(carried, own["partner"], slots)
        no_client = callee & ~carried
        seen_both = np.where((own["flags"] & pt.SEEN_BOTH) != 0, pt.BOTH, pt.SERVER_ONLY)
        node, other = own["node"].astype(np.int32), own["booked"].astype(np.int32)
        return BookedCalls(
            start=own["start"],
            caller=np.where(callee, other, node),
            callee=np.where(callee, node, other),
            sight=np.where(callee, seen_both, pt.CLIENT_ONLY).astype(np.uint8),
            outcome=_outcomes(own, callee),
            trace=own["trace"],
            client=np.where(no_client, -1, self._full_ordinals(entries["ordinal"][client])),
            client_span=np.where(no_client, np.uint64(0), entries["span"][client]),
            client_instance=np.where(no_client, 0, entries["instance"][client]),
            server=np.where(callee, self._full_ordinals(own["ordinal"]), -1),
            server_span=np.where(callee, own["span"], np.uint64(0)),
            server_instance=np.where(callee, own["instance"], 0),
        )

    def _full_ordinals(self, low: NDArray[Any]) -> NDArray[np.int64]:
        """Ordinals from their low 32 bits: none is 2**32 older than the newest."""
        return self._next_ordinal - ((self._next_ordinal - low.astype(np.int64)) & 0xFFFFFFFF)

    def _note_arrival(self, arrived_ns: int) -> None:
        """Remember up to which entry all arrived by then; batches of one tenth of a second share a note."""
        end = self._table.get("head")
        if self._arrivals and self._arrivals[-1][1] + _SAME_ARRIVAL_NS > arrived_ns:
            self._arrivals[-1] = (end, max(self._arrivals[-1][1], arrived_ns))
        else:
            self._arrivals.append((end, arrived_ns))

    def _work(self, work: Callable[[], bool]) -> Iterator[Rows]:
        """Call a kernel until it is done, giving out what it has put into the output each time it is full."""
        while not work():
            yield self._table.empty_rows()


def _outcomes(own: NDArray[np.void], callee: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """How booked calls went, as `outcomes.of_call` has it."""
    said = own["measure"] >> BUCKET_BITS
    theirs = np.where(callee & (own["client"] >= 0), own["client"] >> BUCKET_BITS, 0)
    callees = (said >= FAILED_FROM) | ((said != 0) & (theirs < FAILED_FROM))
    return np.where(callees | ~callee, said, theirs).astype(np.uint8)
