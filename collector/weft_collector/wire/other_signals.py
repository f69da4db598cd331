"""How much there is in bodies of the signals that Weft does not keep: metric points and log records.

They are counted and not read: the answer says how many were refused. Protobuf goes through upb, JSON through
structs that leave everything but the lists unread.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from weft_collector.errors import MalformedBody
from weft_collector.wire.json_reading import read

__all__ = ["COUNTERS", "count_log_records", "count_metric_points"]

Raws = list[msgspec.Raw] | None


class _Points(msgspec.Struct, gc=False, rename="camel"):
    data_points: Raws = None
    snake_data_points: Raws = msgspec.field(default=None, name="data_points")


class _Metric(msgspec.Struct, gc=False, rename="camel"):
    gauge: _Points | None = None
    sum: _Points | None = None
    histogram: _Points | None = None
    exponential_histogram: _Points | None = None
    summary: _Points | None = None
    snake_exponential_histogram: _Points | None = msgspec.field(default=None, name="exponential_histogram")


class _ScopeMetrics(msgspec.Struct, gc=False):
    metrics: list[_Metric] | None = None


class _ResourceMetrics(msgspec.Struct, gc=False, rename="camel"):
    scope_metrics: list[_ScopeMetrics] | None = None
    snake_scope_metrics: list[_ScopeMetrics] | None = msgspec.field(default=None, name="scope_metrics")


class _Metrics(msgspec.Struct, gc=False, rename="camel"):
    resource_metrics: list[_ResourceMetrics] | None = None
    snake_resource_metrics: list[_ResourceMetrics] | None = msgspec.field(
        default=None, name="resource_metrics"
    )


class _ScopeLogs(msgspec.Struct, gc=False, rename="camel"):
    log_records: Raws = None
    snake_log_records: Raws = msgspec.field(default=None, name="log_records")


class _ResourceLogs(msgspec.Struct, gc=False, rename="camel"):
    scope_logs: list[_ScopeLogs] | None = None
    snake_scope_logs: list[_ScopeLogs] | None = msgspec.field(default=None, name="scope_logs")


class _Logs(msgspec.Struct, gc=False, rename="camel"):
    resource_logs: list[_ResourceLogs] | None = None
    snake_resource_logs: list[_ResourceLogs] | None = msgspec.field(default=None, name="resource_logs")


_METRICS: Final = msgspec.json.Decoder(_Metrics)
_LOGS: Final = msgspec.json.Decoder(_Logs)


def count_metric_points(body: bytes, *, is_json: bool) -> int:
    """Data points of an ExportMetricsServiceRequest.

    Raises:
        MalformedBody: It is none.
    """
    if is_json:
        groups = read(_METRICS, body, "OTLP JSON")
        resources = groups.resource_metrics or groups.snake_resource_metrics or ()
        scopes = [one for each in resources for one in each.scope_metrics or each.snake_scope_metrics or ()]
        return sum(_points(metric) for scope in scopes for metric in scope.metrics or ())
    try:
        request = ExportMetricsServiceRequest.FromString(body)
    except DecodeError:
        raise MalformedBody(
            "No OTLP protobuf: no ExportMetricsServiceRequest can be read out of it."
        ) from None
    sent = [scope for group in request.resource_metrics for scope in group.scope_metrics]
    return sum(_protobuf_points(metric) for scope in sent for metric in scope.metrics)


def _points(metric: _Metric) -> int:
    kinds = (
        metric.gauge,
        metric.sum,
        metric.histogram,
        metric.exponential_histogram,
        metric.snake_exponential_histogram,
        metric.summary,
    )
    return sum(len(kind.data_points or kind.snake_data_points or ()) for kind in kinds if kind is not None)


def _protobuf_points(metric: Metric) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def count_log_records(body: bytes, *, is_json: bool) -> int:
    """Records of an ExportLogsServiceRequest.

    Raises:
        MalformedBody: It is none.
    """
    if is_json:
        groups = read(_LOGS, body, "OTLP JSON")
        resources = groups.resource_logs or groups.snake_resource_logs or ()
        found = [one for each in resources for one in each.scope_logs or each.snake_scope_logs or ()]
        return sum(len(scope.log_records or scope.snake_log_records or ()) for scope in found)
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError:
        raise MalformedBody("No OTLP protobuf: no ExportLogsServiceRequest can be read out of it.") from None
    return sum(len(scope.log_records) for group in request.resource_logs for scope in group.scope_logs)


COUNTERS: Final[Mapping[str, Callable[..., int]]] = MappingProxyType(
    {"metrics": count_metric_points, "logs": count_log_records}
)
"""By signal: how many parts a body has."""
