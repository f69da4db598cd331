"""What finds blocks among spans that are not sealed yet: the token filters of their blocks, and the keys that met.

A segment's index is made once, while it is sealed. Until then a search would have to look inside every span of two or
three log files. So a block is walked when a search asks first, and never again: blocks do not change once
they are written, and an index outlives the tables of a piece that grows.
"""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.errors import CorruptLog, NotFound
from weft_collector.store.block_tokens import BlockTokens
from weft_collector.store.bloom import Filter
from weft_collector.store.met_keys import MetKeys
from weft_collector.store.ports import SpanBytes
from weft_collector.store.token_filters import TokenFilters

__all__ = ["PieceIndex"]

_EVERYTHING: Final[Filter] = np.zeros(0, np.uint64)


class PieceIndex:
    """The index of some blocks of one log file; any thread may ask.

    Args:
        number: Of the log file.
        log: Where blocks are read.
    """

    def __init__(self, number: int, log: SpanBytes) -> None:
        self._number, self._log = number, log
        self._lock = threading.Lock()
        self._tokens = BlockTokens()
        self._filters: dict[int, Filter] = {}

    def blocks_with(self, blocks: Sequence[int], tokens: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint32]:
        """See SpanTable; `blocks` are those of the table, ascending."""
        with self._lock:
            self._walk(blocks)
            filters = TokenFilters.of([(block, self._filters[block]) for block in blocks])
        return filters.blocks_with(tokens)

    def met_keys(self, blocks: Sequence[int]) -> MetKeys:
        """The keys that met in the spans of these blocks, and perhaps of later ones; `blocks` as above."""
        with self._lock:
            self._walk(blocks)
            return self._tokens.met_keys()

    def _walk(self, blocks: Sequence[int]) -> None:
        for block in blocks:
            if block not in self._filters:
                self._filters[block] = self._filter(block)

    def _filter(self, block: int) -> Filter:
        try:
            return self._tokens.filter(self._log.block(self._number, block))
        except (NotFound, CorruptLog):
            self._tokens.give_up()
            return _EVERYTHING
