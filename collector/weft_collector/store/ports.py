"""The contracts of the store: the values that cross its border, and what each part promises.

The log is the truth; all else is derived from it and can be rebuilt. Whoever writes another log, head or file
layer keeps these promises. The contract of the file layer below stands in `files.py`.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from weft_collector.store.scan import Block
    from weft_collector.wire.columns import Spans

__all__ = [
    "HeadRows",
    "Position",
    "Record",
    "RecordKind",
    "SpanBytes",
    "SpanLog",
    "SpanReader",
    "SpanTable",
    "Transport",
]


class RecordKind(IntEnum):
    """What a record of the log holds; readers pass over numbers that they do not know."""

    SPANS = 1
    EDGE_COUNTS = 2


class Transport(IntEnum):
    """The door through which a body came in."""

    HTTP_PROTOBUF = 1
    HTTP_JSON = 2
    GRPC = 3
    ZIPKIN_JSON = 4


class Record(NamedTuple):
    """One accepted body, as the log keeps it.

    Attributes:
        kind: A RecordKind, or a number of a later version.
        arrived_ns: When the body arrived, in ns since the epoch by the collector's clock.
        transport: A Transport, or a number of a later version.
        body: The inflated body: OTLP protobuf, of traces for SPANS and of metrics for EDGE_COUNTS.
        limits: Version of the rules by which spans or points of the body were refused one by one.
        rejected: How many spans or points those rules refused.
    """

    kind: int
    arrived_ns: int
    transport: int
    body: bytes
    limits: int = 1
    rejected: int = 0


class Position(NamedTuple):
    """Where a record's body is; it stays valid until the log file is removed.

    Attributes:
        file: Number of the log file.
        block: Offset of the block in the file, in bytes.
        offset: Offset of the body in the inflated block, in bytes.
    """

    file: int
    block: int
    offset: int


class HeadRows(NamedTuple):
    """What pairing does not keep of a span, out of the head; one row per ordinal asked for.

    Attributes:
        held: False where the span has fallen out of the head; its other columns are 0.
        trace_hi: High half of the trace id.
        duration: End minus start, ns; negative where the end stands before the start.
        name: String id of the span's name.
        http_status: HTTP status, 0 where there is none.
    """

    held: "NDArray[np.bool_]"
    trace_hi: "NDArray[np.uint64]"
    duration: "NDArray[np.int64]"
    name: "NDArray[np.int32]"
    http_status: "NDArray[np.uint16]"


class SpanBytes(Protocol):
    """The bodies of a log, by their position; `read` may be called from any thread at any time."""

    def read(self, position: Position, offset: int, length: int) -> bytes:
        """Bytes `offset` to `offset + length` of the body at a position that was appended and synced.

        Raises:
            NotFound: The log file has been removed since, or no body has these bytes.
            CorruptLog: The bytes on the disk are not those that were written.
        """
        ...


class SpanLog(SpanBytes, Protocol):
    """One ordered, append-only log of records.

    Ownership: one thread appends and syncs. Records and bodies are never changed once appended.

    Order: `replay` yields records in the order of `append`. Nothing is reordered, merged or repeated.

    Failure: StorageFailed out of `append` or `sync` refuses everything that was appended since the last
    `sync` that returned; the log goes on with the next `append` by itself. Refused records are not replayed,
    with one exception: after a crash that follows the failure at once they may be, so a refusal means
    "unknown", never "certainly absent".
    """

    def append(self, records: Sequence[Record]) -> list[Position]:
        """Take records over, in order; their positions, one each. Durable only after `sync`.

        Raises:
            StorageFailed: The disk refused or is nearly full.
        """
        ...

    def sync(self) -> None:
        """Make everything appended durable: it survives the loss of power once this returns.

        Raises:
            StorageFailed: The disk refused.
        """
        ...

    def replay(self, first: int = 0) -> Iterator[tuple[Position, Record]]:
        """All records that are durable as the iteration starts, oldest first, in constant memory.

        Log files with a number below `first` are left out.

        Damaged blocks are passed over, counted and announced; records of unknown kind are yielded like any
        other.
        """
        ...

    def roll(self, number: int) -> None:
        """Add no more blocks to a file, should it be the newest; from any one thread."""
        ...

    def blocks(self, number: int) -> "Iterator[Block]":
        """The whole blocks of a log file, in order; empty if it is gone."""
        ...

    def remove(self, number: int) -> None:
        """Remove a log file that is not the newest; from any one thread. Raises OSError if it cannot."""
        ...

    @property
    def numbers(self) -> Sequence[int]:
        """Numbers of the log files, ascending."""
        ...

    @property
    def files(self) -> int:
        """How many log files there are."""
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes of all log files together."""
        ...

    def close(self) -> None:
        """Release files and lock; safe twice. What was not synced is not promised to be there."""
        ...


class SpanReader(Protocol):
    """Columns of the newest spans, by ordinal: the running number of a span since the process started.

    Ownership: one thread appends; readers may be any threads and see whole rows only. Arrays handed in are
    copied, arrays handed out belong to the caller.

    Bounded: the oldest spans fall out in whole chunks and are counted; their ordinals are never used again.
    """

    def append(self, spans: "Spans") -> int:
        """Add a batch's spans; the ordinal of the first of them."""
        ...

    def rows(self, ordinals: "NDArray[np.int64]") -> HeadRows:
        """Columns of the spans asked for, in the order asked for."""
        ...


class SpanTable(Protocol):
    """Distinct spans as columns: one sealed segment, or the spans of one log file that is not sealed yet.

    Rows are sorted by the low half of the trace id, and by the order of the log within a trace. A table never
    changes; the columns are those of `span_schema.SCHEMA`. Any thread may read.
    """

    @property
    def number(self) -> int:
        """Number of the log file whose spans these are; tables are ordered by it."""
        ...

    @property
    def rows(self) -> int:
        """How many spans."""
        ...

    @property
    def earliest_ns(self) -> int:
        """Earliest start, ns since the epoch."""
        ...

    @property
    def latest_ns(self) -> int:
        """Latest start, ns since the epoch."""
        ...

    def trace_rows(self, trace_lo: int) -> range:
        """The rows of a trace, by the low half of its id; empty if it has none here."""
        ...

    def summary(self) -> "pa.Table":
        """One row for each (ServiceName, SpanName, SpanKind): Spans, Errors, LongestNs, EarliestNs, LatestNs."""
        ...

    def blocks_with(self, tokens: "Sequence[NDArray[np.uint64]]") -> "NDArray[np.uint32] | None":
        """Which blocks of the log file may hold spans that have all of some tokens.

        Args:
            tokens: One array for each condition; a block fits it if it may hold any of the array's tokens
                (`tokens.tokens_of`).

        Returns:
            Offsets of blocks (column `Block`), ascending; None if every block has to be looked at.
        """
        ...

    def read(self, columns: Sequence[str], rows: range | None = None) -> "pa.Table":
        """Some columns of some rows (all, if None), in the order asked for."""
        ...

    def read_block(self, block: int, columns: Sequence[str]) -> "pa.Table":
        """Some columns of the rows whose bytes are in a block of the log file."""
        ...

    def resource(self, resource_id: int) -> tuple[bytes, str]:
        """The exact bytes of a Resource message, and the schema URL that stood beside it."""
        ...

    def scope(self, scope_id: int) -> tuple[bytes, str]:
        """The exact bytes of an InstrumentationScope message, and the schema URL that stood beside it."""
        ...
