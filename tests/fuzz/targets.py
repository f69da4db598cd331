"""What is fuzzed: each target takes a body and says in a word what became of it; anything else is a defect.

A new decoder is a row in TARGETS: seed bodies, and a function that returns a verdict and lets any exception
through that is not the decoder's own way of refusing.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

import zstandard
from google.protobuf.json_format import MessageToJson
from isal import igzip, isal_zlib
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.wire import count_factory, otlp_factory, upb_oracle
from tests.collector.wire.otlp_factory import NOW
from tests.fuzz.guarded import Guarded, Side
from weft_collector.errors import CorruptLog, RefusedBody
from weft_collector.query.otlp import json_pieces
from weft_collector.query.traces import RawSpan
from weft_collector.store.blocks import HEADER_BYTES, BlockBuilder
from weft_collector.store.ports import Record
from weft_collector.store.scan import Gap, scan
from weft_collector.wire import edge_counts, jaeger_json, metrics, metrics_json, zipkin_json
from weft_collector.wire import otlp_json as otlp_json_to_protobuf
from weft_collector.wire.compression import inflate
from weft_collector.wire.otlp_protobuf import Decoder

__all__ = ["TARGETS", "Target"]

INFLATED: Final = 1 << 18
BEGINNING: Final = 4
"""Every so many bodies lie behind the unmapped page, the others before it."""
COMPARED: Final = 64
"""Every so many bodies, the decoder's verdict is compared with upb's."""


class Target(NamedTuple):
    """One decoder under attack.

    Attributes:
        seeds: Makes the bodies that are damaged.
        start: Called once in the process that is attacked; returns what is called for each body.
        protobuf: Whether tags and lengths can be found in the seeds.
    """

    seeds: Callable[[], Sequence[bytes]]
    start: Callable[[], Callable[[bytes], str]]
    protobuf: bool = False


def spans_bodies() -> list[bytes]:
    """Small requests as a shop would send them, and one with everything a span can have."""
    return [*otlp_factory.realistic(24, 3, 11), *otlp_factory.realistic(4, 12, 12), everything()]


def everything() -> bytes:
    """A request with events, links, nested values, states and dropped counts."""
    one = otlp_factory.span(
        "everything",
        trace_state="a=1,weft=00000000000001;shop;1",
        attributes={
            "text": "grün",
            "list": [1, "two", 3.0, [True]],
            "map": {"a": {"b": b"\x00\xff"}},
            "number": -1,
            "none": None,
        },
        dropped_attributes_count=3,
        flags=0x101,
    )
    event = one.events.add(time_unix_nano=NOW, name="event", dropped_attributes_count=1)
    event.attributes.extend(otlp_factory.attributes_of({"event.number": 1}))
    one.links.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, trace_state="b=2", flags=1)
    return otlp_factory.request([one], attributes={"host.name": "one", "process.pid": 1})


class _Decoding:
    """The kernel, with bodies against an unmapped page by turns; a sample is compared with upb."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._decoder.warm()
        self._area = Guarded(1 << 18)
        self._number = 0

    def __call__(self, body: bytes) -> str:
        self._number += 1
        side = Side.BEGIN if self._number % BEGINNING == 0 else Side.END
        try:
            self._decoder.decode(self._area.place(body, side), NOW)
            verdict = "taken"
        except RefusedBody:
            verdict = "refused"
        if self._number % COMPARED == 0:
            wanted = "refused" if upb_oracle.parse(body) is None else "taken"
            assert verdict == wanted, f"{verdict}, but upb: {wanted}"
        return verdict


class _Transcoding:
    """A transcoder; what it writes must be taken by the kernel and by upb, with the same number of spans."""

    def __init__(self, transcode: Callable[[bytes], bytes]) -> None:
        self._transcode, self._decoder = transcode, Decoder()

    def __call__(self, body: bytes) -> str:
        try:
            written = self._transcode(body)
        except RefusedBody:
            return "refused"
        decoded, parsed = self._decoder.decode(written, NOW), upb_oracle.parse(written)
        assert parsed is not None, "a transcoder wrote what upb refuses"
        spans = sum(len(scope.spans) for group in parsed.resource_spans for scope in group.scope_spans)
        kept = len(decoded.spans.span_id) + sum(count for _, count in decoded.rejected)
        assert kept == spans, f"{spans} spans were written, {kept} were read"
        return "taken"


def _json_bodies() -> list[bytes]:
    parsed = [ExportTraceServiceRequest.FromString(body) for body in spans_bodies()[-6:]]
    return [b"".join(json_pieces(_raw_spans(message))) for message in parsed]


def _raw_spans(message: ExportTraceServiceRequest) -> Iterator[RawSpan]:
    for group in message.resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                resource, own = group.resource.SerializeToString(), scope.scope.SerializeToString()
                yield RawSpan(span.SerializeToString(), resource, group.schema_url, own, scope.schema_url)


