"""How the functions that kernels call get into them: once, and optimised once.

Numba makes a library of each compiled function: it links in the libraries of all it calls, optimises the whole,
and turns it into machine code. A function that only kernels call is so optimised again in each of its callers,
their callers and at last in the kernels, and its own machine code is never run. For our 120 of them that was
4 of 14 s of a first start.

Here such a function is a *part*: a library that is neither optimised as a whole nor turned into machine code.
A kernel is a *whole*: before it is finished, the parts of its parts are linked in, each once, and LLVM sees the
same module that a C compiler would make of one source file. The kernels' speed is the same (`benchmarks/decode.py`,
`benchmarks/pairing.py`).

Invariant: a part is called by parts and wholes only, and Python has no entry to it. Numba lets a pipeline choose
the library that it compiles into; how a library is finished is read from Numba's source, so only the releases
that were read are treated so. Others compile in their own way, which is slower and as right.

Refused: a lower level of optimisation for cold kernels. Numba has one for the whole process.
"""

from typing import Any, Final

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

__all__ = ["READ_RELEASES", "part_options", "whole_options"]

READ_RELEASES: Final = ("0.68.",)


class _NoEnvironment:
    """Stands for the engine where a part's environment would be set: a part has no address."""

    def set_env(self, name: str, environment: object) -> None:
        """Do nothing; what is run is the kernel's copy, and no kernel of ours uses its environment."""


class _Part(JITCodeLibrary):
    """The library of a function that only kernels call."""

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """None, as Numba says of a function without an entry from Python."""
        del name
        return 0

    @property
    def codegen(self) -> Any:
        return _NoEnvironment()


class _Whole(JITCodeLibrary):
    """The library of a kernel."""

    def finalize(self) -> None:
        found: dict[JITCodeLibrary, None] = {}
        _gather(self, found)
        self._linking_libraries = list(found)
        super().finalize()


def _gather(library: JITCodeLibrary, found: dict[JITCodeLibrary, None]) -> None:
    """Add what a library calls, and what the parts among that call; others hold theirs already."""
    for called in library._linking_libraries:  # noqa: SLF001 - see the module's docstring
        if called not in found:
            found[called] = None
            if isinstance(called, _Part):
                _gather(called, found)


class _PartCompiler(Compiler):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        _compile_into(self.state, _Part)


class _WholeCompiler(Compiler):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        _compile_into(self.state, _Whole)


def _compile_into(state: Any, library: type[JITCodeLibrary]) -> None:
    """What Numba's lowering does where no library is given, with another class."""
    state.library = library(state.targetctx.codegen(), "kernel")
    state.library.enable_object_caching()


_IS_READ: Final = numba.__version__.startswith(READ_RELEASES)

#: Options of `numba.njit` for functions that only kernels call, and for kernels.
part_options: Final[dict[str, Any]] = {"pipeline_class": _PartCompiler} if _IS_READ else {}
whole_options: Final[dict[str, Any]] = {"pipeline_class": _WholeCompiler} if _IS_READ else {}
