"""Jaeger UI downloads (JSON) to OTLP protobuf.

The reference is the OpenTelemetry Collector's translation of Jaeger's model: process tags become the resource,
typed tags attributes, logs events, the first CHILD_OF reference within the trace (else the first FOLLOWS_FROM
one) the parent, all other references links that say by `opentracing.ref_type` what they were. The tags
`span.kind`, `error`, `otel.status_code`, `otel.status_description`, `w3c.tracestate`, `otel.scope.name` and
`otel.scope.version` go where OTLP has a place for them. One thing is left out: a status is not guessed from an
HTTP code, since the graph's rules look at that code themselves.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from weft_collector.wire import otlp_writer as otlp
from weft_collector.wire.json_reading import (
    LATEST_US,
    SPAN_DIGITS,
    TRACE_DIGITS,
    Number,
    WrongValue,
    base64,
    floating,
    inside,
    microseconds,
    padded_id,
    plain_text,
    read,
    stepped,
    whole,
)

__all__ = ["transcode"]

_WHAT: Final = "Jaeger JSON"
_INT64: Final = 2**63
_SAMPLED: Final = 1
_KINDS: Final = {
    "client": otlp.CLIENT,
    "server": otlp.SERVER,
    "producer": otlp.PRODUCER,
    "consumer": otlp.CONSUMER,
    "internal": otlp.INTERNAL,
}
_CODES: Final = {"OK": otlp.OK, "ERROR": otlp.ERROR}
_RENAMED: Final = {"hostname": "host.name"}
_NO_SERVICE: Final = "OTLPResourceNoServiceName"

Scalar = str | int | float | bool | None


class _Tag(msgspec.Struct, gc=False):
    key: str = ""
    type: str | None = None
    value: Scalar = None


class _Log(msgspec.Struct, gc=False):
    timestamp: Number = None
    fields: list[_Tag] | None = None


class _Reference(msgspec.Struct, gc=False):
    ref_type: str | None = msgspec.field(default=None, name="refType")
    trace_id: str | None = msgspec.field(default=None, name="traceID")
    span_id: str | None = msgspec.field(default=None, name="spanID")


class _Process(msgspec.Struct, gc=False):
    service_name: str | None = msgspec.field(default=None, name="serviceName")
    tags: list[_Tag] | None = None


class _Span(msgspec.Struct, gc=False):
    trace_id: str | None = msgspec.field(default=None, name="traceID")
    span_id: str | None = msgspec.field(default=None, name="spanID")
    parent_span_id: str | None = msgspec.field(default=None, name="parentSpanID")
    flags: Number = None
    operation_name: str | None = msgspec.field(default=None, name="operationName")
    references: list[_Reference] | None = None
    start_time: Number = msgspec.field(default=None, name="startTime")
    duration: Number = None
    tags: list[_Tag] | None = None
    logs: list[_Log] | None = None
    process_id: str | None = msgspec.field(default=None, name="processID")
    process: _Process | None = None


class _Trace(msgspec.Struct, gc=False):
    spans: list[_Span] | None = None
    processes: dict[str, _Process] | None = None


class _Download(_Trace):
    """The file that the UI saves, or one trace out of it."""

    data: list[_Trace] | None = None


_DOWNLOAD: Final = msgspec.json.Decoder(_Download)
Tags = dict[str, bytes | str]
"""By key: an AnyValue, or a text that is still to become one."""


def transcode(body: bytes) -> bytes:
    """What the Jaeger UI saves, `{"data": [{"spans": ..., "processes": ...}]}`, as an ExportTraceServiceRequest.

    Raises:
        MalformedBody: It is no such file.
    """
    download = read(_DOWNLOAD, body, _WHAT)
    groups: otlp.Groups = {}
    try:
        _add_trace(download, groups, "")
        for number, trace in enumerate(download.data or ()):
            _add_trace(trace, groups, f".data[{number}]")
    except WrongValue as error:
        raise inside(_WHAT, error) from None
    return otlp.request(groups)


def _add_trace(trace: _Trace, groups: otlp.Groups, at: str) -> None:
    processes = {
        name: stepped(f"{at}.processes.{name}", _resource, process)
        for name, process in (trace.processes or {}).items()
    }
    for number, span in enumerate(trace.spans or ()):
        stepped(f"{at}.spans[{number}]", _add_span, (span, processes, groups))


def _add_span(given: tuple[_Span, Mapping[str, bytes], otlp.Groups]) -> None:
    span, processes, groups = given
    resource = processes.get(span.process_id or "", b"") if span.process is None else _resource(span.process)
    tags = _tags(span.tags)
    scope = _taken(tags, "otel.scope.name"), _taken(tags, "otel.scope.version")
    otlp.add_span(groups, resource, scope, _span(span, tags))


def _resource(process: _Process) -> bytes:
    tags = _tags(process.tags)
    if process.service_name and process.service_name != _NO_SERVICE:
        tags = {"service.name": process.service_name, **tags}
    for old, new in _RENAMED.items():
        if old in tags and new not in tags:
            tags[new] = tags.pop(old)
    return b"".join(_attributes(b"\x0a", tags))


def _span(span: _Span, tags: Tags) -> bytes:
    trace, own = (
        padded_id(span.trace_id, TRACE_DIGITS, ".traceID"),
        padded_id(span.span_id, SPAN_DIGITS, ".spanID"),
    )
    kind = _KINDS.get(_taken(tags, "span.kind"), 0)
    status = _status(tags)
    state = _taken(tags, "w3c.tracestate")
    parent, links = _references(span, trace)
    start = microseconds(span.start_time, ".startTime")
    end = min(start + microseconds(span.duration, ".duration"), LATEST_US)
    parts = [
        otlp.field(b"\x0a", trace),
        otlp.field(b"\x12", own),
        otlp.optional(b"\x1a", state),
        otlp.field(b"\x22", parent) if parent else b"",
        otlp.optional(b"\x2a", span.operation_name),
        otlp.enum(b"\x30", kind),
        otlp.moment(b"\x39", 1000 * start),
        otlp.moment(b"\x41", 1000 * end),
        *_attributes(b"\x4a", tags),
        *[_event(number, log) for number, log in enumerate(span.logs or ())],
        *links,
        status,
        otlp.fixed32(b"\x85\x01", stepped(".flags", whole, span.flags) & _SAMPLED),
    ]
    return b"".join(parts)


def _references(span: _Span, trace: bytes) -> tuple[bytes, list[bytes]]:
    """The parent's id, and Link fields for the references that are not to the parent."""
    found = [
        (one.ref_type == "CHILD_OF", *stepped(f".references[{number}]", _ids, one))
        for number, one in enumerate(span.references or ())
    ]
    inside_trace = sorted((one for one in found if one[1] == trace), key=lambda one: not one[0])
    parent = inside_trace[0][2] if inside_trace else b""
    if not parent and span.parent_span_id:
        parent = padded_id(span.parent_span_id, SPAN_DIGITS, ".parentSpanID")
    links = [_link(*one) for one in found if not (one[0] and one[2] == parent)]
    return (parent if any(parent) else b""), links


