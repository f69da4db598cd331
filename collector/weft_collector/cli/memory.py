"""How the collector's process treats its memory.

The allocator: glibc gives every block over 128 KiB back to the system as it is freed, and the system hands out
zeroed pages for the next one. Batches are made of such blocks, so half of all page faults are theirs. A heap
that keeps its blocks up to 32 MiB spares them; it is trimmed when 64 MiB of it lie free. But it is trimmed at its
end only, and there is one for each of up to 16 threads: after a load of 2.5 million spans a fifth of 1.2 GB was free
memory inside such heaps. So two heaps have to do for all threads, and free pages go back wherever they lie when the
collector has worked and has come to rest. Refused: giving back under load, every second or after each sealed file:
the same peak, and a tenth less spans a second.

Arrow has an allocator of its own, which held 34 MB at most.

The garbage collector: it looks at every object again and again, and after the start nearly all of them are
modules and compiled kernels, which stay. A full collection takes 40 to 200 ms, in which nobody is answered.
Frozen objects are looked at no more, and what a request leaves behind is freed by counting references;
cycles are rare, so collections may be.
"""

import ctypes
import gc
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

__all__ = ["Keeper", "freeze_objects", "give_back", "keep_blocks"]

# Parameters of mallopt in malloc.h.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_COLLECTIONS: Final = (20_000, 50, 100)  # objects, young and middle collections between two

_LOOK_SECONDS: Final = 5.0
_RESTS: Final = 0.05  # cores in use, below which the process is at rest
_WORKED: Final = 1.0  # seconds of CPU after which there may be something to give back


def keep_blocks() -> None:
    """Let the allocator keep freed blocks; without effect where the C library is not glibc."""
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 32 << 20)
        mallopt(_TRIM_THRESHOLD, 64 << 20)
        mallopt(_ARENA_MAX, 2)


def give_back() -> None:
    """Give every free page of the heaps back; without effect where the C library is not glibc."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def freeze_objects() -> None:
    """Take what there is now for permanent; to be called when the collector is ready."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)


class Keeper:
    """Looks every few seconds whether the process has worked and is at rest now.

    Args:
        rest: Called then, by a thread of its own.
        cpu: Seconds of CPU that the process has used.
        every: Seconds between two looks.
    """

    def __init__(
        self,
        rest: Callable[[], None],
        cpu: Callable[[], float] = time.process_time,
        every: float = _LOOK_SECONDS,
    ) -> None:
        self._rest, self._cpu, self._every = rest, cpu, every
        self._seen = self._rested = cpu()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="weft-memory", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; safe twice, and safe without start."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """One look."""
        before, self._seen = self._seen, self._cpu()
        is_at_rest = self._seen - before < _RESTS * self._every
        if is_at_rest and self._seen - self._rested > _WORKED:
            self._rest()
            self._rested = self._seen = self._cpu()

    def _run(self) -> None:
        while not self._ending.wait(self._every):
            self.look()