def _zipkin_bodies() -> list[bytes]:
    endpoint = {"serviceName": "cart", "ipv4": "10.0.0.1", "ipv6": "::1", "port": 80}
    span = {
        "traceId": "0" * 15 + "1", "id": "0" * 15 + "2", "parentId": "0" * 15 + "3", "kind": "SERVER",
        "name": "get /cart", "timestamp": NOW // 1000, "duration": 1500, "localEndpoint": endpoint,
        "remoteEndpoint": {"serviceName": "shop"}, "shared": True, "debug": False,
        "annotations": [{"timestamp": NOW // 1000, "value": "a\u00e9"}],
        "tags": {"http.status_code": "200", "error": "true", "otel.scope.name": "s"},
    }  # fmt: skip
    other = span | {"kind": "PRODUCER", "id": "f" * 16, "traceId": "a" * 32}
    return [json.dumps([span]).encode(), json.dumps([span, other]).encode()]


def _jaeger_bodies() -> list[bytes]:
    tags = [
        {"key": "span.kind", "type": "string", "value": "server"},
        {"key": "http.status_code", "type": "int64", "value": 200},
        {"key": "error", "type": "bool", "value": True},
        {"key": "share", "type": "float64", "value": 0.5},
    ]
    span = {
        "traceID": "1" * 32, "spanID": "2" * 16, "operationName": "get", "flags": 1,
        "references": [{"refType": "CHILD_OF", "traceID": "1" * 32, "spanID": "3" * 16}],
        "startTime": NOW // 1000, "duration": 1500, "tags": tags, "processID": "p1", "warnings": None,
        "logs": [{"timestamp": NOW // 1000, "fields": [{"key": "event", "type": "string", "value": "x"}]}],
    }  # fmt: skip
    processes = {"p1": {"serviceName": "cart", "tags": tags[:1]}}
    trace = {"traceID": "1" * 32, "spans": [span], "processes": processes, "warnings": None}
    return [json.dumps({"data": [trace]}).encode(), json.dumps({"data": [trace, trace], "total": 2}).encode()]


def _metrics(sort_out: Callable[[bytes], metrics.Metrics]) -> Callable[[bytes], str]:
    """Sorts a body and reads the edge counts in it; every point of these must be taken or refused."""

    def sorted_out(body: bytes) -> str:
        try:
            found = sort_out(body)
        except RefusedBody:
            return "refused"
        assert metrics.sort_out(found.edge_counts) == (found.edge_counts, 0), "what is kept is not plain"
        read = edge_counts.read(found.edge_counts, NOW)
        points = len(read.points) + sum(count for _, count in read.rejected)
        assert points == count_factory.points_of(found.edge_counts), "points are neither taken nor refused"
        return "edge counts" if read.points else "points refused" if points else "nothing kept"

    return sorted_out


def _metrics_bodies() -> list[ExportMetricsServiceRequest]:
    message = ExportMetricsServiceRequest()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        point = getattr(metrics.add(name=f"some.{kind}"), kind).data_points.add(time_unix_nano=NOW)
        point.attributes.extend(otlp_factory.attributes_of({"service.name": "cart", "n": 1}))
    return [message, count_factory.everything()]


def _inflating(encoding: str) -> Callable[[bytes], str]:
    def inflated(body: bytes) -> str:
        try:
            found = inflate(body, encoding, INFLATED)
        except RefusedBody as error:
            return type(error).__name__
        assert len(found) <= INFLATED
        return "taken"

    return inflated


def _blocks() -> list[bytes]:
    bodies = spans_bodies()[:8]
    blocks = list[bytes]()
    for number, body in enumerate(bodies, start=1):
        builder = BlockBuilder()
        builder.add(Record(1, NOW, 1, body))
        builder.add(Record(number, NOW, 7, body[:number], rejected=1))
        blocks.append(builder.finish(number))
    return [blocks[0], b"".join(blocks[:3]), b"".join(blocks[3:8])]


def _resealed(body: bytes) -> bytes:
    """The first block with right checksums, so that damage gets past them; sizes stay below a MiB."""
    if len(body) < HEADER_BYTES or int.from_bytes(body[20:24], "little") > 1 << 20:
        return body
    size = int.from_bytes(body[24:28], "little")
    head = body[:32] + zlib.crc32(body[HEADER_BYTES : HEADER_BYTES + size]).to_bytes(4, "little")
    return head + zlib.crc32(head).to_bytes(4, "little") + body[HEADER_BYTES:]


class _Bytes:
    """A file in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def close(self) -> None:
        pass


def _scanned(body: bytes) -> str:
    try:
        found = list(scan(_Bytes(body), len(body)))
    except CorruptLog:
        return "of another format"
    assert sum(part.size for part in found) == len(body), "blocks and gaps do not cover the file"
    return "damaged" if any(isinstance(part, Gap) for part in found) else "whole"


def _packed(compress: Callable[[bytes], bytes]) -> list[bytes]:
    return [compress(body) for body in spans_bodies()[:12]]


TARGETS: Final = {
    "otlp_protobuf": Target(spans_bodies, _Decoding, protobuf=True),
    "gzip": Target(partial(_packed, igzip.compress), partial(_inflating, "gzip")),
    "deflate": Target(partial(_packed, isal_zlib.compress), partial(_inflating, "deflate")),
    "zstd": Target(partial(_packed, zstandard.ZstdCompressor().compress), partial(_inflating, "zstd")),
    "otlp_json": Target(_json_bodies, partial(_Transcoding, otlp_json_to_protobuf.transcode)),
    "zipkin_json": Target(_zipkin_bodies, partial(_Transcoding, zipkin_json.transcode)),
    "jaeger_json": Target(_jaeger_bodies, partial(_Transcoding, jaeger_json.transcode)),
    "metrics_protobuf": Target(
        lambda: [message.SerializeToString() for message in _metrics_bodies()],
        partial(_metrics, metrics.sort_out),
        protobuf=True,
    ),
    "metrics_json": Target(
        lambda: [MessageToJson(message).encode() for message in _metrics_bodies()],
        partial(_metrics, metrics_json.sort_out),
    ),
    "log_block": Target(_blocks, lambda: _scanned),
    "log_block_resealed": Target(_blocks, lambda: lambda body: _scanned(_resealed(body))),
}
"""Every decoder by name."""
