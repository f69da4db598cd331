"""Reading files of spans, of any size, in pieces of a few megabytes; what is in them becomes OTLP protobuf.

A JSON document is one value, and a file may hold gigabytes of it. So the document is cut before it is parsed: a
scan for brackets outside of texts finds the objects at a certain depth (resource spans, Zipkin spans, Jaeger
traces), whole documents one behind the other included, as the OpenTelemetry Collector's file exporter writes
them, one a line. Some of these objects at a time are put into an envelope and transcoded as any request is.
Protobuf is cut likewise: between the fields of the request, or where a length of four bytes stands before each
request, as the same exporter writes with `format: proto`.

Memory is bounded by the largest single object, and that by `LARGEST`.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import BinaryIO, Final, NamedTuple

from weft_collector.errors import BodyTooLarge, MalformedBody
from weft_collector.wire import jaeger_json, otlp_json, zipkin_json

__all__ = ["FORMATS", "LARGEST", "batches", "detect", "inflated"]

LARGEST: Final = 64 << 20
"""Most bytes of one object, and of one request."""
BATCH: Final = 4 << 20
_CHUNK: Final = 1 << 18
_TOKENS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|"', re.DOTALL)
_GZIP: Final = b"\x1f\x8b"
_FIELD: Final = 0x0A  # resource_spans of a request


class _Json(NamedTuple):
    """How a JSON format is cut and put together again.

    Attributes:
        depth: How many brackets are open around its objects.
        envelope: What stands before and behind objects that are parted by commas.
        transcode: The document to protobuf.
    """

    depth: int
    envelope: tuple[bytes, bytes]
    transcode: Callable[[bytes], bytes]


_JSON: Final[Mapping[str, _Json]] = MappingProxyType(
    {
        "otlp-json": _Json(2, (b'{"resourceSpans":[', b"]}"), otlp_json.transcode),
        "zipkin-json": _Json(1, (b"[", b"]"), zipkin_json.transcode),
        "jaeger-json": _Json(2, (b'{"data":[', b"]}"), jaeger_json.transcode),
    }
)
FORMATS: Final = (*_JSON, "otlp-protobuf")


def inflated(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file in chunks, gzip undone."""
    first = file.read(_CHUNK)
    if not first.startswith(_GZIP):
        yield from _chunks(first, file)
        return
    inflater = zlib.decompressobj(wbits=31)
    try:
        for chunk in _chunks(first, file):
            rest = chunk
            while rest:
                yield inflater.decompress(rest, _CHUNK)
                rest = inflater.unconsumed_tail
                if inflater.eof:
                    rest, inflater = inflater.unused_data, zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise MalformedBody(f"The gzip file is damaged ({error}).") from None


