"""How much there is in bodies of logs, the signal of which Weft keeps nothing.

Records are counted and not read: the answer says how many were refused. Protobuf goes through upb, JSON through
structs that leave everything but the lists unread. Metrics have a file of their own (`metrics.py`).
"""

from typing import Final

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from weft_collector.errors import MalformedBody
from weft_collector.wire.json_reading import read
from weft_collector.wire.weight import check_json, check_protobuf

__all__ = ["count_log_records"]

Raws = list[msgspec.Raw] | None


class _ScopeLogs(msgspec.Struct, gc=False, rename="camel"):
    log_records: Raws = None
    snake_log_records: Raws = msgspec.field(default=None, name="log_records")


class _ResourceLogs(msgspec.Struct, gc=False, rename="camel"):
    scope_logs: list[_ScopeLogs] | None = None
    snake_scope_logs: list[_ScopeLogs] | None = msgspec.field(default=None, name="scope_logs")


class _Logs(msgspec.Struct, gc=False, rename="camel"):
    resource_logs: list[_ResourceLogs] | None = None
    snake_resource_logs: list[_ResourceLogs] | None = msgspec.field(default=None, name="resource_logs")


_LOGS: Final = msgspec.json.Decoder(_Logs)


def count_log_records(body: bytes, *, is_json: bool) -> int:
    """Records of an ExportLogsServiceRequest.

    Raises:
        MalformedBody: It is none.
        BodyTooLarge: It holds too many parts.
    """
    if is_json:
        check_json(body)
        groups = read(_LOGS, body, "OTLP JSON")
        resources = groups.resource_logs or groups.snake_resource_logs or ()
        found = [one for each in resources for one in each.scope_logs or each.snake_scope_logs or ()]
        return sum(len(scope.log_records or scope.snake_log_records or ()) for scope in found)
    check_protobuf(body, "logs")
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError:
        raise MalformedBody("No OTLP protobuf: no ExportLogsServiceRequest can be read out of it.") from None
    return sum(len(scope.log_records) for group in request.resource_logs for scope in group.scope_logs)
