"""OTLP JSON by the reference library: proto3 JSON, with ids swapped between base64 and hex.

to_json(message) -> the bytes that an exporter would send
from_json(body)  -> the message that these bytes mean
"""

import base64
import json
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()


def _base64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()


def _swapped(value: Any, swap: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_swapped(item, swap) for item in value]
    if isinstance(value, dict):
        return {
            name: swap(item) if name in IDS and isinstance(item, str) else _swapped(item, swap)
            for name, item in value.items()
        }
    return value


def to_dict(message: ExportTraceServiceRequest, *, snake: bool = False, names: bool = False) -> Any:
    """The request as JSON objects: with the names of the protocol file, with names instead of enum numbers."""
    plain = json_format.MessageToDict(
        message, preserving_proto_field_name=snake, use_integers_for_enums=not names
    )
    return _swapped(plain, _hex)


def to_json(message: ExportTraceServiceRequest, **how: bool) -> bytes:
    """The request as an exporter would send it; `how` as for `to_dict`."""
    return json.dumps(to_dict(message, **how), ensure_ascii=False, separators=(",", ":")).encode()


def from_json(body: bytes) -> ExportTraceServiceRequest:
    """What a body means to the reference library; unknown fields are left out."""
    plain = _swapped(json.loads(body), _base64)
    return json_format.ParseDict(plain, ExportTraceServiceRequest(), ignore_unknown_fields=True)
