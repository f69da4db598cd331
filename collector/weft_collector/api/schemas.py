"""The shapes of the API's JSON, for the OpenAPI document; a test holds the real answers to them.

Answers are made from the values of `graph` and `render` directly: sending a thousand edges through a
validator on every look would cost more than making them.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from weft_collector.graph.outcomes import FAILED_FROM, OUTCOMES

__all__ = [
    "Attributes",
    "EdgeCounts",
    "Explained",
    "FoundSpans",
    "FoundTraces",
    "Graph",
    "Layout",
    "Operations",
    "Problem",
    "Ready",
    "Services",
    "Status",
    "Trace",
    "Values",
]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Window(_Shape):
    """Whole minutes, half open; wider than asked for where no minutes are kept any more."""

    start: str = Field(examples=["2026-11-23T10:00:00Z"])
    end: str = Field(examples=["2026-11-23T10:15:00Z"])
    seconds: int = Field(examples=[900])


class Latency(_Shape):
    """Durations that one side measured; percentiles have a relative error of 2.2 %."""

    samples: int = Field(examples=[9])
    p50_ms: float = Field(examples=[1.2])
    p95_ms: float = Field(examples=[3.0])
    p99_ms: float = Field(examples=[4.0])
    max_ms: float = Field(examples=[4.1])


class Completeness(_Shape):
    """Which sides of the calls were seen; the four sum to the calls."""

    both: int = Field(examples=[9])
    client_only: int = Field(examples=[0])
    server_only: int = Field(examples=[1])
    inferred: int = Field(examples=[0])


class _Counts(_Shape):
    calls: int = Field(examples=[10])
    errors: int = Field(examples=[1])
    rate: float = Field(description="Calls per second over the window.", examples=[0.011])
    error_rate: float = Field(description="errors / calls.", examples=[0.1])
    client: Latency | None = Field(description="What callers measured; null if no caller reported.")
    server: Latency | None = Field(description="What callees measured; null if no callee reported.")
    outcomes: dict[str, int] = Field(
        description=f"How many calls went how, classes that did not occur left out: {', '.join(OUTCOMES)}. "
        f"Those from {OUTCOMES[FAILED_FROM]} on are errors.",
        examples=[{"ok": 8, "4xx": 1, "5xx": 1}],
    )


class Node(_Counts):
    """A node with its inbound calls."""

    id: str = Field(examples=["service:cart"])
    type: Literal["service", "database", "channel", "external", "client", "unknown"]
    name: str = Field(examples=["cart"])
    namespace: str = Field(examples=[""])
    environment: str = Field(examples=[""])
    system: str = Field(description="The product behind a database or channel.", examples=[""])
    outbound_calls: int = Field(examples=[3])
    outbound_errors: int = Field(examples=[0])


class Edge(_Counts):
    """The calls from one node to another."""

    id: str = Field(examples=["service:web->service:cart"])
    caller: str = Field(examples=["service:web"])
    callee: str = Field(examples=["service:cart"])
    completeness: Completeness


class Totals(_Shape):
    """Sums over the edges, unknown callers left out."""

    calls: int = Field(examples=[10])
    errors: int = Field(examples=[1])
    rate: float = Field(examples=[0.011])


class SettledThrough(_Shape):
    """The last log file that is sealed."""

    file: int = Field(description="Its number.", examples=[12])
    arrived: str = Field(
        description="When its last spans arrived.", examples=["2026-11-23T10:00:00.123456789Z"]
    )


class _Exactness(_Shape):
    settled_through: SettledThrough | None = Field(
        description="What had come by then is exact, whatever comes later; null while nothing is sealed."
    )
    repairs_pending: int = Field(
        description="Spans of later log files that may be judged without a relative; their number falls, and the "
        "graph is mended, as these files are sealed: within about a minute of the next span.",
        examples=[0],
    )


class Graph(_Exactness):
    """The dependency graph of a window."""

    window: Window
    version: int = Field(description="Grows with every change.", examples=[42])
    nodes: list[Node]
    edges: list[Edge]
    totals: Totals
    pending: int = Field(description="Caller-side spans that still wait for their callee.", examples=[0])


class Point(_Shape):
    """A box's centre, in pixels."""

    x: float = Field(examples=[140.0])
    y: float = Field(examples=[64.0])


