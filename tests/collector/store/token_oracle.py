"""What tokens a request has, written from the texts over upb's messages, slowly and plainly."""

import math
import struct
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

WORD = (1 << 64) - 1
KEY_SEED, FACTOR, DOUBLE = 0x5DEECE66D1CE4E5B, 0x1F83D9ABFB41BD6B, 0x2545F4914F6CDD1D


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def fold(left: int, right: int) -> int:
    return left * right >> 64 ^ left * right & WORD


def hashed(data: bytes, seed: int) -> int:
    value, length = seed + len(data) & WORD, len(data)

    def mixed(first: bytes, second: bytes) -> int:
        return fold(_number(first) ^ FACTOR, _number(second) ^ value)

    if length >= 16:
        for at in range(0, length - 16, 16):
            value = mixed(data[at : at + 8], data[at + 8 : at + 16])
        return mixed(data[-16:-8], data[-8:])
    if length >= 8:
        return mixed(data[:8], data[-8:])
    if length >= 4:
        return mixed(data[:4] + data[-4:], b"")
    return mixed(bytes([data[0], data[length >> 1], data[-1]]) if data else b"", b"")


def token(key: str, value: str | float) -> int:
    seed = hashed(key.encode(), KEY_SEED)
    if isinstance(value, str):
        return hashed(value.encode(), seed)
    one = math.nan if math.isnan(value) else value + 0.0
    return hashed(struct.pack("<d", one), seed ^ DOUBLE)


def scalar_of(value: AnyValue) -> str | float | None:
    """The value as a search compares it, None for one that cannot be searched for."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return str(value.int_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "double_value":
            return value.double_value
        case _:
            return None


def attributes(found: list[KeyValue]) -> Iterator[tuple[str, str | float]]:
    for one in found:
        array = one.value.array_value.values if one.value.HasField("array_value") else ()
        scalars = [scalar_of(value) for value in (one.value, *array)]
        yield from ((one.key, scalar) for scalar in scalars if scalar is not None)


def searchable(message: ExportTraceServiceRequest) -> Iterator[tuple[str, str | float]]:
    """Keys and values of everything in a request that can be searched for."""
    for group in message.resource_spans:
        yield from attributes(group.resource.attributes)
        for span in (span for scope in group.scope_spans for span in scope.spans):
            yield from attributes(span.attributes)
            yield from [("name", span.name)] * bool(span.name)
            for event in span.events:
                yield from attributes(event.attributes)
                yield from [("event.name", event.name)] * bool(event.name)
