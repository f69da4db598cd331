"""The inflated blocks that were read last, within a bound of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["BlockCache"]

_Key = tuple[int, int]


class BlockCache:
    """Least recently used first out; every method may be called from any thread.

    Args:
        limit: Bytes of all blocks together; a block that is larger by itself is handed through and not kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._blocks: OrderedDict[_Key, bytes] = OrderedDict()
        self.size_bytes = 0

    def get(self, key: _Key, load: Callable[[], bytes]) -> bytes:
        """The block of a key (file, offset); `load` runs without the lock, so two may load it at once."""
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
                return block
        block = load()
        self._keep(key, block)
        return block

    def _keep(self, key: _Key, block: bytes) -> None:
        with self._lock:
            if len(block) > self._limit or key in self._blocks:
                return
            self._blocks[key] = block
            self.size_bytes += len(block)
            while self.size_bytes > self._limit:
                self.size_bytes -= len(self._blocks.popitem(last=False)[1])
