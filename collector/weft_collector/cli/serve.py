"""`weft serve`: the collector as a process.

Only light modules are imported here: a wrong setting and a taken port are told at once, before numba and
FastAPI are loaded (`assembly`).
"""

import os
import signal
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from weft_collector.cli.listening import hold, listen
from weft_collector.config import SETTINGS, Config, Setting

__all__ = ["serve"]

_SHORT: Final = {"port": ("-p",)}


def _option(setting: Setting) -> Callable[[Any], Any]:
    """A setting as an option of the command."""
    names = (f"--{setting.name.replace('_', '-')}", *_SHORT.get(setting.name, ()))
    origin = f"{setting.meaning}  [{', '.join(setting.env)}; default: {setting.default or 'none'}]"
    if setting.type == "switch":
        return click.option(*names, is_flag=True, default=None, help=origin)
    return click.option(*names, metavar=setting.type.upper(), help=origin)


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """All settings as options, in the order of the table."""
    for setting in reversed(SETTINGS):
        command = _option(setting)(command)
    return command


@click.command(
    epilog="""\b
Examples:
  weft serve
  weft serve --port 0 --data ./traces
  WEFT_RETENTION_BYTES=50GiB weft serve
"""
)
@_with_settings
def serve(**flags: Any) -> None:
    """Start the collector: takes OpenTelemetry spans in, and shows the dependency graph.

    Runs until Ctrl-C or SIGTERM. The data folder keeps everything; started again, the collector goes on
    where it was. Every option can be set by its environment variable, too.
    """
    config = Config.load(os.environ, flags)
    _stop_by_exception()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # else its core writes lines about what strangers send
    with listen(config) as opened, hold(config) or nullcontext() as held:
        from weft_collector.cli.running import Sockets, run  # noqa: PLC0415 - see the module's docstring

        run(config, Sockets(opened, held), _dashboard())


def _dashboard() -> Path:
    from weft_dashboard import static_dir  # noqa: PLC0415 - with the rest

    return static_dir()


def _stop_by_exception() -> None:
    """Until the server takes the signals over, SIGTERM ends the start as Ctrl-C does."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
