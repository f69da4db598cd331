from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from numba import config as config
from numba import types as types

P = ParamSpec("P")
R = TypeVar("R")

__version__: str

def njit(
    *,
    nogil: bool = ...,
    cache: bool = ...,
    forceinline: bool = ...,
    no_cpython_wrapper: bool = ...,
    no_cfunc_wrapper: bool = ...,
    _nrt: bool = ...,
    pipeline_class: type = ...,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
