"""The answers of OTLP over HTTP and gRPC, as protobuf bytes.

They have a handful of fields between them, so they are written by hand: the receiving path then needs no protobuf
library.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from weft_collector.intake import Accepted

__all__ = ["accepted_response", "export_response", "retry_status", "rpc_code", "rpc_status"]

_CODES: Final[Mapping[int, int]] = MappingProxyType(
    {403: 7, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 429: 8, 501: 12, 503: 14}
)
_INVALID_ARGUMENT, _INTERNAL = 3, 13
_RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"


def rpc_code(http_status: int) -> int:
    """The google.rpc.Code that says what an HTTP status says."""
    return _CODES.get(http_status, _INVALID_ARGUMENT if http_status < 500 else _INTERNAL)


def rpc_status(code: int, message: str) -> bytes:
    """A google.rpc.Status: what a sender gets when its body was refused."""
    return _number(1, code) + _text(2, message)


def retry_status(code: int, message: str, seconds: float) -> bytes:
    """A google.rpc.Status with a RetryInfo: the sender keeps its body and tries again after `seconds`."""
    whole, part = divmod(round(seconds * 1_000_000_000), 1_000_000_000)
    retry_info = _field(1, _number(1, whole) + _number(2, part))
    return rpc_status(code, message) + _field(3, _text(1, _RETRY_INFO) + _field(2, retry_info))


def accepted_response(accepted: Accepted) -> bytes:
    """The ExportTraceServiceResponse for a body that was taken."""
    reasons = ", ".join(f"{reason}: {count}" for reason, count in accepted.rejected)
    return export_response(sum(count for _, count in accepted.rejected), reasons)


def export_response(rejected: int, message: str) -> bytes:
    """An ExportTraceServiceResponse, or one of metrics or logs: all are alike; empty if nothing was rejected.

    Args:
        rejected: Number of spans, points or records that were refused one by one.
        message: Why.
    """
    partial = _number(1, rejected) + _text(2, message)
    return _field(1, partial) if rejected else b""


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode(errors="replace"))


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content
