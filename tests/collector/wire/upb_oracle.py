"""What a decoder must say about a body, written from the contract over upb's messages, slowly and plainly."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import grpc
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
    "peer_namespace": ["service.peer.namespace"],
    "server_address": ["server.address", "net.peer.name"],
    "db_system": ["db.system.name", "db.system"],
    "db_namespace": ["db.namespace", "db.name", "db.redis.database_index"],
    "messaging_system": ["messaging.system"],
    "messaging_destination": ["messaging.destination.name", "messaging.destination"],
    "messaging_cluster": ["messaging.kafka.cluster.id"],
    "messaging_operation": ["messaging.operation.type", "messaging.operation"],
    "rpc_system": ["rpc.system.name", "rpc.system"],
    "error_type": ["error.type"],
}
SPAN_NUMBERS = {
    "server_port": (65535, ["server.port", "net.peer.port"]),
    "http_status": (999, ["http.response.status_code", "http.status_code"]),
}
RESOURCE_TEXTS = {
    "service": ["service.name"],
    "instance": ["service.instance.id", "k8s.pod.uid"],
    "namespace": ["service.namespace"],
    "environment": ["deployment.environment.name", "deployment.environment"],
    "version": ["service.version"],
    "host": ["host.name"],
}

CODE_NAMES = ["rpc.response.status_code", "rpc.status_code", "rpc.connect_rpc.error_code"]
TEMPORARY = [
    "messaging.destination.temporary",
    "messaging.destination.anonymous",
    "messaging.temp_destination",
]
URL = re.compile("([A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
AUTHORITY = re.compile(
    r"(?:[^/?#]*@)?(?:\[([^]\[/?#@\x00-\x20\x7f]+)\]|([^]\[/?#@:\x00-\x20\x7f]+))(?::([0-9]{0,10}))?(?:[/?#].*)?",
    re.DOTALL,
)
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = str.maketrans(UPPER, UPPER.lower())

IDS = ("trace_hi", "trace_lo", "span_id", "parent_id")


def parse(body: bytes) -> ExportTraceServiceRequest | None:
    """upb's message, or None where it refuses."""
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return None


def readable(value: Any, key: str) -> str:
    """A value as the text of a column, or nothing."""
    if key == "db.redis.database_index" and value.WhichOneof("value") == "int_value":
        return str(value.int_value) if 0 <= value.int_value <= 1 << 20 else ""
    return value.string_value if value.WhichOneof("value") == "string_value" else ""


def text_of(attributes: Iterable[KeyValue], keys: list[str]) -> str:
    for key in keys:
        fitting = [text for one in attributes if one.key == key and (text := readable(one.value, key))]
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


def template_of(attributes: Iterable[KeyValue]) -> str:
    said = text_of(attributes, ["messaging.destination.template"])
    temporary = any(one.key in TEMPORARY and one.value.bool_value for one in attributes)
    return said or ("(temporary)" if temporary else "")


def message_count_of(attributes: Iterable[KeyValue]) -> int:
    """-1 for none, 0 where absent."""
    counts = []
    for one in attributes:
        kind = one.value.WhichOneof("value")
        said = str(getattr(one.value, kind)) if kind in {"string_value", "int_value"} else ""
        if one.key == "messaging.batch.message_count" and re.fullmatch("[0-9]{1,10}", said):
            counts.append(min(int(said), 1 << 20) or -1)
    return counts[-1] if counts else 0


def rpc_code_of(attributes: Iterable[KeyValue]) -> str:
    number = number_of(attributes, 16, ["rpc.grpc.status_code"])
    names = {code.value[0]: code.name for code in grpc.StatusCode}
    return names[number] if number else text_of(attributes, CODE_NAMES)


def authority_of(text: str) -> tuple[str, int]:
    found = AUTHORITY.fullmatch(text)
    host, port = (found[1] or found[2], int(found[3] or 0)) if found else ("", 0)
    fits = len(host.encode()) <= 255 and port <= 65535
    return (host.translate(LOWER), port) if fits else ("", 0)


def peer_of(attributes: Iterable[KeyValue]) -> tuple[str, int]:
    """The host that is called, if no attribute names it plainly."""
    if text_of(attributes, SPAN_TEXTS["server_address"]):
        return "", 0
    scheme, host, port = "", "", 0
    for key in ("url.full", "http.url"):
        url = URL.fullmatch(text_of(attributes, [key]))
        if url and not host:
            scheme = url[1].translate(LOWER)
            host, port = authority_of(url[2])
    asked = authority_of(text_of(attributes, ["http.host"]))
    scheme = scheme if host else ""
    host, port = asked if asked[0] else (host, port)
    if host:
        given = number_of(attributes, *SPAN_NUMBERS["server_port"])
        return host, port or {"http": 80, "https": 443}.get(scheme, given)
    reached = text_of(attributes, ["network.peer.address", "net.sock.peer.addr", "net.peer.ip"])
    ports = ["network.peer.port", "net.sock.peer.port", "net.peer.port"]
    return reached, number_of(attributes, 65535, ports) if reached else 0


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
    row["messaging_template"] = template_of(span.attributes)
    row["message_count"] = message_count_of(span.attributes)
    row["rpc_code"] = rpc_code_of(span.attributes)
    row["peer_address"], row["peer_port"] = peer_of(span.attributes) if row["kind"] in {3, 4} else ("", 0)
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
    texts = {"name", "caller", "messaging_template", "rpc_code", "peer_address", *SPAN_TEXTS}
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