class Size(_Shape):
    """Width and height of every box, in pixels."""

    width: float = Field(examples=[200.0])
    height: float = Field(examples=[48.0])


class Layout(_Shape):
    """Where the graph is drawn."""

    nodes: dict[str, Point] = Field(
        description="By node id.", examples=[{"service:cart": {"x": 440.0, "y": 64.0}}]
    )
    edges: dict[str, list[tuple[float, float]]] = Field(
        description="Way points between the boxes, by edge id.", examples=[{"service:web->service:cart": []}]
    )
    width: float = Field(examples=[580.0])
    height: float = Field(examples=[128.0])
    box: Size


class Trace(BaseModel):
    """A trace in OTLP JSON: ids in hex, times as texts of nanoseconds, enums as numbers."""

    resourceSpans: list[dict[str, object]] = Field(  # noqa: N815 - OTLP's own name
        examples=[
            [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "weft"}, "spans": []}]}]
        ]
    )


class _Page(_Shape):
    complete: bool = Field(
        description="False if the time was over: go on with `cursor`; rows may come that belong before these.",
        examples=[True],
    )
    cursor: str | None = Field(description="For the next page; null at the end.", examples=["WyI4MTk1"])


class FoundSpan(_Shape):
    """A span that matches."""

    trace_id: str = Field(examples=["5b8aa5a2d2c872e8321cf37308d69df2"])
    span_id: str = Field(examples=["051581bf3cb55c13"])
    parent_span_id: str | None = Field(description="Null for a root.", examples=["5fb397be34d26b51"])
    service: str = Field(examples=["cart"])
    operation: str = Field(description="The span's name.", examples=["GET /cart"])
    kind: Literal["unspecified", "internal", "server", "client", "producer", "consumer"]
    status: Literal["unset", "ok", "error"]
    start: str = Field(examples=["2026-11-23T10:00:00.123456789Z"])
    duration_ms: float = Field(examples=[12.5])


class ToldReason(_Shape):
    """Why spans of one end are no calls between the two."""

    reason: str = Field(description="Its name.", examples=["parent_missing"])
    spans: int = Field(
        description="How many have it; 0 where the reason is that there are none.", examples=[3]
    )
    side: Literal["caller", "callee"] = Field(description="Whose spans these are.")
    meaning: str = Field(examples=["It names a parent span that never came."])
    next: str = Field(description="What to do.", examples=["Instrument the caller."])
    nodes: dict[str, int] = Field(
        description="Who else has to do with them, and with how many; at most 10.",
        examples=[{"service:proxy": 3}],
    )
    examples: list[FoundSpan] = Field(description="The first of them, at most 3.")


class Explained(_Shape):
    """Why an edge is missing."""

    window: Window
    caller: str = Field(alias="from", examples=["web"])
    callee: str = Field(alias="to", examples=["cart"])
    edges: dict[str, int] = Field(
        description="The edges between the two that are there, and their calls.",
        examples=[{"service:web->service:cart": 12}],
    )
    matched: int = Field(description="Halves among those looked at that are such calls.", examples=[0])
    counted: int = Field(
        description="Such calls that agents counted themselves, before spans were sampled or dropped.",
        examples=[0],
    )
    looked_at: int = Field(description="Halves of calls of both ends that were judged.", examples=[40])
    reasons: list[ToldReason] = Field(
        description="Why the others are not: first those without spans, then most spans first."
    )
    complete: bool = Field(
        description="False if there are more spans than were looked at: the newest 500 of each kind, and as many as "
        "there was time for.",
        examples=[True],
    )


class FoundSpans(_Page):
    """One page of spans."""

    spans: list[FoundSpan]


class Root(_Shape):
    """The span that a trace began with."""

    span_id: str = Field(examples=["051581bf3cb55c13"])
    service: str = Field(examples=["web"])
    operation: str = Field(examples=["GET /"])
    duration_ms: float = Field(examples=[120.0])


class ServiceShare(_Shape):
    """A service's part in a trace."""

    service: str = Field(examples=["cart"])
    spans: int = Field(examples=[3])
    errors: int = Field(examples=[0])


