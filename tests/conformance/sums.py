"""Calls added up to edges, whichever way they are grouped: section 5 of docs/graph-rules.md."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.conformance.conventions import FAILED, UNIT

MINUTE = 60_000_000_000
LEVELS = {
    "service": lambda call: (),
    "operation": lambda call: (call.span.name,),
    "instance": lambda call: (call.caller.instance, call.callee_instance),
    "minute": lambda call: (call.span.start // MINUTE,),
}


@dataclass
class Edge:
    calls: int = 0
    errors: int = 0
    messages: int = 0
    resends: int = 0
    adjusted: int = 0  # in units of 1/UNIT
    completeness: Counter = field(default_factory=Counter)
    outcomes: Counter = field(default_factory=Counter)
    connections: Counter = field(default_factory=Counter)
    client: list = field(default_factory=list)  # durations and waiting times in ns
    server: list = field(default_factory=list)
    queueing: list = field(default_factory=list)

    def add(self, call, sight, weight):
        client, server, published = call.client, call.server, call.caller.published
        self.calls += 1
        self.errors += outcome(call) in FAILED
        self.messages += call.span.messages
        self.resends += bool(client and client.number("http.request.resend_count", "http.resend_count"))
        self.adjusted += weight
        self.completeness[sight] += 1
        self.outcomes[outcome(call)] += 1
        self.connections[connection(call)] += 1
        self.client += [max(0, client.end - client.start)] if client else []
        self.server += [max(0, server.end - server.start)] if server else []
        self.queueing += [call.span.start - published.start] if published and call.span.consumes else []


def outcome(call):
    """How the call went: the callee's failure before the caller's, a failure before anything else that is not ok."""
    seen = [side.outcome for side in (call.server, call.client) if side]
    return next((o for o in seen if o in FAILED), next((o for o in seen if o != "ok"), "ok"))


def connection(call):
    if call.caller.node.startswith("channel:") or call.callee.startswith("channel:"):
        return "messaging"
    sides = [side for side in (call.server, call.client, call.caller.side) if side]
    return next((side.connection for side in sides if side.connection != "other"), "other")


def edges(calls, level="service", *, inferred=False, counts=()):
    """{(caller, callee, what the level adds): Edge}.

    With `inferred`, calls of an unknown caller go to whom a stale entry names.
    """
    found = defaultdict(Edge)
    for call in calls:
        hint = call.caller.hint if inferred else ""
        ends = hint or call.caller.node, call.callee
        weight = 0 if is_counted(call, counts) else call.span.weight
        found[ends + LEVELS[level](call)].add(call, "inferred" if hint else call.sight, weight)
    for count in counts if level == "service" else ():
        found[count.caller, count.callee].adjusted += count.calls * UNIT
    return dict(found)


def is_counted(call, counts):
    """Whether the agents' own counts stand for the call."""
    to_service = not call.server and call.callee.startswith("service:")
    return any(
        count.minute == call.span.start // MINUTE
        and (count.owner[0] == call.callee if to_service else count.owner == call.span.owner)
        for count in counts
    )


def derived(calls):
    """{(producer, consumer): calls} across the channels between them."""
    return Counter((c.caller.published.node, c.callee) for c in calls if c.caller.published)


def totals(calls):
    """(calls, errors) of the graph: nothing unknown, nothing derived."""
    known = [call for call in calls if call.caller.node != "unknown:"]
    return len(known), sum(outcome(call) in FAILED for call in known)


def nodes(spans, calls):
    """Who had spans, and who stands at the end of an edge."""
    return {span.node for span in spans}.union(*((call.caller.node, call.callee) for call in calls))
