"""What a decoder must say about a body, written from the contract over upb's messages, slowly and plainly."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from weft_collector.wire.columns import Decoded
from weft_collector.wire.limits import Limits
from weft_collector.wire.strings import Strings

SPAN_TEXTS = {
    "peer_service": ["service.peer.name", "peer.service"],
    "server_address": ["server.address", "net.peer.name", "net.sock.peer.addr"],
    "db_system": ["db.system.name", "db.system"],
    "db_namespace": ["db.namespace", "db.name"],
    "messaging_system": ["messaging.system"],
    "messaging_destination": ["messaging.destination.name", "messaging.destination"],
    "rpc_system": ["rpc.system.name", "rpc.system"],
    "error_type": ["error.type"],
}
SPAN_NUMBERS = {
    "server_port": (65535, ["server.port", "net.peer.port"]),
    "http_status": (999, ["http.response.status_code", "http.status_code"]),
}
RESOURCE_TEXTS = {
    "service": ["service.name"],
    "instance": ["service.instance.id"],
    "namespace": ["service.namespace"],
    "environment": ["deployment.environment.name", "deployment.environment"],
    "version": ["service.version"],
    "host": ["host.name"],
}

IDS = ("trace_hi", "trace_lo", "span_id", "parent_id")


def parse(body: bytes) -> ExportTraceServiceRequest | None:
    """upb's message, or None where it refuses."""
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return None


def text_of(attributes: Iterable[KeyValue], keys: list[str]) -> str:
    for key in keys:
        fitting = [
            one.value.string_value
            for one in attributes
            if one.key == key and one.value.WhichOneof("value") == "string_value" and one.value.string_value
        ]
        if fitting:
            return fitting[-1]
    return ""


def _number(value: Any) -> int:
    if value.WhichOneof("value") == "int_value":
        return value.int_value
    if value.WhichOneof("value") == "string_value" and re.fullmatch("[0-9]{1,10}", value.string_value):
        return int(value.string_value)
    return 0


def number_of(attributes: Iterable[KeyValue], largest: int, keys: list[str]) -> int:
    for key in keys:
        fitting = [_number(one.value) for one in attributes if one.key == key]
        fitting = [number for number in fitting if 0 < number <= largest]
        if fitting:
            return fitting[-1]
    return 0


def caller_of(trace_state: str, parent: bytes) -> tuple[str, int]:
    """The names of a valid entry, and whether there is a stale one."""
    for member in trace_state.split(","):
        entry = re.fullmatch(r"[ \t]*weft=(.*?)[ \t]*", member, re.DOTALL)
        if entry:
            sound = re.fullmatch(r"([0-9a-f]{16});([-._%A-Za-z0-9]+;[-._%A-Za-z0-9]*)", entry[1])
            valid = sound and len(entry[1]) <= 256 and bytes.fromhex(sound[1]) == parent and any(parent)
            return (sound[2], 0) if sound and valid else ("", 1)
    return "", 0


def longest_value(span: Span) -> int:
    """Bytes of the longest value of an attribute of the span, its events and its links."""
    holders = [span, *span.events, *span.links]
    values = [one.value for holder in holders for one in holder.attributes]
    lengths = [len(value.string_value.encode()) + len(value.bytes_value) for value in values]
    lengths += [value.array_value.ByteSize() + value.kvlist_value.ByteSize() for value in values]
    return max(lengths, default=0)


class Verdict(NamedTuple):
    """What is expected of a body."""

    spans: list[dict[str, Any]]  # by column, texts as texts, scope as a message
    rejected: dict[str, int]


def reason(span: Span, size: int, arrived: int, limits: Limits) -> str:
    """Why the span is refused alone, or nothing."""
    faults = {
        "span_too_short": size < 28,
        "trace_id": len(span.trace_id) != 16 or not any(span.trace_id),
        "span_id": len(span.span_id) != 8 or not any(span.span_id),
        "parent_id": len(span.parent_span_id) not in {0, 8},
        "future_start": span.start_time_unix_nano > arrived + limits.future_ns,
        "span_too_large": size > limits.span_bytes,
        "too_many_attributes": len(span.attributes) > limits.span_attributes,
        "attribute_too_long": longest_value(span) > limits.value_bytes,
    }
    return next((name for name, applies in faults.items() if applies), "")


def span_row(span: Span) -> dict[str, Any]:
    entry, stale = caller_of(span.trace_state, span.parent_span_id)
    row: dict[str, Any] = {
        "trace_hi": int.from_bytes(span.trace_id[:8], "big"),
        "trace_lo": int.from_bytes(span.trace_id[8:], "big"),
        "span_id": int.from_bytes(span.span_id, "big"),
        "parent_id": int.from_bytes(span.parent_span_id, "big"),
        "start": span.start_time_unix_nano,
        "end": min(span.end_time_unix_nano, 2**63 - 1),
        "kind": span.kind if 0 <= span.kind <= 5 else 0,
        "status": span.status.code if 0 <= span.status.code <= 2 else 0,
        "name": span.name,
        "caller": entry,
        "caller_stale": stale,
        "span": span,
    }
    row |= {column: text_of(span.attributes, keys) for column, keys in SPAN_TEXTS.items()}
    row |= {column: number_of(span.attributes, *rule) for column, rule in SPAN_NUMBERS.items()}
    return row


def resource_row(resource: Resource, schema: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        column: text_of(resource.attributes, keys) for column, keys in RESOURCE_TEXTS.items()
    }
    row["schema"] = schema
    return row | {"pid": number_of(resource.attributes, 2**31 - 1, ["process.pid"])}


def expected(message: ExportTraceServiceRequest, arrived: int, limits: Limits | None = None) -> Verdict:
    """The verdict on a body that upb parsed; a span counts with the size that upb would give it."""
    limits, spans, rejected = limits or Limits(), [], Counter[str]()
    for group in message.resource_spans:
        for scoped in group.scope_spans:
            for one in scoped.spans:
                fault = reason(one, one.ByteSize(), arrived, limits)
                if fault:
                    rejected[fault] += 1
                else:
                    resource = resource_row(group.resource, group.schema_url)
                    around = {"resource": resource, "scope": scoped.scope, "schema": scoped.schema_url}
                    spans.append(span_row(one) | around)
    return Verdict(spans, dict(rejected))


def rows(decoded: Decoded, strings: Strings, body: bytes) -> list[dict[str, Any]]:
    """Decoded columns in the form of `expected`."""
    texts = {"name", "caller", *SPAN_TEXTS}
    found = []
    for values in zip(*(column.tolist() for column in decoded.spans), strict=True):
        row = dict(zip(decoded.spans._fields, values, strict=True))
        row = {name: strings.text(value) if name in texts else value for name, value in row.items()}
        offset, length = row.pop("offset"), row.pop("length")
        row["span"] = Span.FromString(body[offset : offset + length])
        row["resource"] = _resource_columns(decoded, row["resource"], strings)
        scope = row["scope"]
        offset, length = int(decoded.scopes.offset[scope]), int(decoded.scopes.length[scope])
        row["scope"] = InstrumentationScope.FromString(body[offset : offset + length])
        row["schema"] = strings.text(int(decoded.scopes.schema[scope]))
        found.append(row)
    return found


def _resource_columns(decoded: Decoded, row: int, strings: Strings) -> dict[str, Any]:
    texts = (*RESOURCE_TEXTS, "schema")
    found = {column: strings.text(int(getattr(decoded.resources, column)[row])) for column in texts}
    return found | {"pid": int(decoded.resources.pid[row])}
