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
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn, TypeVar

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    ExponentialHistogramDataPoint,
    Metric,
)

from weft_collector.errors import MalformedBody

__all__ = [
    "METRIC",
    "MINUTE_NS",
    "RULES",
    "Calls",
    "EdgeCounts",
    "EdgePoint",
    "Peer",
    "Sender",
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
MOST_ATTRIBUTES: Final = 64
MOST_RESOURCE_ATTRIBUTES: Final = 1024
LONGEST_TEXT: Final = 1024
MOST_CALLS: Final = 1 << 40
FUTURE_NS: Final = 3_600_000_000_000
_NO_VALUE: Final = 1  # a flag of a point

SIDES: Final = ("caller", "callee")
CONNECTIONS: Final = ("http", "rpc", "database", "messaging", "other")
OUTCOMES: Final = (
    "ok", "4xx", "5xx", "rpc_client", "rpc_server", "timeout", "refused", "exception",
)  # fmt: skip


class Sender(NamedTuple):
    """The instance that counted, by its resource."""

    service: str
    namespace: str
    environment: str
    instance: str


class Peer(NamedTuple):
    """The other side of the calls.

    Attributes:
        type: A word of docs/wire.md: service, database, channel, external, client or unknown.
        name: Of a service, database or channel; the host of an external peer; else empty.
        namespace: Of a service; None is the sender's own.
        environment: Likewise.
        instance: Of a service, where it is known.
        system: The product behind a database or channel.
        host: Of a database's server.
        port: Of an external peer, 0 where it is not known.
    """

    type: str
    name: str = ""
    namespace: str | None = None
    environment: str | None = None
    instance: str = ""
    system: str = ""
    host: str = ""
    port: int = 0


class Calls(NamedTuple):
    """What sort of calls a point counts."""

    operation: str
    connection: str
    protocol: str
    outcome: str


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


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    """A point that is not taken; the text is the reason."""


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
        sender = _either(_sender, group.resource.attributes)
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
    except _Refused as refused:
        return str(refused)


def _misfit(metric: Metric) -> str:
    """Why no point of a metric is taken; empty if they are."""
    if metric.exponential_histogram.aggregation_temporality != AGGREGATION_TEMPORALITY_DELTA:
        return "not_delta"
    return "" if metric.unit == UNIT else "unit"


# ---- attributes


def _sender(attributes: Iterable[KeyValue]) -> Sender:
    given = _by_key(attributes, MOST_RESOURCE_ATTRIBUTES)
    environment = _text(given, "deployment.environment.name", "deployment.environment")
    return Sender(
        _text(given, "service.name") or _refuse("service"),
        _text(given, "service.namespace"),
        environment,
        _text(given, "service.instance.id") or _refuse("instance"),
    )


def _by_key(attributes: Iterable[KeyValue], most: int) -> dict[str, AnyValue]:
    given: dict[str, AnyValue] = {}
    for number, attribute in enumerate(attributes):
        if number == most:
            _refuse("too_many_attributes")
        given[attribute.key] = attribute.value
    return given


def _refuse(reason: str) -> NoReturn:
    raise _Refused(reason)


def _text(given: Mapping[str, AnyValue], *names: str) -> str:
    """The text of the first of these attributes that is there; empty if none is."""
    return _known_text(given, *names) or ""


def _known_text(given: Mapping[str, AnyValue], *names: str) -> str | None:
    value = next((given[name] for name in names if name in given), None)
    if value is None:
        return None
    if value.WhichOneof("value") != "string_value":
        _refuse("attribute_type")
    text = value.string_value
    if len(text) > LONGEST_TEXT or len(text.encode()) > LONGEST_TEXT:
        _refuse("text_too_long")
    return text


def _port(given: Mapping[str, AnyValue]) -> int:
    value = given.get("server.port")
    if value is None:
        return 0
    if value.WhichOneof("value") != "int_value" or not 0 <= value.int_value < 1 << 16:
        _refuse("attribute_type")
    return value.int_value


def _word(given: Mapping[str, AnyValue], name: str, allowed: tuple[str, ...], reason: str) -> str:
    word = _text(given, name)
    return word if word in allowed else _refuse(reason)


def _named(given: Mapping[str, AnyValue], name: str) -> str:
    return _text(given, name) or _refuse("peer")


def _service(given: Mapping[str, AnyValue]) -> Peer:
    return Peer(
        "service",
        _named(given, "service.peer.name"),
        _known_text(given, "service.peer.namespace"),
        _known_text(given, "weft.peer.environment"),
        _text(given, "weft.peer.instance"),
    )


def _database(given: Mapping[str, AnyValue]) -> Peer:
    host, system = _text(given, "server.address"), _named(given, "db.system.name")
    return Peer("database", _text(given, "db.namespace"), system=system, host=host)


def _channel(given: Mapping[str, AnyValue]) -> Peer:
    name = _named(given, "messaging.destination.name")
    return Peer("channel", name, system=_text(given, "messaging.system"))


def _external(given: Mapping[str, AnyValue]) -> Peer:
    return Peer("external", _named(given, "server.address"), port=_port(given))


def _client(_given: Mapping[str, AnyValue]) -> Peer:
    return Peer("client")


def _unknown(_given: Mapping[str, AnyValue]) -> Peer:
    return Peer("unknown")


_Reader = Callable[[Mapping[str, AnyValue]], Peer]
_PEERS: Final[Mapping[tuple[str, str], _Reader]] = MappingProxyType(
    {
        ("caller", "service"): _service,
        ("caller", "database"): _database,
        ("caller", "channel"): _channel,
        ("caller", "external"): _external,
        ("caller", "unknown"): _unknown,
        ("callee", "service"): _service,
        ("callee", "channel"): _channel,
        ("callee", "client"): _client,
        ("callee", "unknown"): _unknown,
    }
)
"""By the side that counted and the type of the other: how that is named."""


# ---- points


class _Given(NamedTuple):
    """A point, and what stands around it."""

    point: ExponentialHistogramDataPoint
    sender: Sender
    arrived_ns: int


def _point(given: _Given) -> EdgePoint:
    point = given.point
    attributes = _by_key(point.attributes, MOST_ATTRIBUTES)
    side = _word(attributes, "weft.side", SIDES, "side")
    peer = _PEERS.get((side, _text(attributes, "weft.peer.type"))) or _no_peer
    buckets = _buckets(point)
    return EdgePoint(
        given.sender,
        side,
        peer(attributes),
        _calls(attributes),
        _minute(point, given.arrived_ns),
        _key(point, given.sender),
        tuple(buckets),
        tuple(buckets.values()),
    )


def _no_peer(_given: Mapping[str, AnyValue]) -> Peer:
    _refuse("peer")


def _calls(given: Mapping[str, AnyValue]) -> Calls:
    return Calls(
        _text(given, "weft.operation") or _refuse("operation"),
        _word(given, "weft.connection.type", CONNECTIONS, "connection"),
        _text(given, "network.protocol.name"),
        _word(given, "weft.outcome", OUTCOMES, "outcome"),
    )


def _minute(point: ExponentialHistogramDataPoint, arrived_ns: int) -> int:
    start, end = point.start_time_unix_nano, point.time_unix_nano
    if not 0 < start < end:
        _refuse("interval")
    if start // MINUTE_NS != (end - 1) // MINUTE_NS:
        _refuse("crosses_minute")
    if end > arrived_ns + FUTURE_NS:
        _refuse("future_time")
    return start // MINUTE_NS


def _buckets(point: ExponentialHistogramDataPoint) -> dict[int, int]:
    """The buckets in use by number, ascending."""
    if point.flags & _NO_VALUE:
        _refuse("no_value")
    if point.scale != SCALE:
        _refuse("scale")
    if len(point.positive.bucket_counts) > BUCKETS or not 0 <= point.zero_threshold <= 1:
        _refuse("buckets")
    if any(point.negative.bucket_counts[:BUCKETS]) or len(point.negative.bucket_counts) > BUCKETS:
        _refuse("negative")
    found = {0: point.zero_count} if point.zero_count else {}
    for number, count in enumerate(point.positive.bucket_counts, start=point.positive.offset + 1):
        if count:
            found[number] = found.get(number, 0) + count
    if found and not 0 <= min(found) <= max(found) < BUCKETS:
        _refuse("buckets")
    if sum(found.values()) != point.count or point.count > MOST_CALLS:
        _refuse("count")
    return found


_times: Final = struct.Struct("<QQ").pack
_size: Final = struct.Struct("<I").pack


def _key(point: ExponentialHistogramDataPoint, sender: Sender) -> int:
    own = [text.encode() for text in sender]
    stream = sorted(attribute.SerializeToString(deterministic=True) for attribute in point.attributes)
    parts = b"".join(_size(len(part)) + part for part in (*own, *stream))
    times = _times(point.start_time_unix_nano, point.time_unix_nano)
    return int.from_bytes(blake2b(times + parts, digest_size=8).digest(), "little")
