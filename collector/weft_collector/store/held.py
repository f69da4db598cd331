"""All spans that are held, sealed and not sealed, as tables in the order of the log."""

import threading
from collections.abc import Sequence

from weft_collector.store.piece_table import PieceTable
from weft_collector.store.ports import SpanBytes, SpanTable
from weft_collector.store.segment import Segment
from weft_collector.store.span_columns import Texts
from weft_collector.store.unsealed import Piece

__all__ = ["HeldTables"]


class HeldTables:
    """Makes the tables; a piece that has not grown since is not turned again. Any thread may ask.

    Args:
        texts: The texts behind the ids in pieces.
        log: Where resources and scopes are read.
    """

    def __init__(self, texts: Texts, log: SpanBytes) -> None:
        self._texts, self._log = texts, log
        self._lock = threading.Lock()
        self._known: dict[Piece, PieceTable] = {}

    def of(self, pieces: Sequence[Piece], segments: Sequence[Segment]) -> list[SpanTable]:
        """The tables.

        Args:
            pieces: What is not sealed, taken *before* the segments: what is sealed meanwhile is in both, not in
                none, and is shown once.
            segments: What is sealed.
        """
        sealed = {segment.number for segment in segments}
        open_ones = [piece for piece in pieces if piece.number not in sealed and piece.count]
        return [*segments, *self._piece_tables(open_ones, segments)]

    def _piece_tables(self, pieces: list[Piece], segments: Sequence[Segment]) -> list[PieceTable]:
        tables: list[PieceTable] = []
        with self._lock:
            for piece in pieces:
                known = self._known.get(piece)
                if known is None or known.taken != piece.count:
                    known = PieceTable(piece, self._texts, self._log, [*segments, *tables])
                    self._known[piece] = known
                tables.append(known)
            self._known = {piece: self._known[piece] for piece in pieces}
        return tables