def _chunks(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    chunk = first
    while chunk:
        yield chunk
        chunk = file.read(_CHUNK)


def detect(head: bytes) -> str:
    """The format of a file, by its first bytes.

    Raises:
        MalformedBody: It looks like none of the formats.
    """
    text = head.lstrip()
    if text.startswith(b"["):
        return "zipkin-json"
    if text.startswith(b"{"):
        is_jaeger = re.search(rb'"(resourceSpans|resource_spans)"|"(data|processes|traceID)"', text)
        return "jaeger-json" if is_jaeger and is_jaeger[2] else "otlp-json"
    if head[:1] == b"\x0a" or (head[:1] == b"\0" and head[4:5] == b"\x0a"):
        return "otlp-protobuf"
    raise MalformedBody(f"This looks like none of {', '.join(FORMATS)}; say which it is with --format.")


def batches(chunks: Iterable[bytes], name: str | None) -> Iterator[bytes]:
    """Requests in OTLP protobuf out of a file.

    Args:
        chunks: Its bytes.
        name: Its format out of FORMATS; None to find out.

    Raises:
        MalformedBody: It is not what it should be.
        BodyTooLarge: A single object of it is too large.
    """
    left = iter(chunks)
    head = next(left, b"")
    if not head:
        return iter(())
    chosen = name or detect(head)
    if chosen in _JSON:
        return _json_batches(_joined(head, left), _JSON[chosen])
    return _protobuf_batches(_Bytes(_joined(head, left)))


def _joined(head: bytes, left: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from left


# ---- JSON


def _json_batches(chunks: Iterator[bytes], form: _Json) -> Iterator[bytes]:
    before, behind = form.envelope
    for objects in _grouped(_objects(chunks, form.depth)):
        yield form.transcode(before + b",".join(objects) + behind)


def _grouped(parts: Iterable[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for part in parts:
        group.append(part)
        size += len(part)
        if size >= BATCH:
            yield group
            group, size = [], 0
    if group:
        yield group


def _objects(chunks: Iterator[bytes], wanted: int) -> Iterator[bytes]:
    """The objects with `wanted` brackets around them, one after the other."""
    scan = _Scan(wanted)
    for chunk in chunks:
        yield from scan.take(chunk)
    scan.check_end()


class _Scan:
    """Finds objects in a document that comes in chunks; looks at each byte about once."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._depth = 0
        self._held = b""
        self._looked = 0  # bytes of `_held` that were looked at
        self._start: int | None = None

    def take(self, chunk: bytes) -> Iterator[bytes]:
        self._held += chunk
        for token in _TOKENS.finditer(self._held, self._looked):
            text = token[0]
            if text == b'"':  # a text that ends in a later chunk
                self._looked = token.start()
                break
            self._looked = token.end()
            if text in b"{[":
                self._open(token.start(), text)
            elif text in b"}]":
                yield from self._close(token.end())
        else:
            self._looked = len(self._held)
        self._forget()

    def _open(self, at: int, bracket: bytes) -> None:
        if self._depth == self._wanted and bracket == b"{":
            self._start = at
        self._depth += 1

    def _close(self, at: int) -> Iterator[bytes]:
        self._depth -= 1
        if self._depth < 0:
            raise MalformedBody("The file is not JSON: a bracket closes that was not opened.")
        if self._depth == self._wanted and self._start is not None:
            yield self._held[self._start : at]
            self._start = None

    def _forget(self) -> None:
        kept = self._looked if self._start is None else self._start
        self._held, self._looked = self._held[kept:], self._looked - kept
        if self._start is not None:
            self._start = 0
        if len(self._held) > LARGEST:
            raise _too_large()

    def check_end(self) -> None:
        if self._depth or self._held.strip():
            raise MalformedBody("The file ends in the middle of a JSON document.")


# ---- protobuf


class _Bytes:
    """Bytes in chunks, taken by number."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""

    def peek(self, count: int) -> bytes:
        """So many bytes, or fewer at the end; they stay."""
        while len(self._held) < count:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._held += chunk
        return self._held[:count]

    def take(self, count: int) -> bytes:
        """Exactly so many bytes."""
        if count > LARGEST:
            raise _too_large()
        found = self.peek(count)
        if len(found) < count:
            raise MalformedBody("The file ends in the middle of a protobuf message.")
        self._held = self._held[count:]
        return found


def _protobuf_batches(source: _Bytes) -> Iterator[bytes]:
    if source.peek(1) == b"\0":
        return _prefixed(source)
    return (b"".join(fields) for fields in _grouped(_fields(source)))


def _prefixed(source: _Bytes) -> Iterator[bytes]:
    while source.peek(1):
        yield source.take(int.from_bytes(source.take(4), "big"))


def _fields(source: _Bytes) -> Iterator[bytes]:
    while source.peek(1):
        head = source.peek(6)
        size, width = _length(head[1:])
        if head[0] != _FIELD or not width:
            raise MalformedBody(
                "The file is no OTLP protobuf: something else than resource spans stands in it."
            )
        yield source.take(1 + width + size)


def _length(digits: bytes) -> tuple[int, int]:
    """A varint and how many bytes it takes; 0 bytes if it does not end."""
    value = 0
    for width, digit in enumerate(digits, start=1):
        value |= (digit & 0x7F) << 7 * (width - 1)
        if digit < 0x80:
            return value, width
    return 0, 0


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(
        f"One object of the file has more than {LARGEST} bytes; export fewer spans at a time."
    )
