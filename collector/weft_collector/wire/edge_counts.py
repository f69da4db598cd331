"""Edge counts: how many calls an instance made or served in a minute, counted by its agent before sampling.

They come as points of one OTLP metric, a delta exponential histogram of scale 4 in nanoseconds. Its buckets
are those of the rollups (`graph/histogram.py`), so counts of instances, minutes and edges sum without loss; in
seconds, the unit that the conventions prefer, every bucket would straddle two of the rollups'. The
format stands in `docs/wire.md`, normative.

A point is taken or refused by itself, by rules that look at nothing but the point, its resource and the
arrival of its body: reading the body again, by the rules of its record, gives the same points. Whatever is not
asked for (sum, extremes, other attributes) may be there; of other attributes only the bytes matter, since they
tell streams apart.

A point is known by its `key`, 64 bits of a hash over its instance, its stream (all attributes, in any order) and
its times. Two points of a minute with one key would count once: with a million points in a minute the chance of
any such pair is 3 in 100 million, and whoever looks for one can only harm counts that are of his own making.
"""

import struct
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple, TypeVar

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    ExponentialHistogramDataPoint,
    Metric,
)

from weft_collector.errors import MalformedBody
from weft_collector.wire.edge_attributes import Calls, Peer, Refused, Sender, refuse, said, sender_of

__all__ = [
    "METRIC",
    "MINUTE_NS",
    "RULES",
    "EdgeCounts",
    "EdgePoint",
    "parse",
    "read",
]

METRIC: Final = "weft.edge.duration"
UNIT: Final = "ns"
SCALE: Final = 4
RULES: Final = 1
"""Version of the rules by which single points are refused; see docs/log-format.md."""

MINUTE_NS: Final = 60_000_000_000
BUCKETS: Final = 992
"""As many as a histogram of the rollups has; number 0 holds 0 and 1 ns, OTLP's index i is number i + 1."""
MOST_CALLS: Final = 1 << 40
FUTURE_NS: Final = 3_600_000_000_000
_NO_VALUE: Final = 1  # a flag of a point


class EdgePoint(NamedTuple):
    """One accepted point.

    Attributes:
        sender: Who counted.
        side: Whose side of the calls that is: caller or callee.
        peer: The other side.
        calls: What sort of calls.
        minute: UTC minute since the epoch in which they started.
        key: Tells the point from all others of its minute.
        buckets: Numbers of the buckets in use, ascending.
        counts: How many calls are in each.
    """

    sender: Sender
    side: str
    peer: Peer
    calls: Calls
    minute: int
    key: int
    buckets: tuple[int, ...]
    counts: tuple[int, ...]


class EdgeCounts(NamedTuple):
    """What a body holds.

    Attributes:
        points: The accepted ones, in the order of the body.
        rejected: Reason and number of those that were refused.
    """

    points: tuple[EdgePoint, ...]
    rejected: tuple[tuple[str, int], ...]


T = TypeVar("T")
R = TypeVar("R")


def parse(body: bytes) -> ExportMetricsServiceRequest:
    """A body as protobuf reads it.

    Raises:
        MalformedBody: It is none, or holds a text that is not UTF-8.
    """
    try:
        return ExportMetricsServiceRequest.FromString(body)
    except DecodeError:
        raise MalformedBody(
            "No OTLP protobuf: no ExportMetricsServiceRequest can be read out of it."
        ) from None


def read(body: bytes, arrived_ns: int, rules: int = RULES) -> EdgeCounts:
    """The edge counts of a body that holds nothing else; the same arguments give the same points.

    Args:
        body: An ExportMetricsServiceRequest in protobuf.
        arrived_ns: When it arrived, ns since the epoch.
        rules: Version of the rules; a record of the log names those that it was accepted by.

    Raises:
        MalformedBody: It is no such request, or the rules are of a newer Weft.
    """
    if rules != RULES:
        raise MalformedBody(f"Edge counts by rules of version {rules}; this Weft knows version {RULES}.")
    points: list[EdgePoint] = []
    rejected: dict[str, int] = {}
    for found in _points(parse(body), arrived_ns):
        if isinstance(found, str):
            rejected[found] = rejected.get(found, 0) + 1
        else:
            points.append(found)
    return EdgeCounts(tuple(points), tuple(rejected.items()))