def _ids(reference: _Reference) -> tuple[bytes, bytes]:
    return (
        padded_id(reference.trace_id, TRACE_DIGITS, ".traceID"),
        padded_id(reference.span_id, SPAN_DIGITS, ".spanID"),
    )


def _link(is_child: bool, trace: bytes, span: bytes) -> bytes:
    kind = otlp.attribute(
        b"\x22", "opentracing.ref_type", otlp.any_text("child_of" if is_child else "follows_from")
    )
    return otlp.field(b"\x6a", otlp.field(b"\x0a", trace) + otlp.field(b"\x12", span) + kind)


def _event(number: int, log: _Log) -> bytes:
    step = f".logs[{number}]"
    time = microseconds(log.timestamp, f"{step}.timestamp")
    fields = stepped(step, _tags, log.fields)
    name = _taken(fields, "event")
    return otlp.field(
        b"\x5a",
        otlp.moment(b"\x09", 1000 * time)
        + otlp.optional(b"\x12", name)
        + b"".join(_attributes(b"\x1a", fields)),
    )


def _status(tags: Tags) -> bytes:
    """The tag `error` decides if it is true; else what an OpenTelemetry exporter left."""
    code = _CODES.get(_taken(tags, "otel.status_code").upper(), 0)
    if tags.get("error") in {otlp.any_bool(True), "true"}:
        del tags["error"]
        code = otlp.ERROR
    message = _taken(tags, "otel.status_description") if code else ""
    return otlp.field(b"\x7a", otlp.optional(b"\x12", message) + otlp.enum(b"\x18", code)) if code else b""


# ---- tags


def _tags(tags: Iterable[_Tag] | None) -> Tags:
    """Tags by key; of a key that occurs twice the last one counts."""
    return {tag.key: stepped(f".tags[{number}]", _value, tag) for number, tag in enumerate(tags or ())}


def _value(tag: _Tag) -> bytes | str:
    kind = tag.type or _TYPES.get(type(tag.value), "string")
    write = _VALUES.get(kind, plain_text)
    return write(tag.value)


def _any_flag(value: Scalar) -> bytes | str:
    if value is True or value == "true":
        return otlp.any_bool(True)
    if value is False or value == "false":
        return otlp.any_bool(False)
    raise WrongValue(f"{str(value)[:40]!r} is neither true nor false", ".value")


def _any_whole(value: Scalar) -> bytes | str:
    return otlp.any_int(stepped(".value", _int64, value))


def _any_float(value: Scalar) -> bytes | str:
    return otlp.any_double(stepped(".value", _double, value))


def _any_binary(value: Scalar) -> bytes | str:
    return otlp.any_bytes(stepped(".value", base64, "" if value is None else str(value)))


def _int64(value: Scalar) -> int:
    return whole(_no_flag(value), -_INT64, _INT64 - 1)


def _double(value: Scalar) -> float:
    return floating(_no_flag(value) or 0.0)


def _no_flag(value: Scalar) -> Number:
    if isinstance(value, bool):
        raise WrongValue("true and false are no numbers")
    return value


_TYPES: Final[Mapping[type, str]] = {bool: "bool", int: "int64", float: "float64"}
_VALUES: Final = {
    "string": plain_text,
    "bool": _any_flag,
    "int64": _any_whole,
    "float64": _any_float,
    "binary": _any_binary,
}


def _attributes(before: bytes, tags: Tags) -> list[bytes]:
    return [
        otlp.attribute(before, key, otlp.any_text(value) if isinstance(value, str) else value)
        for key, value in tags.items()
    ]


def _taken(tags: Tags, key: str) -> str:
    """The text under a key, which leaves the tags; empty if there is no text."""
    return str(tags.pop(key)) if isinstance(tags.get(key), str) else ""
