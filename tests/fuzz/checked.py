"""The checked build: kernels whose every load and store is held against a table of memory that they may touch.

    from tests.fuzz.checked import Watch  # before anything of weft_collector.wire, store or graph
    from weft_collector.wire.otlp_protobuf import Decoder

    watch = Watch()
    decoder = Decoder()
    watch.own(decoder)                    # its arrays, and those of what it holds, at any depth
    with watch.body(body):                # and this body, for as long as it is decoded
        decoder.decode(body, NOW)
    assert watch.violations == 0, watch.first

An access outside is counted and not made: a load gives 0, a store is left out. So a campaign goes on to the next body.
Importing this module exchanges the memory primitives of `weft_collector.kernel`, and turns on the bounds checks
of Numba for the tables that kernels index (an IndexError there fails the campaign). That must happen before any
kernel is defined, hence the order above; and machine code of this build must not be kept, so every process
compiles anew, some 20 seconds for the decoder, and runs about twenty times slower than the plain build.

Nothing of this is in the collector: there is no switch that a user could set, and no code that could slow a kernel.
Arrays that are made while a body is decoded (the columns) are known through `watch.own` as well: it makes the
class `_Sheet` of the decoder report its arrays, for stores go there. A body of more than 16,384 spans makes the
decoder's index grow: decode one of the largest first, and own the decoder after that.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np

from weft_collector import kernel

__all__ = ["Watch"]

if any(name.startswith(("weft_collector.wire.", "weft_collector.store.b")) for name in sys.modules):
    raise ImportError("import tests.fuzz.checked before the modules that define kernels")

_MOST_RANGES = 4096
# Number of ranges, violations, and of the first one: address, size; then begin and end of each range.
_TABLE = np.zeros(4 + 2 * _MOST_RANGES, np.int64)
_AT = kernel.number(_TABLE.ctypes.data)
_load8, _load32, _load64 = kernel.load8, kernel.load32, kernel.load64
_store8, _store32, _store64, _copy = kernel.store8, kernel.store32, kernel.store64, kernel.copy_bytes


def _compiled(**options: bool) -> Callable[[Callable[..., Any]], Any]:
    return numba.njit(_nrt=False, **options)


_inline = _compiled(forceinline=True)


@_compiled()
def _allowed(address: int, size: int) -> bool:
    """Whether a range of the table holds these bytes; a violation is noted."""
    at = _AT + 32
    for _ in range(_load64(_AT)):
        if _load64(at) <= address and address + size <= _load64(at + 8):
            return True
        at += 16
    violations = _load64(_AT + 8)
    if violations == 0:
        _store64(_AT + 16, address)
        _store64(_AT + 24, size)
    _store64(_AT + 8, violations + 1)
    return False


@_inline
def load8(address: int) -> int:
    return _load8(address) if _allowed(address, 1) else 0


@_inline
def load32(address: int) -> int:
    return _load32(address) if _allowed(address, 4) else 0


@_inline
def load64(address: int) -> int:
    return _load64(address) if _allowed(address, 8) else 0


@_inline
def store8(address: int, value: int) -> None:
    if _allowed(address, 1):
        _store8(address, value)


@_inline
def store32(address: int, value: int) -> None:
    if _allowed(address, 4):
        _store32(address, value)


@_inline
def store64(address: int, value: int) -> None:
    if _allowed(address, 8):
        _store64(address, value)


@_inline
def copy_bytes(target: int, source: int, length: int) -> None:
    if length == 0 or (_allowed(target, length) and _allowed(source, length)):
        _copy(target, source, length)


for _name, _checked in {
    "load8": load8,
    "load32": load32,
    "load64": load64,
    "store8": store8,
    "store32": store32,
    "store64": store64,
    "copy_bytes": copy_bytes,
    "kernel": _compiled(nogil=True, boundscheck=True),
    "routine": _compiled(boundscheck=True),
    "inline": _compiled(forceinline=True, boundscheck=True),
}.items():
    setattr(kernel, _name, _checked)


class Watch:
    """The memory that kernels may touch; one at a time in a process."""

    def __init__(self) -> None:
        _TABLE[:] = 0
        self._held: list[Any] = []  # keeps what is registered alive, so that no address is used twice

    @property
    def violations(self) -> int:
        """How many accesses were outside."""
        return int(_TABLE[1])

    @property
    def first(self) -> str:
        """Where the first one was, and beside which range."""
        address, size = int(_TABLE[2]), int(_TABLE[3])
        ranges = _TABLE[4 : 4 + 2 * int(_TABLE[0])].reshape(-1, 2).tolist()
        near = min(ranges, key=lambda one: min(abs(one[0] - address), abs(one[1] - address)), default=None)
        return f"{size} bytes at {address}; the nearest range is {near}"

    def own(self, *owners: object) -> None:
        """Allow the arrays of these objects, and of all that they hold."""
        for owner in owners:
            for array in _arrays_of(owner, set()):
                self._allow(array.ctypes.data, array.nbytes)
            self._held.append(owner)

    @contextlib.contextmanager
    def body(self, body: bytes | memoryview) -> Iterator[None]:
        """Allow a body, and the columns of the decoder made meanwhile, until the block ends."""
        kept, count = len(self._held), int(_TABLE[0])
        array = np.frombuffer(body or b"\0", np.uint8)
        self._allow(array.ctypes.data, len(body))
        try:
            with self._new_columns():
                yield
        finally:
            del self._held[kept:]
            _TABLE[0] = count

    def _allow(self, begin: int, size: int) -> None:
        at = 4 + 2 * int(_TABLE[0])
        _TABLE[at : at + 2] = begin, begin + size
        _TABLE[0] += 1

    @contextlib.contextmanager
    def _new_columns(self) -> Iterator[None]:
        """Own whatever objects of these classes are made meanwhile."""
        made = [(module, name) for module, name in _MAKERS if module in sys.modules]
        plain = [(sys.modules[module], name, getattr(sys.modules[module], name)) for module, name in made]
        try:
            for module, name, maker in plain:
                setattr(module, name, self._owning(maker))
            yield
        finally:
            for module, name, maker in plain:
                setattr(module, name, maker)

    def _owning(self, maker: Callable[..., Any]) -> Callable[..., Any]:
        def make(*arguments: Any) -> Any:
            made = maker(*arguments)
            self.own(made)
            return made

        return make


# Classes whose objects hold arrays and are made while a body is worked on.
_MAKERS = (
    ("weft_collector.wire.otlp_protobuf", "_Sheet"),
    ("weft_collector.store.block_tokens", "Sink"),
)


def _arrays_of(owner: object, seen: set[int]) -> Iterator[np.ndarray]:
    if isinstance(owner, np.ndarray):
        yield owner
    elif id(owner) not in seen:
        seen.add(id(owner))
        held = (
            owner
            if isinstance(owner, tuple | list)
            else vars(owner).values()
            if hasattr(owner, "__dict__")
            else ()
        )
        for value in held:
            yield from _arrays_of(value, seen)
