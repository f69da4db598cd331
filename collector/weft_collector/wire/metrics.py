"""A body of metrics, sorted: the edge counts in it, and how much else there is.

Clients send all their metrics in one body; only edge counts are kept. What goes into the log is a request with
nothing but these, in protobuf, one group for each resource: its attributes, and the metrics without their
descriptions, exemplars and scopes, whose bytes nobody would look at again. The same body in JSON becomes
the same bytes (`metrics_json.py`).

The points of other metrics are counted and not read.
"""

from typing import Final, NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics

from weft_collector.errors import BodyTooLarge
from weft_collector.wire.edge_counts import METRIC, parse
from weft_collector.wire.weight import check_protobuf

__all__ = ["MOST_BUCKETS", "MOST_POINTS", "Budget", "Metrics", "sort_out"]

MOST_POINTS: Final = 4096
MOST_BUCKETS: Final = 1 << 18


class Budget:
    """How many points and buckets of edge counts may still come in a body.

    Reading them is work for the thread that writes, and a bucket takes a byte in the body and less in a
    compressed one, but some 100 in memory.
    """

    def __init__(self) -> None:
        self._points, self._buckets = MOST_POINTS, MOST_BUCKETS

    def take(self, points: int, buckets: int) -> None:
        """Count some.

        Raises:
            BodyTooLarge: There are too many.
        """
        self._points -= points
        self._buckets -= buckets
        if self._points < 0 or self._buckets < 0:
            raise BodyTooLarge(
                f"The body has more than {MOST_POINTS} points or {MOST_BUCKETS} buckets of {METRIC}; "
                "send fewer in a request."
            )


class Metrics(NamedTuple):
    """What a body of metrics holds.

    Attributes:
        edge_counts: An ExportMetricsServiceRequest in protobuf with the edge counts alone; empty if there are none.
        others: Points of all other metrics.
    """

    edge_counts: bytes
    others: int


def sort_out(body: bytes) -> Metrics:
    """Sort an ExportMetricsServiceRequest in protobuf.

    Raises:
        MalformedBody: It is none.
        BodyTooLarge: It holds too many points of edge counts, or too many parts at all.
    """
    kept = ExportMetricsServiceRequest()
    budget, others, points = Budget(), 0, 0
    check_protobuf(body, "metrics")
    for group in parse(body).resource_metrics:
        metrics = [metric for scope in group.scope_metrics for metric in scope.metrics]
        counts = [metric for metric in metrics if _is_kept(metric)]
        own = sum(map(_points, counts))
        others += sum(map(_points, metrics)) - own
        points += own
        budget.take(own, sum(map(_buckets, counts)))
        if counts:
            kept.resource_metrics.append(_reduced(group, counts))
    return Metrics(kept.SerializeToString() if points else b"", others)


def _is_kept(metric: Metric) -> bool:
    return metric.name == METRIC and metric.WhichOneof("data") == "exponential_histogram"


def _points(metric: Metric) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def _buckets(metric: Metric) -> int:
    points = metric.exponential_histogram.data_points
    return sum(len(point.positive.bucket_counts) + len(point.negative.bucket_counts) for point in points)


def _reduced(group: ResourceMetrics, counts: list[Metric]) -> ResourceMetrics:
    reduced = ResourceMetrics()
    reduced.resource.SetInParent()
    reduced.resource.attributes.extend(group.resource.attributes)
    metrics = reduced.scope_metrics.add().metrics
    for metric in counts:
        one = metrics.add(name=METRIC, unit=metric.unit)
        one.exponential_histogram.CopyFrom(metric.exponential_histogram)
        for point in one.exponential_histogram.data_points:
            point.ClearField("exemplars")
    return reduced
