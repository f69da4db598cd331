"""The values of edge counts: rows (what is counted together in a minute), and sums of their cells.

A cell is a counter of one row in one minute: a bucket of its histogram, or, behind the buckets, the number of its
points. What it all means stands in `edge_counts.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import cells as ce
from weft_collector.graph import rules
from weft_collector.graph.histogram import BUCKETS
from weft_collector.graph.nodes import CLIENT, UNKNOWN_CALLER, UNKNOWN_PEER, Node, NodeType
from weft_collector.wire.edge_counts import Calls, EdgePoint, Peer

__all__ = [
    "CELL_BITS",
    "POINTS",
    "Addition",
    "Counts",
    "End",
    "Row",
    "counts_of",
    "newest",
    "row_of",
    "summed",
]

POINTS: Final = BUCKETS
"""The cell behind the buckets: how many points a row has."""
CELL_BITS: Final = 10
_ROW_BITS: Final = 24
_MINUTE_SHIFT: Final = _ROW_BITS + CELL_BITS
_NOTHING: Final = np.zeros(0, np.int64)


class End(NamedTuple):
    """One end of calls.

    Attributes:
        node: What is there.
        instance: Which of its instances, empty where that is not known.
    """

    node: Node
    instance: str


class Row(NamedTuple):
    """What is counted together in a minute.

    Attributes:
        side: Whose count it is, `caller` or `callee`.
        caller: Who called.
        callee: Who was called.
        calls: What sort of calls.
    """

    side: str
    caller: End
    callee: End
    calls: Calls

    @property
    def own(self) -> End:
        """The end that counted."""
        return self.caller if self.side == "caller" else self.callee


def row_of(point: EdgePoint) -> Row:
    """The row of a point; a peer that says nothing of its home is at home where the sender is."""
    sender, peer = point.sender, point.peer
    home = rules.Home(sender.namespace, sender.environment)
    own = End(rules.service(sender.service, home), sender.instance)
    other = End(_NODES[point.side, peer.type](peer, home), peer.instance)
    caller, callee = (own, other) if point.side == "caller" else (other, own)
    return Row(point.side, caller, callee, point.calls)


def _service(peer: Peer, home: rules.Home) -> Node:
    namespace = home.namespace if peer.namespace is None else peer.namespace
    environment = home.environment if peer.environment is None else peer.environment
    return rules.service(peer.name, rules.Home(namespace, environment))


def _database(peer: Peer, _home: rules.Home) -> Node:
    return rules.database(rules.PeerWords(db_system=peer.system, db_namespace=peer.name, host=peer.host))


def _channel(peer: Peer, _home: rules.Home) -> Node:
    return Node(NodeType.CHANNEL, peer.name, system=peer.system)


def _external(peer: Peer, _home: rules.Home) -> Node:
    return rules.external(peer.name, peer.port)


_NODES: Final[Mapping[tuple[str, str], Callable[[Peer, rules.Home], Node]]] = MappingProxyType(
    {
        ("caller", "service"): _service,
        ("caller", "database"): _database,
        ("caller", "channel"): _channel,
        ("caller", "external"): _external,
        ("caller", "unknown"): lambda _peer, _home: UNKNOWN_PEER,
        ("callee", "service"): _service,
        ("callee", "channel"): _channel,
        ("callee", "client"): lambda _peer, _home: CLIENT,
        ("callee", "unknown"): lambda _peer, _home: UNKNOWN_CALLER,
    }
)
"""By the side that counted and the type of its peer: the node that spans would name."""


class Counts(NamedTuple):
    """Cells of some minutes, by minute, row and cell; each once.

    Attributes:
        rows: What the numbers in `row` mean.
        minute: Of each cell, since the epoch.
        row: Of each cell, a place in `rows`.
        cell: A bucket of `histogram`, or POINTS.
        value: Calls in that bucket, or points.
        incomplete: Minutes of which points were left out for want of room.
    """

    rows: tuple[Row, ...]
    minute: NDArray[np.int64]
    row: NDArray[np.int64]
    cell: NDArray[np.int64]
    value: NDArray[np.int64]
    incomplete: frozenset[int]

    @property
    def covered(self) -> frozenset[tuple[int, End, str]]:
        """Minute, instance and side for which these counts are the truth."""
        at = self.cell == POINTS
        found = zip(self.minute[at].tolist(), map(self.rows.__getitem__, self.row[at].tolist()), strict=True)
        return frozenset(
            (minute, row.own, row.side) for minute, row in found if minute not in self.incomplete
        )


class Addition(NamedTuple):
    """What some points add: their cells, and their keys by minute."""

    counts: Counts
    key_minute: NDArray[np.int64]
    key: NDArray[np.uint64]


def summed(parts: Sequence[Addition]) -> Addition:
    """What several additions add together."""
    places: dict[Row, int] = {}
    cells: list[ce.Cells] = []
    for part in parts:
        own = [places.setdefault(row, len(places)) for row in part.counts.rows]
        cells.append(_coded(part.counts, np.array(own, np.int64)))
    incomplete = frozenset[int]().union(*(part.counts.incomplete for part in parts))
    return Addition(
        _counts(tuple(places), ce.total(cells), incomplete),
        np.concatenate([_NOTHING, *(part.key_minute for part in parts)]),
        np.concatenate([_NOTHING.astype(np.uint64), *(part.key for part in parts)]),
    )


def counts_of(
    rows: Sequence[Row | None], minutes: Sequence[tuple[int, ce.Cells]], incomplete: set[int]
) -> Counts:
    """The cells of some minutes.

    Args:
        rows: Rows by number; those that are used are there.
        minutes: Each with the sum of its cells, whose codes are number << CELL_BITS | cell; ascending.
        incomplete: Minutes, some of these or others.
    """
    codes = [cells.code + (minute << _MINUTE_SHIFT) for minute, cells in minutes]
    code = np.concatenate([_NOTHING, *codes])
    value = np.concatenate([_NOTHING, *(cells.value for _, cells in minutes)])
    used, place = np.unique(code >> CELL_BITS & _ROWS, return_inverse=True)
    numbers: list[int] = used.tolist()
    named = tuple(row for number in numbers if (row := rows[number]) is not None)
    asked = frozenset(minute for minute, _ in minutes) & incomplete
    return Counts(named, code >> _MINUTE_SHIFT, place.reshape(-1), code & _CELLS, value, asked)


def newest(addition: Addition, places: int) -> Addition:
    """What is left of an addition if only the newest minutes are kept, in so many places of 8 bytes."""
    counts = addition.counts
    minutes, sizes = np.unique(
        np.concatenate([counts.minute, counts.minute, addition.key_minute]), return_counts=True
    )
    fitting = int(np.searchsorted(np.cumsum(sizes[::-1]), places, side="right"))
    floor = minutes[len(minutes) - fitting] if fitting else np.iinfo(np.int64).max
    kept, known = counts.minute >= floor, addition.key_minute >= floor
    used, place = np.unique(counts.row[kept], return_inverse=True)
    numbers: list[int] = used.tolist()
    trimmed = Counts(
        tuple(counts.rows[number] for number in numbers),
        counts.minute[kept],
        place.reshape(-1),
        counts.cell[kept],
        counts.value[kept],
        frozenset(minute for minute in counts.incomplete if minute >= floor),
    )
    return Addition(trimmed, addition.key_minute[known], addition.key[known])


_ROWS: Final = (1 << _ROW_BITS) - 1
_CELLS: Final = (1 << CELL_BITS) - 1


def _coded(counts: Counts, numbers: NDArray[np.int64]) -> ce.Cells:
    """Minute, row and cell in one number, with other numbers for the rows; no longer in order."""
    rows = numbers[counts.row] if len(numbers) else counts.row
    return ce.Cells((counts.minute << _ROW_BITS | rows) << CELL_BITS | counts.cell, counts.value)


def _counts(rows: tuple[Row, ...], cells: ce.Cells, incomplete: frozenset[int]) -> Counts:
    row, cell = cells.code >> CELL_BITS & _ROWS, cells.code & _CELLS
    return Counts(rows, cells.code >> _MINUTE_SHIFT, row, cell, cells.value, incomplete)
