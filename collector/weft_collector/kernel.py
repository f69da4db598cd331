"""Numba, set up once: the compile cache, the decorators, and memory primitives for kernels.

Nothing else imports numba. Three decorators trade compile time against speed (measured on the decode kernel,
2 cores; see `benchmarks/decode.py`):

* `kernel`: an entry from Python. It releases the GIL and its machine code is kept in the cache folder.
* `inline`: a tiny function that LLVM copies into its callers. Refused: Numba's own `inline="always"`, which
  copies before type inference, so every call site is typed and lowered again; it made the decoder take 25 s
  and 750 MB to compile where LLVM-time inlining takes a few seconds.
* `routine`: a function that stays a function: cold paths and everything with several large call sites.

`inline` and `routine` have no entry from Python, which saves compiling one, and no cache file of their own:
they are inside the cached kernels that use them (`kernel_linking` says how they get there). Numba's cache looks
only at the file of the kernel itself, so the cache folder's name holds a hash of all modules that kernels are
made of: a change in any one starts a new folder.

Kernels work on addresses (plain 64-bit integers) rather than on arrays: array indexing costs several times
the compile time and brings reference counting. In return each caller must have checked its bounds; a file of
kernels says how it does so.
"""

import atexit
import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from weft_collector.kernel_linking import part_options, whole_options

if TYPE_CHECKING:
    from numba.types import Signature

P = ParamSpec("P")
R = TypeVar("R")

_KEPT_FOLDERS = 4
_IMPORT = re.compile(r"^ *from weft_collector\.?(\S*) import \(?(.*)$", re.MULTILINE)


