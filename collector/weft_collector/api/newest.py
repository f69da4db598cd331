"""A cache of values that hold for one version of the state."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

__all__ = ["Newest"]

KEPT: Final = 32
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Newest(Generic[K, V]):
    """The value made last for each of the keys asked for last. Thread-safe: one version is made once.

    Args:
        kept: How many keys are remembered.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._values: OrderedDict[K, tuple[int, V]] = OrderedDict()

    def get(self, key: K, version: int, make: Callable[[], V]) -> V:
        """The value of a key at a version; `make` is called, by one thread at a time, if it is not held."""
        with self._lock:
            held = self._values.get(key)
            if held is None or held[0] < version:
                held = (version, make())
                self._values[key] = held
            self._values.move_to_end(key)
            if len(self._values) > self._kept:
                self._values.popitem(last=False)
            return held[1]