def _points(request: ExportMetricsServiceRequest, arrived_ns: int) -> Iterator[EdgePoint | str]:
    """Each point, or the reason why it is refused."""
    for group in request.resource_metrics:
        sender = _either(sender_of, group.resource.attributes)
        for metric in (metric for scope in group.scope_metrics for metric in scope.metrics):
            reason = sender if isinstance(sender, str) else _misfit(metric)
            for point in metric.exponential_histogram.data_points:
                if reason or isinstance(sender, str):
                    yield reason
                else:
                    yield _either(_point, _Given(point, sender, arrived_ns))


def _either(make: Callable[[T], R], of: T) -> R | str:
    """What is made, or why it is not."""
    try:
        return make(of)
    except Refused as refused:
        return str(refused)


def _misfit(metric: Metric) -> str:
    """Why no point of a metric is taken; empty if they are."""
    if metric.exponential_histogram.aggregation_temporality != AGGREGATION_TEMPORALITY_DELTA:
        return "not_delta"
    return "" if metric.unit == UNIT else "unit"


# ---- points


class _Given(NamedTuple):
    """A point, and what stands around it."""

    point: ExponentialHistogramDataPoint
    sender: Sender
    arrived_ns: int


def _point(given: _Given) -> EdgePoint:
    point = given.point
    buckets = _buckets(point)
    return EdgePoint(
        given.sender,
        *said(point.attributes),
        _minute(point, given.arrived_ns),
        _key(point, given.sender),
        tuple(buckets),
        tuple(buckets.values()),
    )


def _minute(point: ExponentialHistogramDataPoint, arrived_ns: int) -> int:
    start, end = point.start_time_unix_nano, point.time_unix_nano
    if not 0 < start < end:
        refuse("interval")
    if start // MINUTE_NS != (end - 1) // MINUTE_NS:
        refuse("crosses_minute")
    if end > arrived_ns + FUTURE_NS:
        refuse("future_time")
    return start // MINUTE_NS


def _buckets(point: ExponentialHistogramDataPoint) -> dict[int, int]:
    """The buckets in use by number, ascending."""
    if point.flags & _NO_VALUE:
        refuse("no_value")
    if point.scale != SCALE:
        refuse("scale")
    if len(point.positive.bucket_counts) > BUCKETS or not 0 <= point.zero_threshold <= 1:
        refuse("buckets")
    if any(point.negative.bucket_counts[:BUCKETS]) or len(point.negative.bucket_counts) > BUCKETS:
        refuse("negative")
    found = {0: point.zero_count} if point.zero_count else {}
    for number, count in enumerate(point.positive.bucket_counts, start=point.positive.offset + 1):
        if count:
            found[number] = found.get(number, 0) + count
    if found and not 0 <= min(found) <= max(found) < BUCKETS:
        refuse("buckets")
    if sum(found.values()) != point.count or point.count > MOST_CALLS:
        refuse("count")
    return found


_times: Final = struct.Struct("<QQ").pack
_size: Final = struct.Struct("<I").pack


def _key(point: ExponentialHistogramDataPoint, sender: Sender) -> int:
    own = [text.encode() for text in sender]
    stream = sorted(attribute.SerializeToString(deterministic=True) for attribute in point.attributes)
    parts = b"".join(_size(len(part)) + part for part in (*own, *stream))
    times = _times(point.start_time_unix_nano, point.time_unix_nano)
    return int.from_bytes(blake2b(times + parts, digest_size=8).digest(), "little")