def kernel_sources(root: Path) -> list[Path]:
    """The modules of the package at `root` that compiled code may depend on.

    Those whose text names this module, and what they import of the package: numbers, orders of fields and
    tables are compiled in.
    """
    texts = {path: path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    waiting = [path for path, text in texts.items() if "weft_collector.kernel" in text]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [other for other in _imported(texts[path], root) if other in texts]
    return sorted(found)


def _imported(text: str, root: Path) -> Iterator[Path]:
    """Where the modules lie that a module imports from the package, should they be modules."""
    for folders, names in _IMPORT.findall(text):
        module = root.joinpath(*folders.split("."))
        yield module.with_suffix(".py")
        yield from (module / f"{name.strip()}.py" for name in names.split(","))


def sources_digest(paths: Iterable[Path]) -> str:
    """A short hash over the names and contents of `paths`."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _weft_version() -> str:
    try:
        return metadata.version("weft")
    except metadata.PackageNotFoundError:
        return "unpackaged"


def cache_parent(environ: Mapping[str, str]) -> Path:
    """Where the folders of compiled kernels lie: `WEFT_CACHE`, else `weft` in the user's cache folder."""
    if chosen := environ.get("WEFT_CACHE"):
        return Path(chosen)
    home = environ.get("HOME") or os.devnull  # below which nothing can be made: a temporary folder it is
    return Path(environ.get("XDG_CACHE_HOME") or f"{home}/.cache") / "weft"


def make_cache_folder(parent: Path, name: str) -> Path:
    """A private folder `name` in `parent` that can be written to, else a temporary one for this process."""
    folder = parent / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            os.utime(folder)
    except OSError:
        temporary = Path(tempfile.mkdtemp(prefix="weft-kernels-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        folder = temporary / name
        folder.mkdir(mode=0o700)
        return folder
    _forget_old_folders(parent)
    return folder


def _forget_old_folders(parent: Path) -> None:
    """Remove all but the newest folders; a running collector whose folder goes compiles again next time."""
    with contextlib.suppress(OSError):  # another process may be removing the same folders
        folders = sorted(parent.glob("kernels-*"), key=lambda path: path.stat().st_mtime)
        for folder in folders[:-_KEPT_FOLDERS]:
            shutil.rmtree(folder, ignore_errors=True)


def _folder_name() -> str:
    digest = sources_digest(kernel_sources(Path(__file__).parent))
    return f"kernels-{_weft_version()}-numba{numba.__version__}-{digest}"


def completion_mark(folder: Path) -> Path:
    """The empty file in the cache folder that says: all kernels are there, for this processor.

    Numba keeps the machine code of each kind of processor apart, in the same folder.
    """
    kind = f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"
    return folder / f"complete-{hashlib.sha256(kind.encode()).hexdigest()[:16]}"


#: Where this process keeps compiled kernels.
CACHE_FOLDER: Final = make_cache_folder(cache_parent(os.environ), _folder_name())

# Set on numba itself, not in the environment: processes that we start are none of our business.
numba.config.CACHE_DIR = str(CACHE_FOLDER)


def is_complete() -> bool:
    """Whether all kernels were compiled once and kept."""
    return completion_mark(CACHE_FOLDER).exists()


def note_completion() -> None:
    """All kernels are kept from now on; without effect where the folder is gone."""
    with contextlib.suppress(OSError):
        completion_mark(CACHE_FOLDER).touch()


_NO_ENTRY: Final[dict[str, Any]] = {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
    **part_options,
}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` at its first call, without the GIL while it runs, and cache the machine code."""
    return numba.njit(nogil=True, cache=True, _nrt=False, **whole_options)(function)


def inline(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a small `function` into its callers; kernels can call it, Python can not."""
    return numba.njit(forceinline=True, **_NO_ENTRY)(function)


def routine(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` once, to be called by kernels; Python can not call it."""
    return numba.njit(**_NO_ENTRY)(function)


def number(value: int) -> int:
    """A constant that Numba types as a 64-bit integer, for arguments of `inline` and `routine` functions.

    A plain Python number is a type of its own to Numba, which compiles a function anew for each it is given.
    """
    return cast("int", np.int64(value))


ZERO = number(0)


# ---- memory: addresses in, 64-bit integers out. Unaligned access is fine; bounds are the caller's duty.

_I1, _I8, _I64, _I128 = (ir.IntType(bits) for bits in (1, 8, 64, 128))

_Generator = tuple["Signature", Callable[..., Any]]


def _loader(bits: int) -> Callable[[int], int]:
    integer = ir.IntType(bits)

    def code(_context: object, builder: ir.IRBuilder, _signature: object, arguments: Any) -> ir.Value:
        loaded = builder.load(builder.inttoptr(arguments[0], integer.as_pointer()))
        loaded.align = 1
        return loaded if bits == 64 else builder.zext(loaded, _I64)

    def load(typing_context: object, address: object) -> _Generator:
        del typing_context, address
        return types.int64(types.int64), code

    return cast("Callable[[int], int]", intrinsic(load))


def _storer(bits: int) -> Callable[[int, int], None]:
    integer = ir.IntType(bits)

    def code(context: Any, builder: ir.IRBuilder, _signature: object, arguments: Any) -> Any:
        value = arguments[1] if bits == 64 else builder.trunc(arguments[1], integer)
        builder.store(value, builder.inttoptr(arguments[0], integer.as_pointer())).align = 1
        return context.get_dummy_value()

    def store(typing_context: object, address: object, value: object) -> _Generator:
        del typing_context, address, value
        return types.void(types.int64, types.int64), code

    return cast("Callable[[int, int], None]", intrinsic(store))


load8 = _loader(8)
load32 = _loader(32)
load64 = _loader(64)
store8 = _storer(8)
store32 = _storer(32)
store64 = _storer(64)


def _fold_multiply(typing_context: object, left: object, right: object) -> _Generator:
    def code(_context: object, builder: ir.IRBuilder, _signature: object, arguments: Any) -> ir.Value:
        wide = builder.mul(builder.zext(arguments[0], _I128), builder.zext(arguments[1], _I128))
        upper = builder.trunc(builder.lshr(wide, ir.Constant(_I128, 64)), _I64)
        return builder.xor(builder.trunc(wide, _I64), upper)

    del typing_context, left, right
    return types.int64(types.int64, types.int64), code


def _byte_swap(typing_context: object, value: object) -> _Generator:
    def code(_context: object, builder: ir.IRBuilder, _signature: object, arguments: Any) -> ir.Value:
        return builder.bswap(arguments[0])

    del typing_context, value
    return types.int64(types.int64), code


def _shift_right(typing_context: object, value: object, bits: object) -> _Generator:
    def code(_context: object, builder: ir.IRBuilder, _signature: object, arguments: Any) -> ir.Value:
        return builder.lshr(arguments[0], arguments[1])

    del typing_context, value, bits
    return types.int64(types.int64, types.int64), code


def _copy(typing_context: object, target: object, source: object, length: object) -> _Generator:
    def code(context: Any, builder: ir.IRBuilder, _signature: object, arguments: Any) -> Any:
        pointer = _I8.as_pointer()
        move = builder.module.declare_intrinsic("llvm.memcpy", [pointer, pointer, _I64])
        ends = [builder.inttoptr(arguments[0], pointer), builder.inttoptr(arguments[1], pointer)]
        builder.call(move, [*ends, arguments[2], ir.Constant(_I1, 0)])
        return context.get_dummy_value()

    del typing_context, target, source, length
    return types.void(types.int64, types.int64, types.int64), code


#: Upper half xor lower half of the 128-bit product of two numbers taken as unsigned.
fold_multiply = cast("Callable[[int, int], int]", intrinsic(_fold_multiply))
#: The eight bytes of a number in reverse order.
byte_swap = cast("Callable[[int], int]", intrinsic(_byte_swap))
#: `value >> bits` with the sign bit taken as a bit like the others.
shift_right = cast("Callable[[int, int], int]", intrinsic(_shift_right))
#: Copy `length` bytes from one address to another; the ranges must not overlap.
copy_bytes = cast("Callable[[int, int, int], None]", intrinsic(_copy))
