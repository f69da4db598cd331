"""How the collector's process treats its memory; set once, as it starts.

The allocator: glibc gives every block over 128 KiB back to the system as it is freed, and the system hands out
zeroed pages for the next one. Batches are made of such blocks, so half of all page faults are theirs. A heap
that keeps its blocks up to 32 MiB spares them; it is trimmed when 64 MiB of it lie free. That looks at the end of
each thread's heap alone, so after a log file was sealed, when some hundred MB have come and gone, `give_back`
returns what lies free between blocks in use: 130 MB less at the most, for a hundredth of the time of sealing.

The garbage collector: it looks at every object again and again, and after the start nearly all of them are
modules and compiled kernels, which stay. A full collection takes 40 to 200 ms, in which nobody is answered.
Frozen objects are looked at no more, and what a request leaves behind is freed by counting references;
cycles are rare, so collections may be.
"""

import ctypes
import gc
from contextlib import suppress
from typing import Final

import pyarrow as pa

__all__ = ["freeze_objects", "give_back", "keep_blocks"]

# The first two parameters of mallopt in malloc.h.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_COLLECTIONS: Final = (20_000, 50, 100)  # objects, young and middle collections between two


def keep_blocks() -> None:
    """Let the allocator keep freed blocks; without effect where the C library is not glibc."""
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 32 << 20)
        mallopt(_TRIM_THRESHOLD, 64 << 20)


def give_back() -> None:
    """Return free memory to the system, wherever it lies in the heaps."""
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def freeze_objects() -> None:
    """Take what there is now for permanent; to be called when the collector is ready."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
