"""Which libraries are hooked, and how a hook finds its library.

A library that is imported already is patched at once; any other right after its import, by a finder at the
head of `sys.meta_path` that lets the usual finders find and only adds a step behind the module's execution.
So nothing is imported that the service does not import itself, and the order of imports does not matter.

Adding a hook: a file beside this one with `apply(module)` and `undo(module)`, and its row in `HOOKS`.
"""

import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from typing_extensions import override

from weft.guard import guarded, say

HOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "httpx": ("httpx", "weft.hooks.httpx"),
    "sqlite3": ("sqlite3", "weft.hooks.sqlite3"),
    "uvicorn": ("uvicorn.server", "weft.hooks.uvicorn"),
}
"""By name: the module whose import is waited for, and the hook's own module."""

_lock = threading.RLock()
_applied: dict[str, tuple[Any, ModuleType]] = {}
"""What is in force: by the name of the module that was patched, the hook and that module."""


def install(names: Iterable[str]) -> None:
    """Hook the libraries called `names`, now or when they are imported. Safe twice."""
    with _lock:
        for name in names:
            if name in HOOKS:
                _await(*HOOKS[name])
            else:
                say(logging.WARNING, "weft: there is no hook called %r; there are %s", name, ", ".join(HOOKS))


def _await(target: str, hook: str) -> None:
    if target in _applied or target in _finder.awaited:
        return
    module = sys.modules.get(target)
    if module is not None and not _is_loading(module):
        _apply(target, hook, module)
        return
    _finder.awaited[target] = hook
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def _is_loading(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))


@guarded
def _apply(target: str, hook: str, module: ModuleType) -> None:
    with _lock:
        if target not in _applied:
            hooked = importlib.import_module(hook)
            hooked.apply(module)
            _applied[target] = hooked, module
        _finder.awaited.pop(target, None)


def remove() -> None:
    """Undo every hook and await no import any more."""
    with _lock:
        _finder.awaited.clear()
        if _finder in sys.meta_path:
            sys.meta_path.remove(_finder)
        for hooked, module in _applied.values():
            hooked.undo(module)
        _applied.clear()


class _Finder(MetaPathFinder):
    """Finds nothing itself; asks the other finders and adds the hook behind the module's execution."""

    def __init__(self) -> None:
        self.awaited: dict[str, str] = {}
        self._asking = threading.local()

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.awaited or getattr(self._asking, "now", False):
            return None
        self._asking.now = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._asking.now = False
        if spec is not None and spec.loader is not None:
            _add_step(spec.loader, fullname, self.awaited[fullname])
        return spec


@guarded
def _add_step(loader: Any, target: str, hook: str) -> None:
    """Make this loader apply the hook once it has executed `target`."""
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        if module.__name__ == target:
            _apply(target, hook, module)

    loader.exec_module = exec_module


_finder = _Finder()
