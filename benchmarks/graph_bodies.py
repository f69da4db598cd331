"""Bodies whose graph has as many services and edges as one asks for: each edge is called once a minute."""

import itertools
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tests.collector.wire import otlp_factory
from tests.collector.wire.otlp_factory import CLIENT, NOW, SERVER

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["distinct_edges", "graph_bodies"]

EDGES_PER_BODY: Final = 1000
MINUTE_NS: Final = 60 * 10**9
WITHIN_NS: Final = 50 * 10**9
"""All calls of a minute begin within this time."""
SPREAD: Final = 0.5
"""Of the logarithm of an edge's durations: most lie within a factor of three."""


def distinct_edges(nodes: int, edges: int, seed: int = 3) -> list[tuple[int, int]]:
    """So many different pairs (caller, callee), in which every node occurs."""
    chance = random.Random(seed)
    found = {(node, (node + 1) % nodes): None for node in range(min(nodes, edges))}
    while len(found) < edges:
        caller, callee = chance.randrange(nodes), chance.randrange(nodes)
        if caller != callee:
            found[caller, callee] = None
    return sorted(found)


def graph_bodies(nodes: int, edges: int, minutes: int = 1) -> Iterator[bytes]:
    """A CLIENT and a SERVER span for each edge and minute; every edge is as fast as it is, more or less."""
    chance, pairs = random.Random(5), distinct_edges(nodes, edges)
    usual = [chance.lognormvariate(16.0, 1.5) for _ in pairs]  # 9 ms, in ns
    step = WITHIN_NS // len(pairs)
    for minute, first in itertools.product(range(minutes), range(0, len(pairs), EDGES_PER_BODY)):
        groups: dict[int, list[Span]] = {}
        for number, (caller, callee) in enumerate(pairs[first : first + EDGES_PER_BODY], start=first):
            start = NOW + minute * MINUTE_NS + number * step
            took = int(usual[number] * chance.lognormvariate(0.0, SPREAD))
            call, served = _call(chance, start, took)
            groups.setdefault(caller, []).append(call)
            groups.setdefault(callee, []).append(served)
        yield otlp_factory.body(
            [otlp_factory.resource_spans(spans, f"service-{node:05d}") for node, spans in groups.items()]
        )


def _call(chance: random.Random, start: int, took: int) -> "tuple[Span, Span]":
    """What caller and callee tell of a call."""
    trace, end = chance.randbytes(16), start + 2000 + took
    call = otlp_factory.span(
        "GET /things", kind=CLIENT, trace=trace, id=chance.randbytes(8), start=start, end=end
    )
    served = otlp_factory.span(
        "GET /things",
        kind=SERVER,
        trace=trace,
        id=chance.randbytes(8),
        parent=call.span_id,
        start=start + 1000,
        end=start + 1000 + int(took * chance.uniform(0.5, 1.0)),
    )
    return call, served
