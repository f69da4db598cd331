"""Memory that ends at an unmapped page: a stray read of a kernel is a crash, in the plain build and at full speed.

    area = Guarded(64 << 10)              # room for bodies of up to 64 KiB
    body = area.place(bytes)              # ends exactly where the unmapped page begins
    body = area.place(bytes, Side.BEGIN)  # begins exactly where the one before ends
    decoder.decode(body, NOW)             # any buffer will do; a read of one byte too many is a SIGSEGV

`place` overwrites what was placed before. A campaign runs in a process of its own, and leaves each body in a
file before it decodes it, so that a crash leaves the body behind.

Decoders read beside the body only memory of their own. Where that is to be watched too, `checked.py` beside this
file says how.
"""

import ctypes
import mmap
from enum import Enum

import numpy as np

__all__ = ["Guarded", "Side"]

_NO_ACCESS = 0  # PROT_NONE


class Side(Enum):
    """The end of a body that touches an unmapped page."""

    BEGIN = "begin"
    END = "end"


class Guarded:
    """Some pages between two that cannot be touched.

    Args:
        room: Bytes of the largest body.

    Raises:
        OSError: The pages could not be made inaccessible.
    """

    def __init__(self, room: int) -> None:
        page = mmap.PAGESIZE
        self.room = -(-max(room, 1) // page) * page
        self._pages = mmap.mmap(-1, self.room + 2 * page)
        self._first = page
        self.address = np.frombuffer(self._pages, np.uint8).ctypes.data + page
        self._forbid(self.address - page, page)
        self._forbid(self.address + self.room, page)

    def place(self, body: bytes, side: Side = Side.END) -> memoryview:
        """Copy a body to one of the guards; what it returns is read-only and valid until the next call.

        Raises:
            ValueError: The body is larger than the room.
        """
        if len(body) > self.room:
            raise ValueError(f"{len(body)} bytes do not fit into {self.room}")
        begin = self._first + (self.room - len(body) if side is Side.END else 0)
        self._pages[begin : begin + len(body)] = body
        return memoryview(self._pages)[begin : begin + len(body)].toreadonly()

    @staticmethod
    def _forbid(address: int, size: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), _NO_ACCESS):
            raise OSError(ctypes.get_errno(), "mprotect")
