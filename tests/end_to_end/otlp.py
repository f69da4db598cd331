"""OTLP bodies with known content, and the naive graph of their spans: dictionaries and a loop."""

import time
from collections import Counter
from typing import NamedTuple

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

SERVER, CLIENT, ERROR = 2, 3, 2


class Span(NamedTuple):
    """As much of a span as a naive graph needs."""

    trace: bytes
    span: bytes
    parent: bytes
    kind: int
    service: str
    failed: bool = False


def body(spans):
    """The spans as an OTLP request: one resource for each service."""
    data = TracesData()
    now = time.time_ns()
    for service in sorted({span.service for span in spans}):
        resource = data.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        kept = resource.scope_spans.add().spans
        for span in spans:
            if span.service == service:
                sent = kept.add(
                    trace_id=span.trace,
                    span_id=span.span,
                    parent_span_id=span.parent,
                    kind=span.kind,
                    name="test",
                )
                sent.start_time_unix_nano, sent.end_time_unix_nano = now, now + 1_000_000
                sent.status.code = ERROR if span.failed else 0
    return data.SerializeToString()


def chain(number, services, ids):
    """A trace: the client calls the first service, which calls the second, and so on; some calls fail.

    Args:
        number: Which services fail depends on it.
        services: In the order of the path.
        ids: Makes so many random bytes.
    """
    trace, parent, spans = ids(16), b"", []
    for hop, service in enumerate(services):
        failed = (number + hop) % 7 == 0
        if hop:
            caller = Span(trace, ids(8), parent, CLIENT, services[hop - 1], failed)
            spans.append(caller)
            parent = caller.span
        spans.append(Span(trace, ids(8), parent, SERVER, service, failed))
        parent = spans[-1].span
    return spans


def naive_graph(spans):
    """Edge id -> (calls, errors): each SERVER span is a call by its parent's service, else by the client."""
    by_id = {(span.trace, span.span): span for span in spans}
    calls, errors = Counter(), Counter()
    for span in by_id.values():
        if span.kind == SERVER:
            parent = by_id.get((span.trace, span.parent))
            edge = f"{f'service:{parent.service}' if parent else 'client:'}->service:{span.service}"
            calls[edge] += 1
            errors[edge] += span.failed or bool(parent and parent.failed)
    return {edge: (count, errors[edge]) for edge, count in calls.items()}
