"""A body of metrics in OTLP JSON, sorted as `metrics.py` sorts one in protobuf, into the same bytes.

Rules and reading are those of `otlp_json.py`. Points of metrics that are not kept stay unread.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

import msgspec

from weft_collector.errors import BodyTooLarge
from weft_collector.wire.edge_counts import METRIC
from weft_collector.wire.json_reading import (
    UINT32,
    Number,
    WrongValue,
    floating,
    inside,
    read,
    read_part,
    whole,
)
from weft_collector.wire.metrics import Budget, Metrics
from weft_collector.wire.otlp_json_values import Attributes, Text
from weft_collector.wire.otlp_writer import count, enum, field, moment, optional, varint
from weft_collector.wire.weight import check_json

__all__ = ["sort_out"]

_WHAT: Final = "OTLP JSON"
_INT32: Final = 2**31
_LONGEST_POINT: Final = 1 << 20
_double: Final = struct.Struct("<d").pack
Raws = list[msgspec.Raw] | None
T = TypeVar("T")

_TEMPORALITIES: Final = {
    f"AGGREGATION_TEMPORALITY_{name}": number
    for number, name in enumerate(("UNSPECIFIED", "DELTA", "CUMULATIVE"))
}


class _Base(msgspec.Struct, gc=False, rename="camel"):
    """A message; a field that has another name in the protocol file occurs a second time as `snake_...`."""


class _Points(_Base):
    aggregation_temporality: Number = None
    data_points: Raws = None
    snake_aggregation_temporality: Number = msgspec.field(default=None, name="aggregation_temporality")
    snake_data_points: Raws = msgspec.field(default=None, name="data_points")


class _Metric(_Base):
    name: Text = None
    unit: Text = None
    gauge: _Points | None = None
    sum: _Points | None = None
    histogram: _Points | None = None
    exponential_histogram: _Points | None = None
    summary: _Points | None = None
    snake_exponential_histogram: _Points | None = msgspec.field(default=None, name="exponential_histogram")


class _ScopeMetrics(_Base):
    metrics: list[_Metric] | None = None


class _Resource(_Base):
    attributes: Raws = None


class _ResourceMetrics(_Base):
    resource: _Resource | None = None
    scope_metrics: list[_ScopeMetrics] | None = None
    snake_scope_metrics: list[_ScopeMetrics] | None = msgspec.field(default=None, name="scope_metrics")


class _Request(_Base):
    resource_metrics: list[_ResourceMetrics] | None = None
    snake_resource_metrics: list[_ResourceMetrics] | None = msgspec.field(
        default=None, name="resource_metrics"
    )


_Counts = list[int | float | str] | None


class _Buckets(_Base):
    offset: Number = None
    bucket_counts: _Counts = None
    snake_bucket_counts: _Counts = msgspec.field(default=None, name="bucket_counts")


class _Point(_Base):
    attributes: Raws = None
    start_time_unix_nano: Number = None
    time_unix_nano: Number = None
    count: Number = None
    sum: Number = None
    scale: Number = None
    zero_count: Number = None
    positive: _Buckets | None = None
    negative: _Buckets | None = None
    flags: Number = None
    min: Number = None
    max: Number = None
    zero_threshold: Number = None
    snake_start_time_unix_nano: Number = msgspec.field(default=None, name="start_time_unix_nano")
    snake_time_unix_nano: Number = msgspec.field(default=None, name="time_unix_nano")
    snake_zero_count: Number = msgspec.field(default=None, name="zero_count")
    snake_zero_threshold: Number = msgspec.field(default=None, name="zero_threshold")


_REQUEST: Final = msgspec.json.Decoder(_Request)
_POINT: Final = msgspec.json.Decoder(_Point)


def sort_out(body: bytes) -> Metrics:
    """Sort an ExportMetricsServiceRequest in JSON.

    Raises:
        MalformedBody: It is none.
        BodyTooLarge: It holds too many points of edge counts, or too many parts at all.
    """
    check_json(body)
    request = read(_REQUEST, body, _WHAT)
    try:
        return _Sorting().request(request)
    except WrongValue as error:
        raise inside(_WHAT, error) from None


class _Sorting:
    """Sorts one body; remembers the attributes that repeat in it."""

    def __init__(self) -> None:
        self._of_resources = Attributes(b"\x0a", 3)
        self._of_points = Attributes(b"\x0a", 6)
        self._others = self._kept = 0
        self._budget = Budget()

    def request(self, request: _Request) -> Metrics:
        groups = _either(request.resource_metrics, request.snake_resource_metrics) or []
        kept = [part for part in _each("resourceMetrics", self._group, groups) if part]
        written = b"".join([field(b"\x0a", part) for part in kept])
        return Metrics(written if self._kept else b"", self._others)

    def _group(self, group: _ResourceMetrics) -> bytes:
        """A group with its edge counts alone; empty if it has none."""
        scopes = _either(group.scope_metrics, group.snake_scope_metrics) or []
        found = [part for part in _each("scopeMetrics", self._scope, scopes) if part]
        if not found:
            return b""
        resource: list[bytes] = []
        if group.resource is not None and group.resource.attributes is not None:
            _at(".resource", lambda raws: self._of_resources.add(raws, resource), group.resource.attributes)
        return field(b"\x0a", b"".join(resource)) + field(b"\x12", b"".join(found))

    def _scope(self, scope: _ScopeMetrics) -> bytes:
        """The edge counts among a scope's metrics."""
        parts = [part for part in _each("metrics", self._metric, scope.metrics or []) if part]
        return b"".join([field(b"\x12", part) for part in parts])

    def _metric(self, metric: _Metric) -> bytes:
        """A metric that is kept; empty if it is not."""
        kept = _edge_counts(metric)
        self._others += _points(metric, kept)
        if kept is None:
            return b""
        content = _at(".exponentialHistogram", self._histogram, kept)
        return optional(b"\x0a", METRIC) + optional(b"\x1a", metric.unit) + field(b"\x52", content)

    def _histogram(self, kept: _Points) -> bytes:
        raws = _either(kept.data_points, kept.snake_data_points) or []
        self._kept += len(raws)
        self._budget.take(len(raws), 0)
        parts = [field(b"\x0a", point) for point in _each("dataPoints", self._point, raws)]
        temporality = _either(kept.aggregation_temporality, kept.snake_aggregation_temporality)
        return b"".join(parts) + enum(b"\x10", _at(".aggregationTemporality", _temporality, temporality))

    def _point(self, raw: msgspec.Raw) -> bytes:
        text = bytes(raw)
        if len(text) > _LONGEST_POINT:
            raise BodyTooLarge(f"A point of {METRIC} has more than {_LONGEST_POINT} bytes.")
        point = read_part(_POINT, text)
        self._budget.take(0, _bucket_count(point.positive) + _bucket_count(point.negative))
        parts: list[bytes] = []
        self._of_points.add(point.attributes or [], parts)
        start = _either(point.start_time_unix_nano, point.snake_start_time_unix_nano)
        time = _either(point.time_unix_nano, point.snake_time_unix_nano)
        zeros = _either(point.zero_count, point.snake_zero_count)
        threshold = _either(point.zero_threshold, point.snake_zero_threshold)
        parts += (
            moment(b"\x11", _at(".startTimeUnixNano", whole, start)),
            moment(b"\x19", _at(".timeUnixNano", whole, time)),
            moment(b"\x21", _at(".count", whole, point.count)),
            _at(".sum", _present(b"\x29"), point.sum),
            _signed(b"\x30", _at(".scale", _int32, point.scale)),
            moment(b"\x39", _at(".zeroCount", whole, zeros)),
            _at(".positive", _buckets(b"\x42"), point.positive),
            _at(".negative", _buckets(b"\x4a"), point.negative),
            count(b"\x50", _at(".flags", _uint32, point.flags)),
            _at(".min", _present(b"\x61"), point.min),
            _at(".max", _present(b"\x69"), point.max),
            _at(".zeroThreshold", _nonzero(b"\x71"), threshold),
        )
        return b"".join(parts)


