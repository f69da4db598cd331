from collections.abc import Callable
from typing import Any

from numba.types import Signature

def intrinsic(function: Callable[..., tuple[Signature, Callable[..., Any]]]) -> Callable[..., Any]: ...
