"""Bodies of edge counts, as an agent sends them; every part can be made wrong."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, ResourceMetrics

from tests.collector.wire.otlp_factory import attributes_of

MINUTE = 60_000_000_000
NOW_MINUTE = 1_700_000_000_000_000_000 // MINUTE
NOW = NOW_MINUTE * MINUTE
WEB = {"service.name": "web", "service.instance.id": "web-1", "deployment.environment.name": "prod"}
TO_CART = {
    "weft.side": "caller",
    "weft.peer.type": "service",
    "service.peer.name": "cart",
    "weft.operation": "GET /cart",
    "weft.connection.type": "http",
    "network.protocol.name": "http",
    "weft.outcome": "ok",
}
DELTA, CUMULATIVE = 1, 2


def point(
    durations: Iterable[int] = (1_000,),
    attributes: Mapping[str, Any] = TO_CART,
    *,
    start: int = NOW,
    time: int = NOW + MINUTE,
    **fields: Any,
) -> ExponentialHistogramDataPoint:
    """A point that counts calls of these durations (ns)."""
    indices = sorted(math.ceil(math.log2(d) * 16) - 1 for d in durations if d)
    made = ExponentialHistogramDataPoint(
        start_time_unix_nano=start, time_unix_nano=time, count=len(list(durations)), scale=4
    )
    made.zero_count = made.count - len(indices)
    if indices:
        made.positive.offset = indices[0]
        counts = [0] * (indices[-1] - indices[0] + 1)
        for index in indices:
            counts[index - indices[0]] += 1
        made.positive.bucket_counts.extend(counts)
    made.attributes.extend(attributes_of(attributes))
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def group(
    points: Iterable[ExponentialHistogramDataPoint],
    sender: Mapping[str, Any] = WEB,
    *,
    unit: str = "ns",
    temporality: int = DELTA,
    name: str = "weft.edge.duration",
) -> ResourceMetrics:
    """The points of one instance."""
    made = ResourceMetrics()
    made.resource.attributes.extend(attributes_of(sender))
    metric = made.scope_metrics.add().metrics.add(name=name, unit=unit)
    metric.exponential_histogram.aggregation_temporality = temporality
    metric.exponential_histogram.data_points.extend(points)
    return made


def request(*groups: ResourceMetrics) -> ExportMetricsServiceRequest:
    return ExportMetricsServiceRequest(resource_metrics=groups)


def body(*points: ExponentialHistogramDataPoint, **how: Any) -> bytes:
    """A request with the points of one instance."""
    return request(group(points, **how)).SerializeToString()


def everything() -> ExportMetricsServiceRequest:
    """Every part that edge counts can have, with other metrics between them."""
    own = point(
        (0, 1, 5, 9_999, 10**9),
        TO_CART | {"server.port": 80, "other": [1.5, True, b"x"]},
        sum=3.5,
        min=0.0,
        max=-0.0,
    )
    own.exemplars.add(as_double=1.0)
    own.negative.offset = -3
    own.zero_threshold = 0.5
    made = request(group([own, point(scale=-2, flags=1)]), group([point()], temporality=CUMULATIVE, unit="s"))
    made.resource_metrics[0].resource.dropped_attributes_count = 1
    metrics = made.resource_metrics[0].scope_metrics[0].metrics
    metrics[0].description = "calls"
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        getattr(metrics.add(name=f"some.{kind}"), kind).data_points.add(time_unix_nano=NOW)
    metrics.add(name="weft.edge.duration").histogram.data_points.add()
    return made


def points_of(body: bytes) -> int:
    """How many points of exponential histograms a request has."""
    groups = ExportMetricsServiceRequest.FromString(body).resource_metrics
    metrics = [metric for group in groups for scope in group.scope_metrics for metric in scope.metrics]
    return sum(len(metric.exponential_histogram.data_points) for metric in metrics)
