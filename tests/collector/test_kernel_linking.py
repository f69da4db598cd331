"""Functions that kernels call are linked in once, and the kernels do the same."""

import numba
import numpy as np
import pytest
from numba.core.codegen import JITCodeLibrary

from weft_collector import kernel_linking
from weft_collector.kernel import inline, kernel, load64, routine, store64


@inline
def _double(value: int) -> int:
    return 2 * value


@routine
def _sum(address: int, count: int) -> int:
    total = 0
    for i in range(count):
        total += _double(load64(address + 8 * i))
    return total


@routine
def _lower(address: int, count: int, depth: int) -> int:
    """Calls itself, and what the kernel calls, too."""
    if depth == 0:
        return _sum(address, count)
    return _lower(address, count, depth - 1) - 1


@kernel
def _both(address: int, count: int, depth: int) -> int:
    result = _sum(address, count) + 1000 * _lower(address, count, depth)
    store64(address, result)
    return result


def test_a_kernel_calls_what_its_parts_call():
    numbers = np.arange(5, dtype=np.int64)
    assert _both(numbers.ctypes.data, 5, 3) == 20 + 1000 * 17
    assert numbers.tolist() == [17_020, 1, 2, 3, 4]


def test_parts_have_no_machine_code_of_their_own():
    _both(np.zeros(1, np.int64).ctypes.data, 1, 0)
    for part in (_double, _sum, _lower):
        for compiled in part.overloads.values():
            assert not compiled.library._compiled
    assert all(compiled.library._compiled for compiled in _both.overloads.values())


def test_the_installed_release_of_numba_is_one_that_was_read():
    """If this fails: read `CPUCodeLibrary` in the new release's codegen.py, then add it to READ_RELEASES."""
    assert numba.__version__.startswith(kernel_linking.READ_RELEASES)


@pytest.mark.parametrize("method", ["finalize", "_finalize_dynamic_globals", "_raise_if_finalized"])
def test_numba_has_what_a_part_replaces(method):
    assert callable(getattr(JITCodeLibrary, method))
