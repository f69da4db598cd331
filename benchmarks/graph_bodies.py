"""Bodies whose graph has as many services and edges as one asks for: each edge is called once."""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tests.collector.wire import otlp_factory
from tests.collector.wire.otlp_factory import CLIENT, NOW, SERVER

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["distinct_edges", "graph_bodies"]

EDGES_PER_BODY: Final = 1000
WITHIN_NS: Final = 50 * 10**9
"""All calls of a pass begin within this time: they fit into one minute."""
CALL_NS: Final = 3_000_000


def distinct_edges(nodes: int, edges: int, seed: int = 3) -> list[tuple[int, int]]:
    """So many different pairs (caller, callee), in which every node occurs."""
    chance = random.Random(seed)
    found = {(node, (node + 1) % nodes): None for node in range(min(nodes, edges))}
    while len(found) < edges:
        caller, callee = chance.randrange(nodes), chance.randrange(nodes)
        if caller != callee:
            found[caller, callee] = None
    return sorted(found)


def graph_bodies(nodes: int, edges: int) -> Iterator[bytes]:
    """A CLIENT and a SERVER span for each edge."""
    chance, pairs = random.Random(5), distinct_edges(nodes, edges)
    step = WITHIN_NS // len(pairs)
    for first in range(0, len(pairs), EDGES_PER_BODY):
        groups: dict[int, list[Span]] = {}
        for number, (caller, callee) in enumerate(pairs[first : first + EDGES_PER_BODY], start=first):
            trace, start = chance.randbytes(16), NOW + number * step
            call = otlp_factory.span(
                "GET /things",
                kind=CLIENT,
                trace=trace,
                id=chance.randbytes(8),
                start=start,
                end=start + CALL_NS,
            )
            served = otlp_factory.span(
                "GET /things",
                kind=SERVER,
                trace=trace,
                id=chance.randbytes(8),
                parent=call.span_id,
                start=start + 1000,
            )
            groups.setdefault(caller, []).append(call)
            groups.setdefault(callee, []).append(served)
        yield otlp_factory.body(
            [otlp_factory.resource_spans(spans, f"service-{node:05d}") for node, spans in groups.items()]
        )
