"""Zipkin v2 JSON to OTLP protobuf.

Conversion, as docs/wire.md shows it to users. The reference is the OpenTelemetry Collector's translation; where
it uses names of older conventions, today's are used.

* Ids are padded with zeros on the left; a parent that is the span itself, or 0, is none.
* Spans are grouped by the service name and the addresses of their local endpoint: one resource each. The
  local port belongs to a connection, not to the instance, so it is the span's.
* What the remote endpoint is depends on the side: the server of a CLIENT span, the broker of a PRODUCER or
  CONSUMER span, the client of a SERVER span.
* Without a timestamp a span starts with its first annotation, else at the epoch; without a duration it ends
  as it starts. Neither asks the clock: the same body always means the same spans.

Zipkin v1 looks much the same and means other things, so it is refused by name.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from weft_collector.errors import MalformedBody
from weft_collector.wire import otlp_writer as otlp
from weft_collector.wire.json_reading import (
    LATEST_US,
    SPAN_DIGITS,
    TRACE_DIGITS,
    Number,
    WrongValue,
    inside,
    microseconds,
    padded_id,
    plain_text,
    read,
    stepped,
    whole,
)

__all__ = ["transcode"]

_WHAT: Final = "Zipkin v2 JSON"
_V1: Final = (
    "Expected a list of Zipkin v2 spans in JSON, but this one is Zipkin v1: it has binaryAnnotations, or "
    "annotations with an endpoint. Send v2 (in most reporters the path /api/v2/spans and the encoder JSON_V2)."
)


class _Endpoint(msgspec.Struct, gc=False, rename="camel", frozen=True):
    service_name: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    port: Number = None


class _Annotation(msgspec.Struct, gc=False):
    timestamp: Number = None
    value: str | None = None
    endpoint: msgspec.Raw = msgspec.Raw()  # v1 only


class _Span(msgspec.Struct, gc=False, rename="camel"):
    trace_id: str | None = None
    id: str | None = None
    parent_id: str | None = None
    name: str | None = None
    kind: str | None = None
    timestamp: Number = None
    duration: Number = None
    debug: bool | None = None
    shared: bool | None = None
    local_endpoint: _Endpoint | None = None
    remote_endpoint: _Endpoint | None = None
    annotations: list[_Annotation] | None = None
    tags: dict[str, str | int | float | bool | None] | None = None
    binary_annotations: msgspec.Raw = msgspec.Raw()  # v1 only


_SPANS: Final[msgspec.json.Decoder[list[_Span]]] = msgspec.json.Decoder(list[_Span])
_NOWHERE: Final = _Endpoint()
_KINDS: Final = {
    "CLIENT": otlp.CLIENT,
    "SERVER": otlp.SERVER,
    "PRODUCER": otlp.PRODUCER,
    "CONSUMER": otlp.CONSUMER,
}
_REMOTE: Final = {
    otlp.CLIENT: "server",
    otlp.PRODUCER: "server",
    otlp.CONSUMER: "server",
    otlp.SERVER: "client",
    0: "network.peer",
    otlp.INTERNAL: "network.peer",
}
_CODES: Final = {"OK": otlp.OK, "ERROR": otlp.ERROR}
# Tags that say what OTLP has a place for; they do not become attributes.
_TRANSLATED: Final[tuple[str, ...]] = (
    "w3c.tracestate",
    "otel.status_code",
    "otel.status_description",
    "otel.scope.name",
    "otel.scope.version",
    "otel.library.name",
    "otel.library.version",
)

Tags = dict[str, str]


def transcode(body: bytes) -> bytes:
    """A list of Zipkin v2 spans in JSON as an ExportTraceServiceRequest; an empty body is an empty list.

    Raises:
        MalformedBody: It is not such a list.
    """
    if not body.strip():
        return b""
    groups: otlp.Groups = {}
    spans = read(_SPANS, body, _WHAT)
    for number, span in enumerate(spans):
        try:
            _add(span, groups)
        except WrongValue as error:
            raise inside(_WHAT, error.at(f"[{number}]")) from None
    return otlp.request(groups)


def _add(span: _Span, groups: otlp.Groups) -> None:
    if _is_v1(span):
        raise MalformedBody(_V1)
    tags = {name: plain_text(value) for name, value in (span.tags or {}).items()}
    translated: Tags = {name: tags.pop(name) for name in _TRANSLATED if name in tags}
    written = _span(span, tags, translated)
    otlp.add_span(groups, _resource(span.local_endpoint or _NOWHERE), _scope(translated), written)


def _is_v1(span: _Span) -> bool:
    return bool(span.binary_annotations or any(one.endpoint for one in span.annotations or ()))


def _resource(endpoint: _Endpoint) -> bytes:
    name = endpoint.service_name
    parts = [otlp.attribute(b"\x0a", "service.name", otlp.any_text(name))] if name else []
    addresses = [otlp.any_text(address) for address in (endpoint.ipv4, endpoint.ipv6) if address]
    if addresses:
        parts.append(otlp.attribute(b"\x0a", "host.ip", otlp.any_list(addresses)))
    return b"".join(parts)


def _scope(translated: Tags) -> tuple[str, str]:
    name = translated.get("otel.scope.name") or translated.get("otel.library.name", "")
    version = translated.get("otel.scope.version") or translated.get("otel.library.version", "")
    return name, version


def _span(span: _Span, tags: Tags, translated: Tags) -> bytes:
    kind = _kind(span.kind, tags)
    start, end = _times(span)
    parts = [
        otlp.field(b"\x0a", padded_id(span.trace_id, TRACE_DIGITS, ".traceId")),
        otlp.field(b"\x12", padded_id(span.id, SPAN_DIGITS, ".id")),
        otlp.optional(b"\x1a", translated.get("w3c.tracestate")),
        _parent(span),
        otlp.optional(b"\x2a", span.name),
        otlp.enum(b"\x30", kind),
        otlp.moment(b"\x39", start),
        otlp.moment(b"\x41", end),
        *_attributes(span, kind, tags),
        *[otlp.field(b"\x5a", _event(one)) for one in span.annotations or ()],
        _status(tags, translated),
    ]
    return b"".join(parts)


def _kind(name: str | None, tags: Tags) -> int:
    if not name:
        return otlp.INTERNAL if tags.get("span.kind") == "internal" else 0
    if name not in _KINDS:
        raise WrongValue(f"{name[:40]!r} is none of {', '.join(_KINDS)}", ".kind")
    return _KINDS[name]


def _parent(span: _Span) -> bytes:
    if not span.parent_id:
        return b""
    parent = padded_id(span.parent_id, SPAN_DIGITS, ".parentId")
    is_none = not any(parent) or parent == padded_id(span.id, SPAN_DIGITS, ".id")
    return b"" if is_none else otlp.field(b"\x22", parent)


def _times(span: _Span) -> tuple[int, int]:
    start = microseconds(span.timestamp, ".timestamp")
    if not start:
        moments = [microseconds(one.timestamp, ".annotations") for one in span.annotations or ()]
        start = min((moment for moment in moments if moment), default=0)
    end = start + microseconds(span.duration, ".duration")
    return 1000 * start, 1000 * min(end, LATEST_US)


def _attributes(span: _Span, kind: int, tags: Tags) -> Iterable[bytes]:
    """The tags, and what the endpoints and flags say where no tag says it."""
    values = {**_endpoints(span, kind), **_flags(span)}
    for name, text in tags.items():
        values[name] = otlp.any_text(text)
    return [otlp.attribute(b"\x4a", name, value) for name, value in values.items()]


def _endpoints(span: _Span, kind: int) -> dict[str, bytes]:
    local, remote, side = span.local_endpoint or _NOWHERE, span.remote_endpoint or _NOWHERE, _REMOTE[kind]
    texts = {
        "peer.service": remote.service_name,
        f"{side}.address": remote.ipv4 or remote.ipv6,
        "zipkin.remote.ipv6": remote.ipv6 if remote.ipv4 else None,
    }
    ports = {
        f"{side}.port": _port(remote, ".remoteEndpoint.port"),
        "network.local.port": _port(local, ".localEndpoint.port"),
    }
    return {name: otlp.any_text(text) for name, text in texts.items() if text} | {
        name: otlp.any_int(port) for name, port in ports.items() if port
    }


def _port(endpoint: _Endpoint, step: str) -> int:
    return stepped(step, _port_number, endpoint.port)


def _port_number(value: Number) -> int:
    return whole(value, 0, 65_535)


def _flags(span: _Span) -> dict[str, bytes]:
    flags = {"zipkin.shared": span.shared, "zipkin.debug": span.debug}
    return {name: otlp.any_bool(flag) for name, flag in flags.items() if flag}


def _event(annotation: _Annotation) -> bytes:
    time = 1000 * microseconds(annotation.timestamp, ".annotations")
    return otlp.moment(b"\x09", time) + otlp.optional(b"\x12", annotation.value)


def _status(tags: Tags, translated: Tags) -> bytes:
    """ERROR where a tag `error` is there, whatever it says; else what an OpenTelemetry exporter left."""
    code = _CODES.get(translated.get("otel.status_code", "").upper(), 0)
    message = translated.get("otel.status_description", "")
    if "error" in tags:
        code = otlp.ERROR
        message = message or ("" if tags["error"] in {"true", "false"} else tags["error"])
    return (
        otlp.field(b"\x7a", otlp.optional(b"\x12", message) + otlp.enum(b"\x18", code))
        if code or message
        else b""
    )
