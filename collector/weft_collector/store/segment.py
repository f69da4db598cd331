"""Reading a sealed segment."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from weft_collector.errors import CorruptLog, NotFound
from weft_collector.store import bloom
from weft_collector.store.arrow_bytes import table_of
from weft_collector.store.block_tokens import BlockTokens
from weft_collector.store.dictionaries import Dictionary
from weft_collector.store.files import ReadFiles
from weft_collector.store.identity import SIDES, Identity, OwnerTexts, owner_of
from weft_collector.store.manifest import Sealed, index_name, spans_name
from weft_collector.store.met_keys import MetKeys
from weft_collector.store.ports import SpanBytes, SpanTable
from weft_collector.store.relatives import Elders
from weft_collector.store.segment_build import ROW_GROUP
from weft_collector.store.segment_index import IndexFile
from weft_collector.store.sidecar import Sidecar
from weft_collector.store.span_columns import words_of
from weft_collector.store.span_schema import KINDS
from weft_collector.store.token_filters import TokenFilters

__all__ = ["Segment", "identities_in", "parquet_file"]

Words = NDArray[np.uint64]
#: Up to so many blocks are walked, which takes two milliseconds each, before rows are read, which takes 20 and more.
FEW_BLOCKS = 4
_OWNER = ("DeploymentEnvironment", "ServiceNamespace", "ServiceName", "ServiceInstanceId", "HostName")
_IDENTITY = ("TraceId", "SpanId", "SpanKind", *_OWNER, "ProcessPid")


class Segment:
    """See SpanTable; opening reads the index's header alone.

    Args:
        files: The data folder.
        sealed: What the manifest says of it.
        log: Where long resources are read.

    Attributes:
        recent: Some columns of all rows, which need not be read then. The newest segment has them: a trace that is
            cut off by the end of a log file has its older spans there.

    Raises:
        CorruptLog: A file is not what it should be.
    """

    def __init__(self, files: ReadFiles, sealed: Sealed, log: SpanBytes) -> None:
        self.sealed = sealed
        self._files, self._log = files, log
        lookup = files.map(index_name(sealed.number))
        self._index = IndexFile(lookup, index_name(sealed.number))
        self._bloom = np.frombuffer(self._index.section("bloom"), np.uint64)
        self._sidecar = Sidecar.from_bytes(self._index.section("traces"))
        files.release(lookup)  # all ids were looked at, and most never will be again
        self._spans = files.map(spans_name(sealed.number))
        self.recent: pa.Table | None = None
        self._lock = threading.Lock()
        self._opened: parquet.ParquetFile | None = None

    @property
    def number(self) -> int:
        """Of its log file."""
        return self.sealed.number

    @property
    def rows(self) -> int:
        """Distinct spans."""
        return self.sealed.rows

    @property
    def earliest_ns(self) -> int:
        """Earliest start."""
        return self.sealed.earliest_ns

    @property
    def latest_ns(self) -> int:
        """Latest start."""
        return self.sealed.latest_ns

    @property
    def index(self) -> IndexFile:
        """Its index file."""
        return self._index

    @property
    def elders(self) -> Elders:
        """Its traces with spans in older files."""
        return Elders.from_bytes(self._index.section("elders"))

    @property
    def bloom(self) -> NDArray[np.uint64]:
        """The filter of its traces' low halves."""
        return self._bloom

    def trace_rows(self, trace_lo: int) -> range:
        """See SpanTable."""
        return self._sidecar.rows_of(trace_lo)

    def summary(self) -> pa.Table:
        """See SpanTable."""
        return table_of(self._index.section("summary"))

    def blocks_with(self, tokens: Sequence[Words]) -> NDArray[np.uint32]:
        """See SpanTable."""
        found = self._tokens.blocks_with(tokens)
        if len(found) > FEW_BLOCKS:
            return found
        return found[np.array([self._have_all(int(block), tokens) for block in found], np.bool_)]

    def _have_all(self, block: int, tokens: Sequence[Words]) -> bool:
        """Whether a block has the tokens: a filter's word for it is wrong once in a thousand times."""
        try:
            return BlockTokens().have_all(self._log.block(self.number, block), tokens)
        except (NotFound, CorruptLog):
            return True

    def may_meet(self, keys: tuple[tuple[str, ...], ...]) -> bool:
        """See SpanTable."""
        return self._met.may_meet(keys)

    def spans_have(self, key: str) -> bool:
        """See SpanTable."""
        return self._met.spans_have(key)

    def read(self, columns: Sequence[str], rows: range | None = None) -> pa.Table:
        """See SpanTable."""
        rows = range(self.rows) if rows is None else rows
        first = rows.start // ROW_GROUP
        groups = range(first, -(-rows.stop // ROW_GROUP))
        table = self._read_groups(groups, columns)
        return table.select(list(columns)).slice(rows.start - first * ROW_GROUP, len(rows))

    def take(self, columns: Sequence[str], rows: NDArray[np.intp]) -> pa.Table:
        """See SpanTable."""
        recent = self.recent
        if recent is not None and set(columns) <= set(recent.column_names):
            return recent.select(list(columns)).take(rows)
        groups, which = np.unique(rows // ROW_GROUP, return_inverse=True)
        table = self._read_groups(groups.tolist(), columns)
        return table.select(list(columns)).take(which * ROW_GROUP + rows % ROW_GROUP)

    def resource(self, resource_id: int) -> tuple[bytes, str]:
        """See SpanTable."""
        return self._dictionaries["resources"].get(resource_id)

    def scope(self, scope_id: int) -> tuple[bytes, str]:
        """See SpanTable."""
        return self._dictionaries["scopes"].get(scope_id)

    def holding(self, traces: Words) -> NDArray[np.bool_]:
        """See Older."""
        found = bloom.held(self._bloom, traces)
        first, behind = self._sidecar.rows_of_many(traces[found])
        found[found] = behind > first
        return found

    def identities(self, traces: Words) -> Identity:
        """See Older."""
        return identities_in(self.spans_of(traces, _IDENTITY))

    def spans_in(self, traces: Words) -> NDArray[np.int64]:
        """How many spans each of some traces has here, by the low halves of their ids."""
        first, behind = self._sidecar.rows_of_many(traces)
        return behind - first

    def spans_of(self, traces: Words, columns: Sequence[str]) -> pa.Table:
        """Some columns of the spans of some traces, each given once."""
        return self.take(columns, np.sort(_numbers_in(*self._sidecar.rows_of_many(traces))))

    @cached_property
    def _tokens(self) -> TokenFilters:
        return TokenFilters.from_bytes(self._index.section("tokens"))

    @cached_property
    def _met(self) -> MetKeys:
        return MetKeys.from_bytes(self._index.section("met"))

    @cached_property
    def _dictionaries(self) -> dict[str, Dictionary]:
        sections = ("resources", "scopes")
        return {n: Dictionary(self.number, table_of(self._index.section(n)), self._log) for n in sections}

    def _read_groups(self, groups: Sequence[int], columns: Sequence[str]) -> "pa.Table":
        """Columns of whole row groups; what was read of the file does not stay mapped into memory.

        Raises:
            CorruptLog: The file is damaged.
        """
        try:
            with self._lock:
                table = self._file().read_row_groups(list(groups), columns=list(columns), use_threads=False)
                self._files.release(self._spans)
        except (OSError, pa.ArrowException) as error:
            name = spans_name(self.number)
            raise CorruptLog(f"{name} cannot be read ({error}): `weft rebuild` makes it anew.") from error
        return table

    def _file(self) -> parquet.ParquetFile:
        if self._opened is None:
            self._opened = parquet.ParquetFile(pa.BufferReader(pa.py_buffer(self._spans)))
        return self._opened


def _numbers_in(first: NDArray[np.int64], behind: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of many ranges, one range after the other."""
    lengths = behind - first
    starts = np.cumsum(lengths) - lengths
    numbers: NDArray[np.int64] = np.repeat(first - starts, lengths)
    numbers += np.arange(len(numbers))
    return numbers


def parquet_file(folder: Path, table: SpanTable) -> Path | None:
    """Where the spans of a table of a data folder lie as Parquet, if they do."""
    return folder.absolute() / spans_name(table.number) if isinstance(table, Segment) else None


def identities_in(table: pa.Table) -> Identity:
    """The identities of a table's spans."""
    codes, kinds = _codes(table["SpanKind"])
    side = SIDES[np.array([KINDS.index(kind) for kind in kinds], np.int64)[codes]]
    owner = _owners([_codes(table[name]) for name in _OWNER], table["ProcessPid"].to_pylist())
    return Identity(words_of(table["TraceId"], -1), words_of(table["SpanId"]), owner, side)


def _owners(named: list[tuple[NDArray[np.int64], list[str]]], pids: list[int]) -> Words:
    """The owner of each row, by its codes and texts in the columns of _OWNER."""
    texts = [texts for _, texts in named]
    each: list[tuple[int, ...]] = list(zip(*(codes.tolist() for codes, _ in named), pids, strict=True))

    def owner(*codes: int) -> int:
        said = (column[code] for column, code in zip(texts, codes, strict=False))
        return owner_of(OwnerTexts._make((*said, codes[-1])))

    owners = {codes: owner(*codes) for codes in set(each)}
    return np.array([owners[codes] for codes in each], np.uint64)


def _codes(column: "pa.ChunkedArray") -> tuple[NDArray[np.int64], list[str]]:
    """A column of texts as codes, and the texts they stand for."""
    array = column.unify_dictionaries().combine_chunks()
    array = array.dictionary_encode() if not pa.types.is_dictionary(array.type) else array
    return array.indices.to_numpy(zero_copy_only=False).astype(np.int64), array.dictionary.to_pylist()
