"""The token filter of a log block: which `key=value` its spans may have; and which keys meet in the blocks.

A block is walked once, while its segment is sealed. What cannot be walked, or has more tokens than MOST_TOKENS, gets
a filter without lines, which denies nothing: a search looks at the block itself. The same bytes give the same
filter, whoever builds it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import kernel, load8, load32, number
from weft_collector.store.blocks import RECORD_BODY_BYTES, RECORD_BYTES
from weft_collector.store.bloom import Filter, build
from weft_collector.store.met_keys import MetKeys
from weft_collector.store.ports import RecordKind
from weft_collector.wire.key_pairs import KeyPairs
from weft_collector.wire.protobuf_reader import TRUNCATED, failure
from weft_collector.wire.token_kernel import take_body
from weft_collector.wire.token_sink import Sink

__all__ = ["BITS_PER_TOKEN", "MOST_TOKENS", "BlockTokens"]

#: False positives are 0.09 % of the probes.
BITS_PER_TOKEN: Final = 16
#: Most tokens of a block; a filter of as many has 2 MiB.
MOST_TOKENS: Final = 1 << 20
_USUAL_TOKENS: Final = 1 << 12  # a block of 128 KiB has about 1,200
_BYTES_PER_TOKEN: Final = 64  # at least, as a rule; a block with more tokens is walked twice

_SPANS = number(RecordKind.SPANS)


@kernel
def _take_block(p: int, length: int, sink: int) -> int:
    """Put the tokens of the records in an inflated block into a sink; a failure if one cannot be walked."""
    end = p + length
    while p < end:
        if end - p < RECORD_BYTES:
            return failure(TRUNCATED, p)
        kind, body = load8(p) | load8(p + 1) << 8, p + RECORD_BYTES
        size = load32(p + RECORD_BODY_BYTES)
        if size > end - body:
            return failure(TRUNCATED, p)
        p = body + size
        if kind == _SPANS:
            result = take_body(body, p, sink)
            if result < 0:
                return result
    return p


class BlockTokens:
    """Builds filters of blocks; one thread at a time."""

    def __init__(self) -> None:
        self._pairs = KeyPairs()
        self._usual = Sink(_USUAL_TOKENS, self._pairs)

    def met_keys(self) -> MetKeys:
        """Which keys met in the spans of the blocks so far."""
        return MetKeys(self._pairs.listed(), whole=self._pairs.whole)

    def give_up(self) -> None:
        """A block could not be read: nothing may be concluded from the keys that met."""
        self._pairs.give_up()

    def have_all(self, inflated: bytes, wanted: Sequence[NDArray[np.uint64]]) -> bool:
        """Whether a block has one token of each array, or cannot be walked."""
        held = self.tokens(inflated)
        return held is None or all(np.isin(some, held).any() for some in wanted)

    def filter(self, inflated: bytes) -> Filter:
        """The filter of an inflated block."""
        tokens = self.tokens(inflated)
        return np.zeros(0, np.uint64) if tokens is None else build(tokens, BITS_PER_TOKEN)

    def tokens(self, inflated: bytes) -> NDArray[np.uint64] | None:
        """The tokens of an inflated block; None if it cannot be walked or has too many."""
        view = np.frombuffer(inflated or b"\0", np.uint8)
        sink = self._sink(len(inflated))
        while _take_block(view.ctypes.data, len(inflated), sink.address) >= 0:
            if sink.count <= sink.room:
                return sink.listed()
            if sink.room == MOST_TOKENS:
                return None
            sink = self._sink_for(sink.count)
        self.give_up()
        return None

    def _sink(self, size: int) -> Sink:
        """An empty set for a block of this size."""
        if size > _USUAL_TOKENS * _BYTES_PER_TOKEN:
            return self._sink_for(size // _BYTES_PER_TOKEN)
        self._usual.clear()
        return self._usual

    def _sink_for(self, tokens: int) -> Sink:
        return Sink(min(1 << (tokens - 1).bit_length(), MOST_TOKENS), self._pairs)