class FoundTrace(_Shape):
    """A trace with spans that match."""

    trace_id: str = Field(examples=["5b8aa5a2d2c872e8321cf37308d69df2"])
    root: Root | None = Field(description="Null while the root has not arrived.")
    start: str = Field(examples=["2026-11-23T10:00:00.123456789Z"])
    duration_ms: float = Field(description="From the earliest start to the latest end.", examples=[120.0])
    spans: int = Field(description="All spans of the trace.", examples=[18])
    errors: int = Field(examples=[1])
    services: list[ServiceShare] = Field(description="Most spans first, at most 100.")
    matching_spans: int = Field(examples=[2])
    matches: list[FoundSpan] = Field(description="The first of the matching spans, at most 3.")


class FoundTraces(_Page):
    """One page of traces."""

    traces: list[FoundTrace]


class _NamesOf(_Shape):
    complete: bool = Field(
        description="False where there may be others: in older spans, or beyond the limit.", examples=[True]
    )


class Services(_NamesOf):
    """Names of services."""

    services: list[str] = Field(examples=[["cart", "web"]])


class Operations(_NamesOf):
    """Names of a service's spans."""

    operations: list[str] = Field(examples=[["GET /cart"]])


class Attributes(_NamesOf):
    """Keys of attributes."""

    attributes: list[str] = Field(examples=[["http.route"]])


class Values(_NamesOf):
    """Values of an attribute, as texts."""

    values: list[str] = Field(examples=[["/cart"]])


class CountedEnd(_Shape):
    """One end of counted calls."""

    node: str = Field(examples=["service:cart"])
    instance: str = Field(description="Empty where it is not known.", examples=["cart-7f9c"])


class EdgeCount(_Shape):
    """The calls of one minute that an agent counted before sampling."""

    minute: str = Field(examples=["2026-11-23T10:00:00Z"])
    side: Literal["caller", "callee"] = Field(description="Which end counted.")
    caller: CountedEnd
    callee: CountedEnd
    operation: str = Field(examples=["GET /cart"])
    connection: Literal["http", "rpc", "database", "messaging", "other"]
    protocol: str = Field(examples=["http"])
    outcome: Literal["ok", "4xx", "5xx", "rpc_client", "rpc_server", "timeout", "refused", "exception"]
    calls: int = Field(examples=[120])
    points: int = Field(description="Points that these calls came in.", examples=[1])
    latency: Latency | None = Field(description="Null where no calls were counted.")
    complete: bool = Field(
        description="False if points of this minute were left out for want of room.", examples=[True]
    )


class EdgeCounts(_Shape):
    """What agents counted before sampling."""

    window: Window
    rows: list[EdgeCount]
    complete: bool = Field(description="False where there are more rows than asked for.", examples=[True])


class LogSize(_Shape):
    """The log on the disk."""

    files: int = Field(examples=[1])
    size_bytes: int = Field(examples=[1048576])


class Status(_Exactness):
    """The collector about itself."""

    version: str = Field(description="Of Weft.", examples=["0.1.0"])
    state: Literal["starting", "ready", "failed", "stopping"]
    progress: str = Field(examples=["ready"])
    endpoint: str = Field(
        description="To be pasted into agents and exporters.", examples=["http://127.0.0.1:4318"]
    )
    uptime_seconds: float = Field(examples=[12.5])
    spans_received: int = Field(
        description="Spans held to be true: read from the log and received since.", examples=[7]
    )
    graph_version: int = Field(examples=[42])
    viewers: int = Field(description="Open event streams.", examples=[1])
    in_flight_bytes: int = Field(description="Bytes of bodies that wait for the disk.", examples=[0])
    log: LogSize
    counters: dict[str, dict[str, int]] = Field(
        description="Every counter by reason, since the process started.",
        examples=[{"spans_accepted": {"http_protobuf": 7}}],
    )


class Ready(_Shape):
    """The answer of `/healthz` and `/readyz`."""

    status: str = Field(examples=["ready"])


class Problem(BaseModel):
    """What went wrong, where, and what to do (RFC 9457)."""

    type: str = Field(examples=["urn:weft:problem:bad-query"])
    title: str = Field(examples=["The query cannot be read"])
    status: int = Field(examples=[400])
    detail: str = Field(
        examples=["window='15 minutes' is not a length: write a number and s, m, h or d, such as 15m."]
    )
    help: str = Field(examples=["Correct what `detail` names and ask again."])
