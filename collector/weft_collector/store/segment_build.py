"""Making a segment: from the rows of one log file, and its blocks, to the bytes of its files.

A pure function of the log file and of the older tables, so that a rebuild makes the same. Spans that stand in
the file, or in an older table, already are left out (rule 1 of docs/graph-rules.md). The rows are sorted by the
low half of the trace id and, within a trace, by the order of the log; so a trace is one run of rows.

Parquet, measured over 1 Mi spans: ids are random, so they are stored plain and uncompressed; texts have
dictionaries; 16 Ki rows a group keep a lookup small. The page checksums are for `weft verify`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from isal.isal_zlib import crc32
from numpy.typing import NDArray
from pyarrow import parquet

from weft_collector.store import bloom
from weft_collector.store.arrow_bytes import table_bytes
from weft_collector.store.block_tokens import BlockTokens
from weft_collector.store.blocks import body_slice
from weft_collector.store.dictionaries import DictionaryBuilder
from weft_collector.store.identity import SIDES, Identity, Owners, OwnerTexts, distinct
from weft_collector.store.relatives import Elder, Elders
from weft_collector.store.scan import Block
from weft_collector.store.segment_index import index_bytes
from weft_collector.store.sidecar import Sidecar
from weft_collector.store.span_columns import Texts, arrow_columns
from weft_collector.store.summary import summary_of
from weft_collector.store.token_filters import TokenFilters
from weft_collector.store.unsealed import Runs, SpanRows

__all__ = ["ROW_GROUP", "Built", "Older", "build_segment", "identity_of", "repeated", "warm_segments"]

ROW_GROUP: Final = 16_384
_TRACE_BITS: Final = 20  # bits a trace id in the bloom filter
_FOOTER_ROOM: Final = 16 << 20
_PLAIN: Final = ("TraceId", "SpanId", "ParentSpanId", "Timestamp", "Duration", "Offset", "Length")

Words = NDArray[np.uint64]


class Older(Protocol):
    """A table of older spans, asked which of some spans it has."""

    @property
    def number(self) -> int:
        """Of its log file."""
        ...

    def holding(self, traces: Words) -> NDArray[np.bool_]:
        """Which of these distinct traces (low halves) have spans here."""
        ...

    def identities(self, traces: Words) -> Identity:
        """The identities of the spans of these traces, which it holds."""
        ...


class OlderSegment(Older, Elder, Protocol):
    """A segment of older spans."""


class Built(NamedTuple):
    """A segment's files, and what the manifest says of it.

    Attributes:
        spans: The Parquet file.
        lookup: The index file.
        rows: Distinct spans.
        duplicates: Spans left out.
        relatives: By number of an older table, the traces (low halves) that both have spans of.
        elders: In which log files these traces began.
        earliest_ns: Earliest start, 0 without rows.
        latest_ns: Latest start.
        table: The rows that are in `spans`.
    """

    spans: memoryview
    lookup: bytes
    rows: int
    duplicates: int
    relatives: Mapping[int, Words]
    elders: Elders
    earliest_ns: int
    latest_ns: int
    table: pa.Table


def build_segment(
    rows: SpanRows, blocks: Iterable[Block], texts: Texts, older: Sequence[OlderSegment]
) -> Built:
    """Make the segment of a log file.

    Args:
        rows: Its spans in the order of the log.
        blocks: Its blocks.
        texts: The texts behind the ids in `rows`.
        older: All older segments.
    """
    again, relatives = repeated(identity_of(rows, texts), older)
    sections = _Sections(rows, texts)
    for block in blocks:
        sections.take(block)
    order = np.argsort(rows.columns["trace_lo"], kind="stable")
    sorted_rows = rows.take(order[~again[order]])
    sidecar = Sidecar.of(sorted_rows.columns["trace_lo"])
    table = arrow_columns(sorted_rows, sections.ids, texts)
    spans = parquet_bytes(table)
    elders = Elders.of(older, relatives)
    index = {
        "spans": crc32(spans).to_bytes(4, "little"),  # Parquet has no checksum of its footer
        "bloom": bloom.build(sidecar.ids, _TRACE_BITS).tobytes(),
        "traces": sidecar.to_bytes(),
        "summary": table_bytes(summary_of(table)),
        "elders": elders.to_bytes(),
        **sections.to_bytes(),
    }
    facts = table.num_rows, int(again.sum()), relatives, elders
    return Built(spans, index_bytes(index), *facts, *_times(sorted_rows), table)


def warm_segments() -> None:
    """Compile the kernels that segments are made with, or load them from the cache."""
    one = np.ones(1, np.uint64)
    distinct(Identity(one, one, one, np.zeros(1, np.uint8)))
    bloom.held(BlockTokens().filter(b""), one)


def _times(rows: SpanRows) -> tuple[int, int]:
    """The earliest and the latest start; 0 without rows."""
    start = rows.columns["start"]
    return (int(start.min()), int(start.max())) if len(start) else (0, 0)


def parquet_bytes(table: "pa.Table") -> memoryview:
    """The table as a Parquet file.

    It is written into a buffer of more than its size, of which only what is written takes memory: one that grows
    would be copied again and again.
    """
    room = pa.allocate_buffer(2 * table.nbytes + _FOOTER_ROOM)
    sink = pa.FixedSizeBufferWriter(room)
    packed = [name for name in table.column_names if name not in _PLAIN]
    parquet.write_table(
        table, sink, row_group_size=ROW_GROUP, use_dictionary=packed, write_statistics=["Timestamp", "Duration"],
        compression={name: "NONE" if name in _PLAIN[:3] else "ZSTD" for name in table.column_names},
        compression_level={name: 1 for name in table.column_names if name not in _PLAIN[:3]},
        store_schema=True, write_page_checksum=True,
    )  # fmt: skip
    size = sink.tell()
    sink.close()
    return memoryview(room)[:size]


def identity_of(rows: SpanRows, texts: Texts) -> Identity:
    """The identity of each row."""
    runs, c = rows.runs, rows.columns
    owner = Owners(texts.text).of(OwnerTexts(*(runs[name] for name in OwnerTexts._fields)))
    return Identity(c["trace_lo"], c["span_id"], owner[rows.run], SIDES[c["kind"]])


def repeated(identity: Identity, older: Sequence[Older]) -> tuple[NDArray[np.bool_], dict[int, Words]]:
    """Which of some spans, given in the order of the log, stand earlier already: among themselves, or in older tables.

    Returns:
        The spans; and by number of an older table the traces that it has of theirs.
    """
    again = _again(identity)
    traces = np.unique(identity.trace_lo)
    relatives: dict[int, Words] = {}
    for table in older:
        common = traces[table.holding(traces)]
        if len(common):
            relatives[table.number] = common
            known = table.identities(common)
            again |= _again(identity.behind(known))[len(known.span_id) :]
    return again, relatives


def _again(identity: Identity) -> NDArray[np.bool_]:
    """Which rows are not the first of their identity."""
    again = np.ones(len(identity.span_id), np.bool_)
    again[distinct(identity)] = False
    return again


class _Sections:
    """What the blocks of the log add: token filters, and the bytes of resources and scopes."""

    def __init__(self, rows: SpanRows, texts: Texts) -> None:
        self._tokens = BlockTokens()
        self._filters: list[tuple[int, bloom.Filter]] = []
        self._builders = {which: DictionaryBuilder(len(rows.runs), texts) for which in ("resource", "scope")}
        self._places = {which: _places(rows.runs, which) for which in self._builders}
        blocks, first = np.unique(rows.runs["block"], return_index=True)
        ends = np.append(first[1:], len(rows.runs))
        self._at = dict(zip(blocks.tolist(), zip(first.tolist(), ends.tolist(), strict=True), strict=True))

    @property
    def ids(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """For each run, its ResourceId and its ScopeId."""
        return self._builders["resource"].ids, self._builders["scope"].ids

    def take(self, block: Block) -> None:
        """Note what the spans of a block have, and what its runs name."""
        self._filters.append((block.offset, self._tokens.filter(block.inflated)))
        first, end = self._at.get(block.offset, (0, 0))
        for which, builder in self._builders.items():
            places = self._places[which][first:end]
            for run, (schema, *place) in enumerate(places, first):
                builder.add(run, body_slice(block.inflated, *place) or b"", schema, (block.offset, *place))

    def to_bytes(self) -> dict[str, bytes]:
        """The sections of the index file."""
        dictionaries = {f"{which}s": builder.to_bytes() for which, builder in self._builders.items()}
        tokens, met = TokenFilters.of(self._filters).to_bytes(), self._tokens.met_keys().to_bytes()
        return {**dictionaries, "tokens": tokens, "met": met}


def _places(runs: Runs, which: str) -> list[tuple[int, int, int, int]]:
    """For each run, the text id of a schema URL, and the place of a message: body, offset and length."""
    names = f"{which}_schema", "body", f"{which}_offset", f"{which}_length"
    return list(zip(*(runs[name].tolist() for name in names), strict=True))
