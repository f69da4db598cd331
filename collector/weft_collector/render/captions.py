"""What the picture says: the words at boxes, edges and on top."""

from weft_collector.graph.nodes import Node, NodeType
from weft_collector.graph.snapshot import EdgeStats, GraphSnapshot, Latency, NodeStats, Window
from weft_collector.render.labels import clean, milliseconds_text, rate_text, share_text

SEPARATOR = " \u00b7 "


def node_home(node: Node) -> str:
    """Where a node belongs: a service's environment and namespace, a database's or channel's system."""
    parts = [node.environment, node.namespace]
    if node.type is not NodeType.SERVICE:
        parts = [node.system, node.namespace]
    return "/".join(clean(part) for part in parts if part)


def node_figures(stats: NodeStats, seconds: int) -> str:
    """The second line of a box: the calls that reach it, else those that it makes."""
    home = node_home(stats.node)
    return SEPARATOR.join(filter(None, [_traffic(stats, seconds), home]))


def _traffic(stats: NodeStats, seconds: int) -> str:
    if stats.calls:
        return f"{rate_text(stats.rate)}{SEPARATOR}{share_text(stats.error_rate)} err"
    if stats.outbound_calls and seconds:
        return f"calls {rate_text(stats.outbound_calls / seconds)}"
    return "no calls"


def node_title(stats: NodeStats) -> str:
    """All about a node, for the tooltip and the screen reader."""
    home = node_home(stats.node)
    return "\n".join(
        [
            f"{stats.node.type}: {clean(stats.node.name)}" + (f" ({home})" if home else ""),
            f"{stats.calls:,} calls in, {stats.errors:,} errors ({share_text(stats.error_rate)})",
            f"{stats.outbound_calls:,} calls out, {stats.outbound_errors:,} errors",
            *_latencies(stats),
        ]
    )


def _latencies(stats: NodeStats | EdgeStats) -> list[str]:
    sides = (("caller", stats.client), ("callee", stats.server))
    return [f"measured by the {side}: {_latency(latency)}" for side, latency in sides if latency]


def _latency(latency: Latency) -> str:
    shown = ((50, latency.p50_ms), (95, latency.p95_ms), (99, latency.p99_ms))
    return ", ".join(f"p{share} {milliseconds_text(value)}" for share, value in shown)


def edge_title(stats: EdgeStats) -> str:
    """All about an edge, for the tooltip and the screen reader."""
    return "\n".join(
        [
            f"{clean(stats.caller.name)} calls {clean(stats.callee.name)}",
            f"{stats.calls:,} calls, {rate_text(stats.rate)}",
            f"{stats.errors:,} errors ({share_text(stats.error_rate)})",
            *_latencies(stats),
        ]
    )


def p95_ms(stats: EdgeStats) -> float | None:
    """The edge's 95th percentile: the callee's measurement, else the caller's; None where nobody measured."""
    latency = stats.server or stats.client
    return latency.p95_ms if latency else None


def edge_label(stats: EdgeStats) -> str:
    """The few words beside an edge; empty where nobody measured."""
    p95 = p95_ms(stats)
    return "" if p95 is None else f"p95 {milliseconds_text(p95)}"


def window_text(window: Window) -> str:
    """The window as a reader says it, in UTC: `2026-11-23 10:00 to 10:15 UTC`."""
    shown = window.as_dict()
    (day, start), (last_day, end) = (shown[key].rstrip("Z").split("T") for key in ("start", "end"))
    until = end[:5] if day == last_day else f"{last_day} {end[:5]}"
    return f"{day} {start[:5]} to {until} UTC"


def summary(snapshot: GraphSnapshot) -> str:
    """The line under the title: window, size and totals."""
    totals = snapshot.totals()
    calls: int = totals["calls"]
    errors: int = totals["errors"]
    repairs = snapshot.exactness.repairs_pending
    waiting = f"{snapshot.pending:,} waiting for their callee" if snapshot.pending else ""
    return SEPARATOR.join(
        filter(
            None,
            [
                window_text(snapshot.window),
                f"{_count(len(snapshot.nodes), 'node')}, {_count(len(snapshot.edges), 'edge')}",
                f"{_count(calls, 'call')} ({rate_text(totals['rate'])})",
                f"{share_text(errors / calls)} errors" if calls else "",
                _both_sides(snapshot),
                waiting,
                f"{_count(repairs, 'late span')} may be judged anew" if repairs else "",
            ],
        )
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _both_sides(snapshot: GraphSnapshot) -> str:
    """How many of the calls between services both sides told of."""
    service = NodeType.SERVICE
    edges = [e for e in snapshot.edges if e.caller.type is service and e.callee.type is service]
    calls = sum(edge.calls for edge in edges)
    both = sum(edge.completeness.both for edge in edges)
    return f"{share_text(both / calls)} of calls between services seen from both sides" if calls else ""
