"""OTLP protobuf bodies to columns: what the rest of the collector calls."""

import numpy as np

from weft_collector.errors import BodyTooLarge, MalformedBody
from weft_collector.wire.columns import Decoded, Resources, Scopes, Spans
from weft_collector.wire.known_keys import RESOURCE_WORDS, SPAN_WORDS
from weft_collector.wire.limits import RULES, Limits
from weft_collector.wire.otlp_index import (
    INDEX_COUNTS,
    INDEX_ROWS,
    SCOPE_OFFSET,
    SCOPE_SCHEMA,
    SPANS,
    Index,
    index_body,
)
from weft_collector.wire.otlp_job import Job
from weft_collector.wire.otlp_resources import read_resources
from weft_collector.wire.otlp_spans import REJECTIONS, read_spans
from weft_collector.wire.peer_host import DECODER_SCRATCH
from weft_collector.wire.protobuf_reader import explain
from weft_collector.wire.strings import Strings

# The 64-bit rows are four ids, start and end; the rows of bytes are kind, status and caller_stale.
_WIDE, _TIMES, _SMALL = 6, 4, 3
_AFTER_CALLER = SPAN_WORDS.index("caller") + 1

#: The reason of spans too short to hold their ids, which the first pass refuses.
TOO_SHORT = "span_too_short"
_REASONS = (TOO_SHORT, *REJECTIONS.values())

# The first rules by which a long value is a reason.
_RULES_OF_VALUES = 2

_FIRST_CAPACITY = 16_384

# A request with one span: enough to compile or load every kernel.
_TINY_BODY = b"\x0a\x20\x12\x1e\x12\x1c" + b"\x0a\x10" + b"\x01" * 16 + b"\x12\x08" + b"\x02" * 8


class _Sheet:
    """The columns of one body while the kernels fill them."""

    def __init__(self, spans: int, resources: int) -> None:
        self.wide = np.empty((_WIDE, spans), np.int64)
        self.words = np.zeros((len(SPAN_WORDS), spans), np.int32)
        self.small = np.zeros((_SMALL, spans), np.uint8)
        self.resources = np.zeros((len(RESOURCE_WORDS), resources), np.int32)

    def spans(self, kept: int) -> Spans:
        """The first `kept` rows as named columns, in the order of the fields of `Spans`."""
        ids, times = self.wide.view(np.uint64)[:_TIMES, :kept], self.wide[_TIMES:, :kept]
        kind, status, stale = self.small[:, :kept]
        words = self.words[:, :kept]
        return Spans._make(
            (*ids, *times, kind, status, *words[:_AFTER_CALLER], stale, *words[_AFTER_CALLER:])
        )


def nothing() -> Decoded:
    """What a body without spans is decoded to, made without a kernel."""
    sheet = _Sheet(0, 0)
    return Decoded(
        spans=sheet.spans(0),
        resources=Resources(*sheet.resources),
        scopes=Scopes(*np.zeros((len(Scopes._fields), 0), np.int32)),
        rejected=(),
    )


class Decoder:
    """Turns OTLP protobuf bodies into columns; keeps one table of texts for all of them.

    Not thread-safe: one writer decodes. The GIL is free while a kernel runs.

    Args:
        limits: what a body and the table of texts may hold.
        seed: of the table's hash; drawn at random by default.

    Attributes:
        strings: the texts behind the ids in all decoded columns.
    """

    def __init__(self, limits: Limits | None = None, seed: int | None = None) -> None:
        self._limits = limits or Limits()
        self.strings = Strings(self._limits, seed)
        self._strings_address = self.strings.address
        self._scratch = np.zeros(DECODER_SCRATCH, np.uint8)
        self._counts = np.zeros(INDEX_COUNTS, np.int64)
        self._tally = np.zeros(len(REJECTIONS) + 1, np.int64)
        self._tally_address = self._tally.ctypes.data
        self._make_index(_FIRST_CAPACITY)

    def _make_index(self, capacity: int) -> None:
        """An index with room for `capacity` spans."""
        self._rows = np.empty((INDEX_ROWS, capacity), np.int32)
        addresses = (self._counts.ctypes.data, self._scratch.ctypes.data)
        self._index = Index(self._rows.ctypes.data, capacity, *addresses)

    def warm(self) -> None:
        """Compile the kernels, or load them from the cache, by decoding a tiny body."""
        self.decode(_TINY_BODY, 0)

    def decode(self, body: bytes, arrived_ns: int, rules: int = RULES) -> Decoded:
        """Decode an inflated body.

        Args:
            body: an ExportTraceServiceRequest; empty is a request without spans.
            arrived_ns: when it arrived, nanoseconds since the epoch; a span may not start much later.
            rules: version of the rules by which spans are refused one by one: for a body out of the log, those
                of its record.

        Raises:
            MalformedBody: no protobuf parser would take it; `position` is where it goes wrong.
            BodyTooLarge: it is longer than the limit for inflated bodies.
        """
        if len(body) > self._limits.inflated_bytes:
            raise BodyTooLarge(f"{len(body)} bytes inflated; the limit is {self._limits.inflated_bytes}.")
        view = np.frombuffer(body or b"\0", np.uint8)
        base = view.ctypes.data
        self._list_spans(base, len(body))
        spans, resources, scopes, _ = self._counts.tolist()
        sheet = _Sheet(spans, resources)
        job = self._job(sheet, arrived_ns, rules)
        self._tally[:] = 0
        _checked(read_resources(base, resources, scopes, job), base)
        kept = _checked(read_spans(base, spans, job), base)
        return self._decoded(sheet, kept)

    def _list_spans(self, base: int, length: int) -> None:
        """Fill the index, growing it first if the body has more spans than ever before."""
        while True:
            self._counts[:] = 0
            _checked(index_body(base, length, self._index), base)
            spans = int(self._counts[SPANS])
            if spans <= self._index.capacity:
                return
            self._make_index(spans)

    def _job(self, sheet: _Sheet, arrived_ns: int, rules: int) -> Job:
        return Job(
            listed=self._index.rows,
            capacity=self._index.capacity,
            stride=sheet.words.shape[1],
            wide=sheet.wide.ctypes.data,
            words=sheet.words.ctypes.data,
            small=sheet.small.ctypes.data,
            resource_stride=sheet.resources.shape[1],
            resources=sheet.resources.ctypes.data,
            strings=self._strings_address,
            scratch=self._index.scratch,
            tally=self._tally_address,
            latest_start=min(arrived_ns + self._limits.future_ns, 2**63 - 1),
            span_bytes=self._limits.span_bytes,
            span_attributes=self._limits.span_attributes,
            value_bytes=self._limits.value_bytes
            if rules >= _RULES_OF_VALUES
            else self._limits.inflated_bytes,
        )

    def _decoded(self, sheet: _Sheet, kept: int) -> Decoded:
        _, _, scopes, short = self._counts.tolist()
        counted = zip(_REASONS, (short, *self._tally[1:].tolist()), strict=True)
        return Decoded(
            spans=sheet.spans(kept),
            resources=Resources(*sheet.resources),
            scopes=Scopes(*self._rows[SCOPE_OFFSET : SCOPE_SCHEMA + 1, :scopes].copy()),
            rejected=tuple((reason, count) for reason, count in counted if count),
        )


def _checked(result: int, base: int) -> int:
    """The result of a kernel that did not fail."""
    if result >= 0:
        return result
    fault, address = explain(result)
    raise MalformedBody(f"No OTLP protobuf: {fault}, at byte {address - base}.", address - base)
