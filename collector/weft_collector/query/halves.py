"""The spans of one trace as the halves of calls, and who called: R1.6 and R2 of docs/graph-rules.md, explained.

The graph itself is made by kernels (`graph/pairing.py`). This is the same walk in plain Python over the stored spans of
a single trace, and it says why it ended where it did.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from weft_collector.graph import rules
from weft_collector.graph.nodes import Node, NodeType
from weft_collector.query.columns import numbers, texts
from weft_collector.query.trace_rows import ROW_COLUMNS
from weft_collector.store.identity import instance_of
from weft_collector.store.ports import SpanTable
from weft_collector.store.span_schema import KINDS, POINTER

__all__ = ["MOST_SPANS", "Found", "Half", "Tree", "halves_of"]

MOST_SPANS: Final = 1 << 13
"""Spans of a trace that is looked at; of a larger one none are."""
_HOPS: Final = 32
_ROOT: Final = bytes(8)
_SIDES: Final = ("local", "local", "callee", "caller", "caller", "callee")  # by OTLP kind
_NEAREST: Final = ("callee", "local", "caller")
_PEER: Final = (
    "PeerService", "PeerNamespace", "DbSystem", "DbNamespace", "MessagingSystem", "MessagingCluster",
)  # fmt: skip
_WORDS: Final = (
    "ServiceNamespace", "DeploymentEnvironment", "ServiceInstanceId", "CallerEntry", "MessagingOperation",
    "MessagingTemplate", "MessagingDestination", "ServerAddress", "PeerAddress", "HostName", *_PEER,
)  # fmt: skip
_NUMBERS: Final = ("Timestamp", "ProcessPid", "ServerPort", "PeerPort")
_COLUMNS: Final = (*dict.fromkeys((*ROW_COLUMNS, *_WORDS, *_NUMBERS, *POINTER)),)


class Half(NamedTuple):
    """One span, as a side of a call.

    Attributes:
        span: Its id.
        parent: That of its parent; zeros for a root.
        side: That of its kind: `caller`, `callee` or `local`.
        role: What it is by what it does, in the same words (R2.1).
        node: Whose span it is.
        instance: Of that service.
        start: Its start, ns since the epoch.
        other: Caller side: its peer. What consumes: the channel that it names. Otherwise None.
        entry: The service that its valid caller entry names.
        client: The service that a server without such an entry names as its peer.
        table: Where it is stored.
        rows: Rows of its trace in that table.
        row: Which of them is its own.
    """

    span: bytes
    parent: bytes
    side: str
    role: str
    node: Node
    instance: str
    start: int
    other: Node | None
    entry: Node | None
    client: Node | None
    table: SpanTable
    rows: pa.Table
    row: int


class Found(NamedTuple):
    """Where a walk ended.

    Attributes:
        how: `called`, `inside` another call of its own service, at a `root`, or at a `missing` parent.
        caller: Who called.
        side: The caller side of the call, if there is one.
        last: The last span that was there.
    """

    how: str
    caller: Node | None
    side: Half | None
    last: Half


def halves_of(tables: Sequence[SpanTable], trace_lo: int) -> list[Half] | None:
    """The distinct spans of a trace, by the low half of its id; None if there are too many."""
    places = [(table, table.trace_rows(trace_lo)) for table in tables]
    if sum(len(where) for _, where in places) > MOST_SPANS:
        return None
    found: dict[tuple[bytes, str, Node, str], Half] = {}
    for table, where in places:
        if len(where):
            for half in _halves(table, table.read(_COLUMNS, where)):
                found.setdefault((half.span, half.side, half.node, half.instance), half)
    return list(found.values())


def _halves(table: SpanTable, rows: pa.Table) -> Iterator[Half]:
    ids = zip(*(rows.column(name).to_pylist() for name in ("SpanId", "ParentSpanId")), strict=True)
    names: tuple[str, ...] = ("SpanKind", "ServiceName", *_WORDS)
    cells = zip(*(texts(rows, name) for name in names), strict=True)
    words: list[dict[str, str]] = [dict(zip(names, row, strict=True)) for row in cells]
    figures = zip(*(numbers(rows, name).tolist() for name in _NUMBERS), strict=True)
    for row, ((span, parent), said, (start, pid, *ports)) in enumerate(zip(ids, words, figures, strict=True)):
        home = rules.Home(said["ServiceNamespace"], said["DeploymentEnvironment"])
        kind = KINDS.index(said["SpanKind"])
        role = _role(kind, rules.operation(said["MessagingOperation"]))
        entry = rules.named_caller(said["CallerEntry"], home) if said["CallerEntry"] else None
        peer = _peer_words(said)
        serves = kind == rules.SERVER and entry is None and peer.service
        yield Half(
            span=span,
            parent=parent or _ROOT,
            side=_SIDES[kind],
            role=role,
            node=rules.service(said["ServiceName"], home),
            instance=instance_of(said["ServiceInstanceId"], said["HostName"], pid),
            start=start,
            other=_other(peer, kind, role, ports[not said["ServerAddress"]], home),
            entry=entry,
            client=rules.named_service(peer, home) if serves else None,
            table=table,
            rows=rows,
            row=row,
        )


def _role(kind: int, operation: int) -> str:
    """What a span is by what it does: a client that fetches consumes, and what settles is no half of a call."""
    if operation == rules.SETTLE:
        return "local"
    fetches = kind == rules.CLIENT and operation in {rules.RECEIVE, rules.PROCESS}
    return "callee" if fetches else _SIDES[kind]


def _peer_words(said: dict[str, str]) -> rules.PeerWords:
    destination = said["MessagingTemplate"] or said["MessagingDestination"]
    host = said["ServerAddress"] or said["PeerAddress"]
    return rules.PeerWords._make((*(said[name] for name in _PEER), destination, host))


def _other(words: rules.PeerWords, kind: int, role: str, port: int, home: rules.Home) -> Node | None:
    if role == "caller":
        return rules.peer(words, kind, port, home).node
    return rules.channel(words, kind) if kind != rules.SERVER and role == "callee" else None


class Tree:
    """The halves of one trace, and who called them."""

    def __init__(self, halves: Sequence[Half]) -> None:
        self.halves = halves
        self._by_id: dict[bytes, list[Half]] = defaultdict(list)
        for half in halves:
            self._by_id[half.span].append(half)
        self.wrappers = {id(outer) for half in halves for outer in self._wrapped_by(half)}

    def parent(self, half: Half) -> Half | None:
        """The span above; for a callee first of all the caller side that shares its id."""
        shared = [h for h in self._by_id[half.span] if h is not half and h.side == "caller"]
        if half.side == half.role == "callee" and shared:
            return min(shared, key=lambda h: _distance(half, h))
        above = [h for h in self._by_id.get(half.parent, ()) if h is not half] if half.parent != _ROOT else []
        return min(above, key=lambda h: _distance(half, h), default=None)

    def called_by(self, half: Half) -> Found:
        """Who called a callee."""
        if half.other is not None:
            return Found("called", half.other, None, half)
        below = half
        for _ in range(_HOPS):
            above = self.parent(below)
            if above is None:
                if below.entry is None and half.client is not None:
                    return Found("called", half.client, None, below)
                return Found("root" if below.parent == _ROOT else "missing", None, None, below)
            ended = _ended(half, below, above)
            if ended:
                return ended
            below = above
        return Found("missing", None, None, below)

    def _wrapped_by(self, half: Half) -> Iterator[Half]:
        """The caller side of its own instance that a caller side lies in."""
        above = self.parent(half) if half.role == "caller" else None
        for _ in range(_HOPS):
            if above is None or (above.node, above.instance) != (half.node, half.instance):
                return
            if above.role != "local":
                yield from [above] if above.role == "caller" else []
                return
            above = self.parent(above)


def _ended(half: Half, below: Half, above: Half) -> Found | None:
    """The answer of a walk at a span, if it ends there."""
    foreign = above.node != half.node
    if foreign and below is not half:
        return Found("inside", None, None, above)
    if above.role == "caller":
        published = above.other is not None and above.other.type is NodeType.CHANNEL
        return Found("called", above.other if published else above.node, None if published else above, above)
    if foreign:
        return Found("called", above.node, None, above)
    return Found("inside", None, None, above) if above.role == "callee" else None


def _distance(child: Half, half: Half) -> tuple[int, int, int]:
    apart = 2 if half.node != child.node else int(half.instance != child.instance)
    return apart, _NEAREST.index(half.side), half.start
