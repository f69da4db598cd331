"""`/api/v1/traces/{id}`: one trace, every byte of its spans, as OTLP JSON."""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Response
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, TracesData

from weft_collector.api.answers import Json
from weft_collector.api.deps import GivenParts, require_ready
from weft_collector.api.documents import NOT_FOUND, PROBLEMS
from weft_collector.api.schemas import Trace
from weft_collector.errors import BadQuery, NotFound

__all__ = ["otlp_json", "parse_trace_id", "router"]

_HEX: Final = re.compile(r"[0-9a-fA-F]{16}(?:[0-9a-fA-F]{16})?", re.ASCII)
_HALF: Final = 1 << 64
RawSpan = tuple[bytes, bytes, bytes]
"""The exact bytes of a span, its resource and its scope; empty where it has none."""

router: Final = APIRouter(
    prefix="/api/v1/traces", tags=["Traces"], dependencies=[Depends(require_ready)], responses=PROBLEMS
)


@router.get("/{trace_id}", responses={200: {"model": Trace, "description": "The trace."}, 404: NOT_FOUND})
def trace(
    parts: GivenParts,
    trace_id: Annotated[
        str, Path(description="32 hex digits, or 16: the low half.", examples=["0" * 31 + "1"])
    ],
) -> Response:
    """A trace as OTLP JSON: attributes, events and links as they were sent, at most 20,000 spans."""
    spans = parts.derived.trace(*parse_trace_id(trace_id))
    if not spans:
        raise NotFound(
            f"No span of trace {trace_id} is held: it never came, or newer spans have replaced it."
        )
    return Json(otlp_json(spans))


def parse_trace_id(text: str) -> tuple[int, int]:
    """High and low half of a trace id.

    Raises:
        BadQuery: It is no text of 16 or 32 hex digits, or zero.
    """
    if not _HEX.fullmatch(text) or not int(text, 16):
        raise BadQuery(f"trace id {text[:40]!r}: write 32 hex digits, or 16 for the low half; not all zero.")
    return divmod(int(text, 16), _HALF)


def otlp_json(spans: Iterable[RawSpan]) -> dict[str, Any]:
    """Spans as OTLP JSON, grouped by resource and scope in the order in which these first came."""
    data: dict[str, Any] = MessageToDict(_traces_data(spans), use_integers_for_enums=True)
    for span in _spans_of(data):
        _hex_ids(span, "traceId", "spanId", "parentSpanId")
        for link in span.get("links", ()):
            _hex_ids(link, "traceId", "spanId")
    return data


def _traces_data(spans: Iterable[RawSpan]) -> TracesData:
    data = TracesData()
    resources: dict[bytes, ResourceSpans] = {}
    scopes: dict[tuple[bytes, bytes], ScopeSpans] = {}
    for span, resource, scope in spans:
        if resource not in resources:
            resources[resource] = data.resource_spans.add()
            resources[resource].resource.ParseFromString(resource)
        if (resource, scope) not in scopes:
            scopes[resource, scope] = resources[resource].scope_spans.add()
            scopes[resource, scope].scope.ParseFromString(scope)
        scopes[resource, scope].spans.add().ParseFromString(span)
    return data


def _spans_of(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in data.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            yield from scope.get("spans", ())


def _hex_ids(message: dict[str, Any], *names: str) -> None:
    """Protobuf's JSON writes bytes in base64; OTLP makes an exception for ids."""
    for name in names:
        if name in message:
            message[name] = b64decode(message[name]).hex()
