"""Which spans are distinct (`docs/graph-rules.md` 1), as columns.

A span is identified by the low half of its trace id, its span id, its side, and its owner: the service and the
instance of it, as the graph tells them apart. The first in the log counts.

**Owners** are 64-bit hashes of texts, since text ids mean nothing beyond their table, and identities of different
segments are compared: BLAKE2b, 8 bytes little-endian, of the parts that `owner_of` joins. Two owners with the same
hash would have to send the same span id in the same trace to be taken for one.

**Distinct** rows are found by a hash set over row numbers: each slot holds the row and 32 bits of its hash, so that
a slot of another key seldom costs a look at its row. Whole keys are compared: a hash decides nothing. Ids are chosen
by senders, so the hash is seeded for each call; otherwise chosen ids could make the set quadratic. Refused: sorting
by four columns, which takes ten times as long.

The kernel reads and writes rows below `rows` of arrays of that length, and slots below their number by a mask.
"""

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import (
    fold_multiply,
    kernel,
    load8,
    load64,
    number,
    shift_right,
    store32,
    store64,
)

__all__ = [
    "CALLEE",
    "CALLER",
    "LOCAL",
    "SIDES",
    "UNNAMED_SERVICE",
    "Identity",
    "OwnerTexts",
    "Owners",
    "distinct",
    "instance_of",
    "owner_of",
]

UNNAMED_SERVICE: Final = "unknown_service"
"""OpenTelemetry's own name for a service that gives none."""

#: Sides of a span.
LOCAL, CALLER, CALLEE = range(3)
#: Side by OTLP kind: unspecified, internal, server, client, producer, consumer.
SIDES: Final = np.array([LOCAL, LOCAL, CALLEE, CALLER, CALLER, CALLEE], np.uint8)

_MOST_OWNERS: Final = 1 << 16

Rows = NDArray[np.intp] | NDArray[np.bool_]
"""Numbers of rows, or one truth for each."""


class Identity(NamedTuple):
    """What tells spans apart; one row for each span, in the order of the log."""

    trace_lo: NDArray[np.uint64]
    span_id: NDArray[np.uint64]
    owner: NDArray[np.uint64]
    side: NDArray[np.uint8]

    def take(self, rows: Rows) -> "Identity":
        """Some rows, by number or by mask."""
        return Identity(self.trace_lo[rows], self.span_id[rows], self.owner[rows], self.side[rows])

    def of_traces(self, traces: NDArray[np.uint64]) -> "Identity":
        """Those of some traces, by the low halves of their ids."""
        return self.take(np.isin(self.trace_lo, traces))

    def behind(self, older: "Identity") -> "Identity":
        """These behind some others."""
        return Identity(
            np.concatenate([older.trace_lo, self.trace_lo]),
            np.concatenate([older.span_id, self.span_id]),
            np.concatenate([older.owner, self.owner]),
            np.concatenate([older.side, self.side]),
        )


class OwnerTexts(NamedTuple):
    """What a resource says about whose spans these are; texts, or text ids, or columns of either."""

    environment: Any
    namespace: Any
    service: Any
    instance: Any
    host: Any
    pid: Any  # a number


def instance_of(instance: str, host: str, pid: int) -> str:
    """The name of an instance: the one that it has, else `host:pid` if either is known, else empty."""
    return instance or (f"{host}:{pid}" if host or pid else "")


def owner_of(said: OwnerTexts) -> int:
    """The number of an owner.

    The hash is of environment, namespace, service (UNNAMED_SERVICE if it has no name) and instance, each behind its
    length in bytes and a colon.
    """
    service = said.service or UNNAMED_SERVICE
    parts = (said.environment, said.namespace, service, instance_of(said.instance, said.host, said.pid))
    text = b"".join(b"%d:%b" % (len(part), part) for part in map(str.encode, parts))
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


class Owners:
    """The owners of resources; remembers those of the texts that it has seen.

    Args:
        text: The text of an id (`Strings.text`).
    """

    def __init__(self, text: Callable[[int], str]) -> None:
        self._text = text
        self._known: dict[tuple[int, ...], int] = {}

    def of(self, said: OwnerTexts) -> NDArray[np.uint64]:
        """The owner of each resource, by columns of text ids and of process ids."""
        ids = zip(*(column.tolist() for column in said), strict=True)
        return np.array([self._owner(one) for one in ids], np.uint64)

    def _owner(self, ids: tuple[int, ...]) -> int:
        known = self._known.get(ids)
        if known is None:
            if len(self._known) >= _MOST_OWNERS:
                self._known.clear()
            known = self._known[ids] = owner_of(OwnerTexts._make((*map(self._text, ids[:-1]), ids[-1])))
        return known


class _Set(NamedTuple):
    """What `_first_rows` works on: addresses and numbers."""

    trace_lo: int
    span_id: int
    owner: int
    side: int
    rows: int
    slots: int  # 64-bit numbers: hash << 32 | row + 1, 0 where empty
    mask: int
    seed: int
    found: int  # 32-bit numbers


_FACTOR = number(0x2D358DCCAA6C78A5)


@kernel
def _first_rows(job: _Set) -> int:
    """List the rows whose key no earlier row has; how many there are."""
    count = 0
    for row in range(job.rows):
        trace, span = load64(job.trace_lo + 8 * row), load64(job.span_id + 8 * row)
        owner, side = load64(job.owner + 8 * row), load8(job.side + row)
        mixed = fold_multiply(trace ^ job.seed, _FACTOR)
        mixed = fold_multiply(span ^ mixed, _FACTOR)
        mixed = fold_multiply(owner + side ^ mixed, _FACTOR)
        slot, tag = mixed & job.mask, shift_right(mixed, 32)
        while True:
            held = load64(job.slots + 8 * slot)
            if held == 0:
                store64(job.slots + 8 * slot, tag << 32 | (row + 1))
                store32(job.found + 4 * count, row)
                count += 1
                break
            if shift_right(held, 32) == tag:
                other = (held & 0xFFFFFFFF) - 1
                if (
                    load64(job.span_id + 8 * other) == span
                    and load64(job.trace_lo + 8 * other) == trace
                    and load64(job.owner + 8 * other) == owner
                    and load8(job.side + other) == side
                ):
                    break
            slot = (slot + 1) & job.mask
    return count


def distinct(identity: Identity, seed: int | None = None) -> NDArray[np.uint32]:
    """The rows of distinct spans, ascending: of each identity the first.

    Args:
        identity: Fewer than 2**31 rows.
        seed: Of the hash; drawn at random by default. The answer does not depend on it.
    """
    rows = len(identity.span_id)
    columns = [np.ascontiguousarray(column) for column in identity]
    slots = np.zeros(1 << max(4, (2 * rows - 1).bit_length()), np.int64)
    found = np.empty(rows, np.uint32)
    chosen = secrets.randbits(62) if seed is None else seed & (1 << 62) - 1
    trace_lo, span_id, owner, side = (column.ctypes.data for column in columns)
    places = slots.ctypes.data, len(slots) - 1, chosen, found.ctypes.data
    job = _Set(trace_lo, span_id, owner, side, rows, *places)
    return found[: _first_rows(job)].copy()
