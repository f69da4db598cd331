"""Applications served by uvicorn, recorded without a change to their code.

Patched is `Server.startup`, the last step before the server listens. It is looked up when it is called, so
the hook works even when `weft.init` stands in the very module that `uvicorn app:app` is importing, which is
too late for `Config.load`. It covers every ASGI framework in one place, and each application is wrapped
once. Refused: patching the frameworks' middleware stacks (one patch each, nothing for a bare application).

`Server.shutdown` is patched as well: uvicorn ends its process by the signal that it got, and a signal runs
no exit handlers, so the last spans are sent here.
"""

import asyncio
import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from weft.guard import guarded
from weft.hooks.asgi import Middleware

METHODS = ("startup", "shutdown")


def apply(module: ModuleType) -> None:
    """Wrap the application of each server that starts from now on."""
    module.Server.startup = _startup(module.Server.startup)
    module.Server.shutdown = _shutdown(module.Server.shutdown)


def undo(module: ModuleType) -> None:
    """Give the server its own methods back."""
    for method in METHODS:
        setattr(module.Server, method, getattr(module.Server, method).__wrapped__)


def _startup(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def startup(server: Any, *args: Any, **kwargs: Any) -> None:
        wrap(server.config)
        await original(server, *args, **kwargs)

    return startup


def _shutdown(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def shutdown(server: Any, *args: Any, **kwargs: Any) -> None:
        try:
            await original(server, *args, **kwargs)
        finally:
            await asyncio.to_thread(flush)

    return shutdown


@guarded
def wrap(config: Any) -> None:
    """Put a middleware around the application of a loaded configuration, unless it has one of ours."""
    if not isinstance(config.loaded_app, Middleware):
        config.loaded_app = Middleware(config.loaded_app, automatic=True)


@guarded
def flush() -> None:
    """Send what all agents of the process hold."""
    from weft.agent import flush_all  # noqa: PLC0415 - agents install hooks

    flush_all()
