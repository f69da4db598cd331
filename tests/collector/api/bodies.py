"""OTLP bodies of a small shop, built by the reference library."""

from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

INTERNAL, SERVER, CLIENT = 1, 2, 3
ERROR = 2
MS = 1_000_000


class Call(NamedTuple):
    """One call with both its sides; `client_ms` None leaves the caller's side out."""

    caller: str
    callee: str
    number: int
    start_ns: int
    client_ms: float | None = 8.0
    server_ms: float = 5.0
    failed: bool = False
    name: str = "GET /cart"
    trace: int = 0


def ids(call):
    trace = (call.trace or call.number + 1).to_bytes(16, "big")
    return trace, (2 * call.number + 1).to_bytes(8, "big"), (2 * call.number + 2).to_bytes(8, "big")


def spans_of(request, service, instance):
    for resource in request.resource_spans:
        if resource.resource.attributes[0].value.string_value == service:
            return resource.scope_spans[0].spans
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    resource.resource.attributes.add(key="service.instance.id").value.string_value = instance
    scope = resource.scope_spans.add()
    scope.scope.name = "shop"
    return scope.spans


def add(request, call):
    trace, client, server = ids(call)
    if call.client_ms is not None:
        span = spans_of(request, call.caller, f"{call.caller}-1").add(
            trace_id=trace, span_id=client, kind=CLIENT, name=call.name
        )
        span.start_time_unix_nano = call.start_ns
        span.end_time_unix_nano = call.start_ns + int(call.client_ms * MS)
        span.status.code = ERROR if call.failed else 0
    span = spans_of(request, call.callee, f"{call.callee}-1").add(
        trace_id=trace, span_id=server, kind=SERVER, name=call.name
    )
    span.parent_span_id = b"" if call.client_ms is None else client
    span.start_time_unix_nano = call.start_ns + MS
    span.end_time_unix_nano = call.start_ns + MS + int(call.server_ms * MS)
    span.status.code = ERROR if call.failed else 0


def body(*calls):
    """The calls as an ExportTraceServiceRequest's bytes."""
    request = ExportTraceServiceRequest()
    for call in calls:
        add(request, call)
    return request.SerializeToString()


def shop(start_ns):
    """client -> web (5 calls) -> cart (4, 1 failed) and auth (3); 12 calls in all."""
    calls = [Call("browser", "web", n, start_ns + n * MS, client_ms=None) for n in range(5)]
    calls += [Call("web", "cart", 10 + n, start_ns + n * MS, failed=n == 0) for n in range(4)]
    calls += [Call("web", "auth", 20 + n, start_ns + n * MS) for n in range(3)]
    return body(*calls)


SHOP_EDGES = {
    "client:->service:web": (5, 0),
    "service:web->service:cart": (4, 1),
    "service:web->service:auth": (3, 0),
}
