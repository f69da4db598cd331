"""Entry points for fuzzing the transcoders, one for each: bytes in, and nothing but a refusal may come out.

    ENTRIES["otlp_json"](body)

raises AssertionError (or whatever a defect raises) if the body is neither refused as RefusedBody nor turned into
bytes that the kernel decoder and upb both take. `mutated` makes bodies out of sound ones.
"""

from collections.abc import Callable
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.wire.otlp_factory import NOW
from weft_collector.errors import RefusedBody
from weft_collector.wire import edge_counts, jaeger_json, metrics, metrics_json, otlp_json, zipkin_json
from weft_collector.wire.other_signals import count_log_records
from weft_collector.wire.otlp_protobuf import Decoder

DECODER = Decoder()
TOKENS = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-1", b"1e999", b"0.5", b'""', b"\xff",
    b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b'"NaN"', b"99999999999999999999", b"{}", b"[]", b"\n", b"\xc3\xa9",
    b'"stringValue"', b'"intValue"', b'"arrayValue"', b'"kvlistValue"', b'"bytesValue"', b'"values"', b'"spanId"',
]  # fmt: skip


def _transcoded(transcode: Callable[[bytes], bytes]) -> Callable[[bytes], bool]:
    """Whether a body was taken."""

    def entry(body: bytes) -> bool:
        try:
            written = transcode(body)
        except RefusedBody:
            return False
        decoded = DECODER.decode(written, NOW)
        message = ExportTraceServiceRequest.FromString(written)
        spans = sum(len(scope.spans) for group in message.resource_spans for scope in group.scope_spans)
        assert len(decoded.spans.span_id) + sum(count for _, count in decoded.rejected) == spans
        return True

    return entry


def _logs(body: bytes) -> bool:
    try:
        return count_log_records(body, is_json=True) >= 0
    except RefusedBody:
        return False


def _metrics(body: bytes) -> bool:
    try:
        found = metrics_json.sort_out(body)
    except RefusedBody:
        return False
    again = metrics.sort_out(found.edge_counts)
    assert again == (found.edge_counts, 0)
    edge_counts.read(found.edge_counts, NOW)
    return True


ENTRIES = {
    "otlp_json": _transcoded(otlp_json.transcode),
    "zipkin_json": _transcoded(zipkin_json.transcode),
    "jaeger_json": _transcoded(jaeger_json.transcode),
    "metrics_json": _metrics,
    "logs_json": _logs,
}


def mutated(body: bytes, dice: Random) -> bytes:
    """A body with a few bytes flipped, parts cut, doubled or exchanged, and tokens put in."""
    changed = bytearray(body)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at, length = dice.randrange(len(changed) + 1), dice.choice((1, 2, 8, 40))
        part = changed[at : at + length]
        changed[at : at + length] = dice.choice(
            (
                b"",
                part * 2,
                dice.choice(TOKENS),
                bytes(byte ^ 1 << dice.randrange(8) for byte in part[:1]) + part[1:],
            )
        )
    return bytes(changed)
