"""Spans as OTLP again: protobuf with the very bytes that came in, or JSON.

Both are written piece by piece. Pieces of protobuf are whole TracesData messages, and messages put one behind
the other are one message to every parser. Within a piece spans are grouped by resource and scope, in the order
in which these first came; most traces are one piece.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from weft_collector.query.otlp_document import plain
from weft_collector.query.traces import RawSpan

__all__ = ["json_pieces", "protobuf_pieces"]

PIECE_SPANS: Final = 2048
PIECE_BYTES: Final = 8 << 20

_Groups = dict[tuple[bytes, str], dict[tuple[bytes, str], list[bytes]]]


def protobuf_pieces(spans: Iterable[RawSpan]) -> Iterator[bytes]:
    """A TracesData message in pieces; the bytes of spans, resources and scopes are those that were sent."""
    return (_traces_data(groups) for groups in _pieces(spans))


def json_pieces(spans: Iterable[RawSpan]) -> Iterator[bytes]:
    """OTLP JSON in pieces of one document."""
    start = '{"resourceSpans":['
    for groups in _pieces(spans):
        data = plain(TracesData.FromString(_traces_data(groups)))
        items = (json.dumps(item, separators=(",", ":"), allow_nan=False) for item in data["resourceSpans"])
        yield (start + ",".join(items)).encode()
        start = ","
    yield (b"]}" if start == "," else b'{"resourceSpans":[]}')


def _pieces(spans: Iterable[RawSpan]) -> Iterator[_Groups]:
    groups: _Groups = {}
    count = size = 0
    for span, resource, resource_schema, scope, scope_schema in spans:
        scopes = groups.setdefault((resource, resource_schema), {})
        scopes.setdefault((scope, scope_schema), []).append(span)
        count, size = count + 1, size + len(span)
        if count >= PIECE_SPANS or size >= PIECE_BYTES:
            yield groups
            groups = {}
            count = size = 0
    if groups:
        yield groups


def _traces_data(groups: _Groups) -> bytes:
    return b"".join(_field(1, _resource_spans(*group)) for group in groups.items())


def _resource_spans(of: tuple[bytes, str], scopes: dict[tuple[bytes, str], list[bytes]]) -> bytes:
    resource, schema = of
    parts = [_field(1, resource), *(_field(2, _scope_spans(*group)) for group in scopes.items())]
    return b"".join([*parts, _text(3, schema)])


def _scope_spans(of: tuple[bytes, str], spans: list[bytes]) -> bytes:
    scope, schema = of
    return b"".join([_field(1, scope), *(_field(2, span) for span in spans), _text(3, schema)])


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode()) if text else b""


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited field."""
    length, head = len(payload), bytearray([number << 3 | 2])
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + payload
