"""The answers of OTLP over HTTP and gRPC, as protobuf bytes.

They have a handful of fields between them, so they are written with the transcoders' few functions: the receiving
path then needs no protobuf library.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from weft_collector.intake import Accepted
from weft_collector.wire.otlp_writer import count, field

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
    return count(b"\x08", code) + _text(b"\x12", message)


def retry_status(code: int, message: str, seconds: float) -> bytes:
    """A google.rpc.Status with a RetryInfo: the sender keeps its body and tries again after `seconds`."""
    whole, part = divmod(round(seconds * 1_000_000_000), 1_000_000_000)
    retry_info = field(b"\x0a", count(b"\x08", whole) + count(b"\x10", part))
    return rpc_status(code, message) + field(
        b"\x1a", _text(b"\x0a", _RETRY_INFO) + field(b"\x12", retry_info)
    )


def accepted_response(accepted: Accepted) -> bytes:
    """The ExportTraceServiceResponse for a body that was taken."""
    reasons = ", ".join(f"{reason}: {spans}" for reason, spans in accepted.rejected)
    return export_response(sum(spans for _, spans in accepted.rejected), reasons)


def export_response(rejected: int, message: str) -> bytes:
    """An ExportTraceServiceResponse, or one of metrics or logs: all are alike; empty if nothing was rejected.

    Args:
        rejected: Number of spans, points or records that were refused one by one.
        message: Why.
    """
    partial = count(b"\x08", rejected) + _text(b"\x12", message)
    return field(b"\x0a", partial) if rejected else b""


def _text(before: bytes, text: str) -> bytes:
    return field(before, text.encode(errors="replace"))
