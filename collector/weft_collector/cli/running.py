"""One collector as a process, from its start until it is told to stop."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import click
from starlette.types import ASGIApp

from weft_collector.api.app import create_app
from weft_collector.api.lifecycle import State
from weft_collector.cli import run_file
from weft_collector.cli.announcing import announcer, welcome
from weft_collector.cli.assembly import Outside, assemble, version
from weft_collector.cli.listening import address_of, local_url, port_of
from weft_collector.cli.memory import Keeper, freeze_objects, give_back, keep_blocks
from weft_collector.cli.server import Hooks, Serves, server_for
from weft_collector.config import Config
from weft_collector.errors import MissingLibrary

__all__ = ["Sockets", "run"]


_Make = Callable[[ASGIApp, Hooks], Serves]


def _granian() -> _Make:
    try:
        from weft_collector.cli.granian_server import granian_for  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError as error:
        raise MissingLibrary("--server granian needs granian.", "pip install 'weft[fast]'") from error
    return granian_for


_SERVERS: Final[Mapping[str, Callable[[], _Make]]] = {"uvicorn": lambda: server_for, "granian": _granian}


class Sockets(NamedTuple):
    """What the collector listens on.

    Attributes:
        http: The listening socket.
        grpc: The socket that holds the port of gRPC, or None for none.
    """

    http: socket.socket
    grpc: socket.socket | None


def run(config: Config, sockets: Sockets, dashboard: Path) -> None:
    """Run a collector until SIGTERM or Ctrl-C.

    Args:
        config: Its settings.
        sockets: What it listens on.
        dashboard: The page's folder.

    Raises:
        CollectorError: It could not start; everything is closed then.
    """
    keep_blocks()
    process = _Process(config, sockets, dashboard)
    try:
        process.run()
    finally:
        process.close()
    if process.lifecycle.error is not None:
        raise process.lifecycle.error


class _Process:
    """The collector's parts with what they have to do with this process: messages, signals, the run file."""

    def __init__(self, config: Config, sockets: Sockets, dashboard: Path) -> None:
        self._socket = sockets.http
        self._url = local_url(config, port_of(sockets.http))
        self._grpc = "" if sockets.grpc is None else address_of(sockets.grpc)
        self._data = str(config.data.absolute())
        self._file = run_file.location(os.environ)
        self._began = time.monotonic()
        self._announcer = announcer()
        outside = Outside(self._url, time.time_ns, dashboard, self._changed, grpc=self._grpc)
        parts = assemble(config, outside)
        self._log = parts.log
        self._keeper = Keeper(give_back)
        self.lifecycle = parts.lifecycle
        make = _SERVERS[config.server]()
        self._server: Serves = make(create_app(parts), Hooks(self._started, parts.lifecycle.stopping))

    def run(self) -> None:
        """Serve until a signal comes, or the start fails."""
        self._server.run(sockets=[self._socket])

    def close(self) -> None:
        """Finish what was taken, close the log and remove the run file; safe twice."""
        self._announcer.done()
        self._keeper.stop()
        self.lifecycle.stop()
        self._log.close()
        run_file.forget(self._file, os.getpid())

    def _started(self) -> None:
        self._announcer.say(welcome(version(), self._url, self._data, self._grpc))
        try:
            run_file.write(self._file, run_file.Running(self._url, os.getpid(), self._data))
        except OSError as error:
            click.echo(f"no run file: {error}; other commands need --collector {self._url}", err=True)

    def _changed(self, state: State, progress: str) -> None:
        """Called by the thread that starts, at every step."""
        if state is State.STARTING:
            self._announcer.progress(progress)
            return
        self._announcer.done()
        if state is State.READY:
            freeze_objects()
            give_back()  # what compiling has used
            self._keeper.start()
            seconds, spans = time.monotonic() - self._began, self.lifecycle.spans_read
            click.echo(f"ready after {seconds:.1f} s, {spans:,} spans read from the log; Ctrl-C stops")
        elif state is State.FAILED:
            self._server.stop()