def _edge_counts(metric: _Metric) -> _Points | None:
    """The points of a metric that is kept."""
    return (
        _either(metric.exponential_histogram, metric.snake_exponential_histogram)
        if metric.name == METRIC
        else None
    )


def _points(metric: _Metric, kept: _Points | None) -> int:
    """How many points a metric has beside those that are kept."""
    kinds = (
        metric.gauge,
        metric.sum,
        metric.histogram,
        _either(metric.exponential_histogram, metric.snake_exponential_histogram),
        metric.summary,
    )
    others = [kind for kind in kinds if kind is not None and kind is not kept]
    return sum(len(kind.data_points or kind.snake_data_points or ()) for kind in others)


# ---- single values


def _either(camel: T | None, snake: T | None) -> T | None:
    """A field by the name that is there."""
    return snake if camel is None else camel


def _int32(value: Number) -> int:
    return whole(value, -_INT32, _INT32 - 1)


def _uint32(value: Number) -> int:
    return whole(value, 0, UINT32)


def _temporality(value: Number) -> int:
    known = _TEMPORALITIES.get(value) if isinstance(value, str) else None
    return _int32(value) if known is None else known


def _signed(before: bytes, number: int) -> bytes:
    """A field of sint32, or nothing for 0."""
    return count(before, number << 1 if number >= 0 else (-number << 1) - 1)


def _present(before: bytes) -> Callable[[Number], bytes]:
    """A field that is written even if it is 0, and not if it is absent."""
    return lambda value: b"" if value is None else before + _double(floating(value))


def _nonzero(before: bytes) -> Callable[[Number], bytes]:
    """A field that is written if any of its bits is set."""

    def write(value: Number) -> bytes:
        bits = _double(0.0 if value is None else floating(value))
        return before + bits if any(bits) else b""

    return write


def _bucket_count(buckets: _Buckets | None) -> int:
    return 0 if buckets is None else len(buckets.bucket_counts or buckets.snake_bucket_counts or ())


def _buckets(before: bytes) -> Callable[[_Buckets | None], bytes]:
    def write(buckets: _Buckets | None) -> bytes:
        if buckets is None:
            return b""
        counts = _either(buckets.bucket_counts, buckets.snake_bucket_counts) or []
        packed = b"".join([varint(number) for number in _each("bucketCounts", whole, counts)])
        content = _signed(b"\x08", _at(".offset", _int32, buckets.offset))
        return field(before, content + (field(b"\x12", packed) if packed else b""))

    return write


# ---- where something stood


def _at(step: str, write: Callable[[Any], T], value: Any) -> T:
    try:
        return write(value)
    except WrongValue as error:
        raise error.at(step) from None


def _each(name: str, write: Callable[[Any], T], items: Iterable[Any]) -> Iterator[T]:
    """What is made of each item, one after the other."""
    for number, item in enumerate(items):
        yield _at(f".{name}[{number}]", write, item)
