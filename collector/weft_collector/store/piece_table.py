"""The unsealed spans as tables: pieces turned into Arrow columns when somebody asks.

A piece that is full is turned once; the one that still grows is turned again after it has grown. The rows are
distinct, in the table and against all older tables, like those of a segment.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weft_collector.store.identity import Identity
from weft_collector.store.ports import Position, SpanBytes
from weft_collector.store.segment_build import Older, identity_of, repeated
from weft_collector.store.span_columns import Texts, arrow_columns
from weft_collector.store.summary import summary_of
from weft_collector.store.unsealed import Piece

__all__ = ["PieceTable"]

Words = NDArray[np.uint64]


class PieceTable:
    """See SpanTable; the ids of resources and scopes are numbers of runs.

    Args:
        piece: Whose rows, as many as there are now.
        texts: The texts behind their ids.
        log: Where resources and scopes are read.
        older: All older tables.
    """

    def __init__(self, piece: Piece, texts: Texts, log: SpanBytes, older: Sequence[Older]) -> None:
        self.number = piece.number
        rows = piece.rows()
        self.taken = len(rows.run)
        self._texts, self._log, self._runs = texts, log, rows.runs
        identity = identity_of(rows, texts)
        again, _ = repeated(identity, older)
        kept = np.flatnonzero(~again)
        order = kept[np.argsort(rows.columns["trace_lo"][kept], kind="stable")]
        own = rows.take(order)
        self._traces = own.columns["trace_lo"]
        self._identity = identity.take(order)
        numbers = np.arange(len(rows.runs))
        self._table = arrow_columns(own, (numbers, numbers), texts)
        start = own.columns["start"]
        self.rows = len(start)
        self.earliest_ns, self.latest_ns = (int(start.min()), int(start.max())) if len(start) else (0, 0)

    def trace_rows(self, trace_lo: int) -> range:
        """See SpanTable."""
        key = np.uint64(trace_lo)
        ends = (int(np.searchsorted(self._traces, key, side)) for side in ("left", "right"))
        return range(*ends)

    def summary(self) -> pa.Table:
        """See SpanTable."""
        return summary_of(self._table)

    def blocks_with(self, tokens: Sequence[Words]) -> NDArray[np.uint32] | None:
        """See SpanTable."""
        del tokens
        return None

    def read(self, columns: Sequence[str], rows: range | None = None) -> pa.Table:
        """See SpanTable."""
        table = self._table.select(list(columns))
        return table if rows is None else table.slice(rows.start, len(rows))

    def read_block(self, block: int, columns: Sequence[str]) -> pa.Table:
        """See SpanTable."""
        wanted = pc.equal(self._table["Block"], pa.scalar(block, pa.uint32()))
        return self._table.filter(wanted).select(list(columns))

    def resource(self, resource_id: int) -> tuple[bytes, str]:
        """See SpanTable."""
        return self._bytes("resource", resource_id)

    def scope(self, scope_id: int) -> tuple[bytes, str]:
        """See SpanTable."""
        return self._bytes("scope", scope_id)

    def holding(self, traces: Words) -> NDArray[np.bool_]:
        """See Older."""
        return np.isin(traces, self._traces)

    def identities(self, traces: Words) -> Identity:
        """See Older."""
        return self._identity.of_traces(traces)

    def _bytes(self, which: str, run: int) -> tuple[bytes, str]:
        row = self._runs[run]
        position = Position(self.number, int(row["block"]), int(row["body"]))
        offset, length, schema = (int(row[f"{which}_{name}"]) for name in ("offset", "length", "schema"))
        return self._log.read(position, offset, length) if length else b"", self._texts.text(schema)
