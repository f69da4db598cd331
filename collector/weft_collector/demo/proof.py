"""The classic tree's proof: one request to an entry gives exactly so many services, edges and calls.

The figures are computed from the table alone, then asked of the graph (what was added to it by this one
request) and of the trace (what `/api/v1/traces/{id}` holds under the one id that the entry answered with).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from weft_collector.demo.compare import edges
from weft_collector.demo.counters import Count, Edge, minus
from weft_collector.demo.reader import Reader
from weft_collector.demo.topology import CLIENT, Topology

SERVER = 2
"""The number of that span kind in OTLP."""
PATIENCE_SECONDS = 15.0
POLL_SECONDS = 0.1


class Figures(NamedTuple):
    """Services touched, edges between services and calls over them; the client's edge is not among them."""

    services: int
    edges: int
    calls: int

    def __str__(self) -> str:
        return f"{self.services} services, {self.edges} edges, {self.calls} calls"


class Proof(NamedTuple):
    """What one request gave; each a number of calls by edge, the client's call among them.

    Attributes:
        entry: The service that was asked.
        trace_id: The one trace.
        wanted: What the table says.
        graph: What the graph has gained.
        trace: What the trace holds.
    """

    entry: str
    trace_id: str
    wanted: Counter[Edge]
    graph: Counter[Edge]
    trace: Counter[Edge]

    @property
    def holds(self) -> bool:
        """Whether graph and trace say what the table says, edge by edge."""
        return self.wanted == self.graph == self.trace


def figures(calls: Counter[Edge]) -> Figures:
    """The figures of a set of calls."""
    inner = {edge: count for edge, count in calls.items() if edge.caller != CLIENT}
    return Figures(len({end for edge in inner for end in edge}), len(inner), sum(inner.values()))


def expected(topology: Topology, entry: str) -> Counter[Edge]:
    """The calls of one request to `entry`, by walking the table."""
    calls = Counter([Edge(CLIENT, entry)])
    waiting = [entry]
    while waiting:
        caller = waiting.pop()
        callees = topology.calls.get(caller, ())
        calls.update(Edge(caller, callee) for callee in callees)
        waiting.extend(callees)
    return calls


def prove(topology: Topology, entry: str, ask: Callable[[str], str], reader: Reader) -> Proof:
    """Send one request to `entry` and see what becomes of it, until all is as wanted or patience ends.

    Args:
        topology: The table.
        entry: The service to ask.
        ask: Sends the request; returns the trace id of the answer.
        reader: The collector.
    """
    before = edges(reader.graph())
    wanted = expected(topology, entry)
    trace_id = ask(entry)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        proof = Proof(entry, trace_id, wanted, _gained(reader, before), calls_of(reader.trace(trace_id)))
        if proof.holds or time.monotonic() > deadline:
            return proof
        time.sleep(POLL_SECONDS)


def _gained(reader: Reader, before: Mapping[Edge, Count]) -> Counter[Edge]:
    gained = minus(edges(reader.graph()), before)
    return Counter({edge: count.calls for edge, count in gained.items()})


def calls_of(trace: Mapping[str, Any]) -> Counter[Edge]:
    """The calls in one trace (OTLP JSON): each SERVER span, called by the service of its parent span."""
    spans = list(_spans(trace))
    service_of = {span["spanId"]: service for service, span in spans}
    served = [(service, span) for service, span in spans if span.get("kind") == SERVER]
    return Counter(
        Edge(service_of.get(span.get("parentSpanId", ""), CLIENT), service) for service, span in served
    )


def _spans(trace: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each span with the name of its service."""
    for resource in trace["resourceSpans"]:
        attributes = {pair["key"]: pair["value"] for pair in resource["resource"]["attributes"]}
        service = str(attributes["service.name"]["stringValue"])
        for scope in resource["scopeSpans"]:
            yield from ((service, span) for span in scope["spans"])
