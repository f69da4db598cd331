"""Which attribute keys met in the spans of a segment: whether it can have a span with all that is asked for.

`wire/key_pairs.py` has the theory, and `docs/segments.md` the bytes:

    8 bytes     magic
    4 bytes     number of pairs, n
    4 bytes     1 if all pairs are there; else nothing may be concluded
    4 n bytes   the pairs, ascending

Checksums are the caller's.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.errors import CorruptLog
from weft_collector.store.tokens import key_number
from weft_collector.wire.key_pairs import RESOURCE_NUMBER, pair_of

__all__ = ["Conditions", "MetKeys"]

_MAGIC: Final = b"WeftMet\n"
_HEADER_BYTES: Final = 16

Pairs = NDArray[np.uint32]
Conditions = tuple[tuple[str, ...], ...]
"""Of each condition the keys under which its attribute may have been sent."""


class MetKeys:
    """The pairs of a segment; nothing changes once it is made, and any thread may ask.

    Args:
        pairs: Ascending.
        whole: Whether these are all.
    """

    def __init__(self, pairs: Pairs, *, whole: bool) -> None:
        self.pairs = pairs
        self.whole = whole

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> "MetKeys":
        """What `to_bytes` made; nothing is copied. No bytes deny nothing.

        Raises:
            CorruptLog: These bytes are something else.
        """
        view = np.frombuffer(data, np.uint8)
        if not len(view):
            return cls(np.zeros(0, np.uint32), whole=False)
        count, whole = view[8:_HEADER_BYTES].view("<u4") if len(view) >= _HEADER_BYTES else (0, 0)
        if bytes(view[:8]) != _MAGIC or len(view) != _HEADER_BYTES + 4 * int(count):
            raise CorruptLog("These bytes do not say which keys met.")
        return cls(view[_HEADER_BYTES:].view("<u4"), whole=bool(whole))

    def to_bytes(self) -> bytes:
        """The bytes of a section, without any checksum."""
        return _MAGIC + np.array([len(self.pairs), self.whole, *self.pairs], "<u4").tobytes()

    def may_meet(self, conditions: Conditions) -> bool:
        """See SpanTable."""
        return not self.whole or all(self._has_any(some) for some in _pairs_of(conditions))

    def spans_have(self, key: str) -> bool:
        """See SpanTable."""
        number = key_number(key)
        return not self.whole or self._has_any(np.array([pair_of(number, number)], np.uint32))

    def _has_any(self, some: Pairs) -> bool:
        at = np.searchsorted(self.pairs, some)
        return (
            bool((self.pairs[np.minimum(at, len(self.pairs) - 1)] == some).any())
            if len(self.pairs)
            else False
        )


@lru_cache(maxsize=64)
def _pairs_of(conditions: Conditions) -> list[Pairs]:
    """For each two conditions the pairs of which one must be there."""
    numbered = [[key_number(key) for key in keys] for keys in conditions]
    return [_meeting(one, other) for one, other in combinations(numbered, 2)]


def _meeting(one: Sequence[int], other: Sequence[int]) -> Pairs:
    together = {pair_of(*keys) for keys in product(one, other)}
    return np.array(sorted(together | {pair_of(key, RESOURCE_NUMBER) for key in (*one, *other)}), np.uint32)
