"""The graph of one window as values: what the API, the pictures and networkx are made from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

from weft_collector.graph.nodes import UNKNOWN_CALLER, Node

MINUTE_NS = 60_000_000_000


class Window(NamedTuple):
    """Whole minutes since the epoch, UTC; `end_minute` is the first one that is no longer in it."""

    start_minute: int
    end_minute: int

    @classmethod
    def of_ns(cls, start_ns: int, end_ns: int) -> Self:
        """The window that holds [start_ns, end_ns), widened outward to whole minutes."""
        return cls(start_ns // MINUTE_NS, -(-end_ns // MINUTE_NS))

    @property
    def seconds(self) -> int:
        """Its length."""
        return (self.end_minute - self.start_minute) * 60

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it: ISO-8601 start and end, and the length in seconds."""
        return {"start": _iso(self.start_minute), "end": _iso(self.end_minute), "seconds": self.seconds}


class Exactness(NamedTuple):
    """How far the graph is exact, and what may be repaired yet.

    Attributes:
        file: The last log file that is sealed: the graph of all files up to it is exact. 0 before the first.
        arrived_ns: Arrival of its last record, ns since the epoch.
        repairs_pending: Spans of later files that may be judged without a relative (`repairs.py`).
    """

    file: int = 0
    arrived_ns: int = 0
    repairs_pending: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        through = {"file": self.file, "arrived": _iso_ns(self.arrived_ns)} if self.file else None
        return {"settled_through": through, "repairs_pending": self.repairs_pending}


NOTHING_SETTLED: Final = Exactness()
"""Of a graph of which nothing is sealed."""


def _iso_ns(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _iso(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Latency:
    """Durations that one side measured with its own clock; a side never seen has no `Latency` at all.

    Percentiles come from a histogram with a relative error of 2.2 %; `max_ms` is the upper bound of the
    highest bucket in use.
    """

    samples: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Completeness:
    """How many calls were seen by whom; the four sum to the edge's calls."""

    both: int
    client_only: int
    server_only: int
    inferred: int


@dataclass(frozen=True)
class EdgeStats:
    """The calls from one node to another.

    Attributes:
        caller: Who called.
        callee: Who was called.
        calls: Calls that started within the window.
        errors: Those of them that failed; an HTTP 4xx is none.
        rate: Calls per second over the whole window.
        error_rate: errors / calls.
        client: What the callers measured.
        server: What the callees measured.
        completeness: Which sides were seen.
        outcomes: How many calls went how, by the classes of `outcomes.OUTCOMES` that occurred.
    """

    caller: Node
    callee: Node
    calls: int
    errors: int
    rate: float
    error_rate: float
    client: Latency | None
    server: Latency | None
    completeness: Completeness
    outcomes: Mapping[str, int] = field(default_factory=dict[str, int])

    @cached_property
    def id(self) -> str:
        """`caller id->callee id`; no node id holds the arrow."""
        return f"{self.caller.id}->{self.callee.id}"

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "caller": self.caller.id,
            "callee": self.callee.id,
            **_counts(self),
            "completeness": asdict(self.completeness),
            "outcomes": dict(self.outcomes),
        }


@dataclass(frozen=True)
class NodeStats:
    """A node and the calls that reach it.

    `calls`, `errors`, `rate`, `error_rate`, `client`, `server` and `outcomes` are those of the inbound edges together;
    `outbound_calls` and `outbound_errors` those of the outbound edges.
    """

    node: Node
    calls: int
    errors: int
    rate: float
    error_rate: float
    outbound_calls: int
    outbound_errors: int
    client: Latency | None
    server: Latency | None
    outcomes: Mapping[str, int] = field(default_factory=dict[str, int])

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        outbound = {"outbound_calls": self.outbound_calls, "outbound_errors": self.outbound_errors}
        return {**_names(self.node), **_counts(self), **outbound, "outcomes": dict(self.outcomes)}


class Totals(NamedTuple):
    """Sums over the edges of a graph, those of unknown callers left out; the rate is calls per second."""

    calls: int
    errors: int
    rate: float


@dataclass(frozen=True)
class GraphSnapshot:
    """The graph of one window.

    Attributes:
        window: The minutes it speaks of.
        version: Grows with every change of the collector's state; equal versions mean equal graphs.
        nodes: Sorted by id.
        edges: Sorted by id.
        pending: Caller-side spans in the window that still wait for their callee, and are in no edge yet.
        exactness: Of the graph of all windows.
    """

    window: Window
    version: int
    nodes: tuple[NodeStats, ...]
    edges: tuple[EdgeStats, ...]
    pending: int
    exactness: Exactness = NOTHING_SETTLED

    def totals(self) -> dict[str, Any]:
        """Calls, errors and rate over the edges, those of unknown callers left out."""
        known = [edge for edge in self.edges if edge.caller != UNKNOWN_CALLER]
        calls = sum(edge.calls for edge in known)
        rate = calls / self.window.seconds if self.window.seconds else 0.0
        return {"calls": calls, "errors": sum(edge.errors for edge in known), "rate": rate}

    def as_dict(self) -> dict[str, Any]:
        """The shape of the API's answer."""
        return {
            "window": self.window.as_dict(),
            "version": self.version,
            "nodes": [node.as_dict() for node in self.nodes],
            "edges": [edge.as_dict() for edge in self.edges],
            "totals": self.totals(),
            "pending": self.pending,
            **self.exactness.as_dict(),
        }


def _names(node: Node) -> dict[str, str]:
    return {
        "id": node.id,
        "type": node.type.value,
        "name": node.name,
        "namespace": node.namespace,
        "environment": node.environment,
        "system": node.system,
    }


def _counts(stats: EdgeStats | NodeStats) -> dict[str, Any]:
    return {
        "calls": stats.calls,
        "errors": stats.errors,
        "rate": stats.rate,
        "error_rate": stats.error_rate,
        "client": asdict(stats.client) if stats.client else None,
        "server": asdict(stats.server) if stats.server else None,
    }
