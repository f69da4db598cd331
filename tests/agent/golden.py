"""The cases of the golden files, and the program that writes them: `python -m tests.agent.golden`."""

import json
from collections.abc import Callable
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from tests.agent.otlp import decode
from weft.core import Core, Scope
from weft.encode import Encoder
from weft.provider import Tracer, TracerProvider
from weft.resource import Resource
from weft.sampling import always_on
from weft.span import Span
from weft.testing import ManualClock, SequentialIds
from weft.tracestate import States, caller_suffix
from weft.values import Limits

FOLDER = Path(__file__).parents[1] / "wire/golden"


TEST_SCOPE = Scope("weft.test", "1.0")


def tracer_of(spans: list[Span], service: str = "cart", scope: Scope = TEST_SCOPE) -> Tracer:
    resource = Resource({"service.name": service, "service.instance.id": f"{service}-1", "process.pid": 42})
    ids = SequentialIds()
    core = Core(
        resource, ids.trace_id, ids.span_id, ManualClock(), always_on,
        Limits(attributes=8, events=2, links=1),
        spans.append, caller_suffix(service, f"{service}-1"), lambda _host: True,
    )  # fmt: skip
    return Tracer(TracerProvider(core), scope)


def called() -> list[Span]:
    """A server span under a remote caller that left its entry, and the client span under it."""
    spans: list[Span] = []
    tracer = tracer_of(spans)
    state = States([("weft", "00000000000000aa;web;web-7"), ("vendor", "opaque")])
    remote = SpanContext(0xAB, 0xAA, is_remote=True, trace_flags=TraceFlags(3), trace_state=state)
    server = tracer.start_span("GET /cart", set_span_in_context(NonRecordingSpan(remote)), SpanKind.SERVER)
    server.set_attributes(
        {"http.request.method": "GET", "http.response.status_code": 503, "error.type": "503"}
    )
    server.set_status(StatusCode.ERROR, "unavailable")
    client = tracer.start_span(
        "GET", set_span_in_context(server), SpanKind.CLIENT, {"server.address": "stock", "server.port": 80}
    )
    client.end(1_700_000_000_000_500_000)
    server.end(1_700_000_000_001_000_000)
    return spans


def values() -> list[Span]:
    """Every type of attribute value."""
    spans: list[Span] = []
    span = tracer_of(spans).start_span("values")
    span.set_attributes(
        {
            "text": "größe",
            "yes": True,
            "number": -1,
            "share": 0.25,
            "bytes": b"\x00\xff",
            "none": None,
            "list": ["a", 1, [False]],
            "map": {"inner": {"deep": 1}, "list": []},
        }
    )
    span.end()
    return spans


def details() -> list[Span]:
    """Events, links, and what was dropped."""
    spans: list[Span] = []
    link = Link(SpanContext(0xC, 0xD, is_remote=True, trace_state=States([("k", "v")])), {"why": "batch"})
    span = tracer_of(spans).start_span("details", links=[link, link])
    for n in range(4):
        span.add_event("step", {"n": n}, 1_700_000_000_000_000_001)
    span.set_attributes({f"a{n}": n for n in range(10)})
    span.set_status(StatusCode.OK)
    span.end()
    return spans


def groups() -> list[Span]:
    """Two services, three scopes, and spans in between each other."""
    spans: list[Span] = []
    one = tracer_of(spans, "one")
    two = tracer_of(spans, "two", Scope("lib", None, "https://schema", {"a": 1}))
    other = Tracer(one._provider, Scope("other"))
    for tracer, name in ((one, "first"), (two, "second"), (other, "third"), (one, "")):
        tracer.start_span(name).end()
    return spans


CASES: dict[str, Callable[[], list[Span]]] = {
    "called": called,
    "values": values,
    "details": details,
    "groups": groups,
}


def readable(body: bytes) -> dict:
    return MessageToDict(decode(body))


if __name__ == "__main__":
    for name, case in CASES.items():
        body = Encoder().encode(case())
        (FOLDER / f"{name}.bin").write_bytes(body)
        (FOLDER / f"{name}.json").write_text(json.dumps(readable(body), indent=1, ensure_ascii=False) + "\n")
