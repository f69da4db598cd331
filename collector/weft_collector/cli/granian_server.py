"""granian, the other HTTP server (`--server granian`): Rust around the same app, in this process and its event loop.

What it keeps of `http_protocol`, by hyper: a deadline and a limit for headers, strict lengths and chunks, bounded
pipelining, and reading that stops where nobody takes. What it does otherwise stands in docs/configuration.md.

granian opens its own socket; ours was opened before everything, so that a taken port is told at once, and is
handed over where granian keeps it.
"""

import asyncio
import os
import signal
import socket
import threading
from functools import partial
from typing import Any, Final, cast

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from weft_collector.cli.listening import BACKLOG
from weft_collector.cli.server import STOP_SECONDS, Hooks, connections

__all__ = ["GranianServer", "granian_for"]

IDLE_SECONDS: Final = 30.0
"""Time for headers, and between requests: exporters send every 5 s."""
HEAD_BYTES: Final = 128 << 10
"""Most bytes of a head, and of a read: with smaller ones, large bodies cost twice as much."""


class _Embedded(Server):
    """granian on a socket that is open already."""

    def __init__(self, app: ASGIApp, opened: socket.socket) -> None:
        super().__init__(
            app, interface=Interfaces.ASGI, http=HTTPModes.http1, websockets=False, log_enabled=False,
            backlog=BACKLOG, backpressure=connections(),
            http1_settings=HTTP1Settings(
                header_read_timeout=round(IDLE_SECONDS * 1000), max_buffer_size=HEAD_BYTES
            ),
        )  # fmt: skip
        self.workers_kill_timeout = STOP_SECONDS
        self._opened = opened

    def _init_shared_socket(self) -> None:
        own = os.dup(self._opened.fileno())  # granian closes it
        holder: Any = SocketHolder  # its stub leaves the constructor out
        self._shd = holder(own, uds=False, backlog=BACKLOG)


class GranianServer:
    """A server with hooks; see `server.Server`."""

    def __init__(self, app: ASGIApp, hooks: Hooks) -> None:
        self._app = app
        self._hooks = hooks
        self._asked = threading.Event()
        self._wake: Any = None  # what ends a run that has begun

    def run(self, sockets: list[socket.socket]) -> None:
        """Serve on the first of the sockets until a signal comes, or `stop` is called."""
        asyncio.run(self.serve(sockets))

    def stop(self) -> None:
        """End `run`; from any thread."""
        self._asked.set()
        if self._wake is not None:
            self._wake()

    async def serve(self, sockets: list[socket.socket]) -> None:
        """`run`, in an event loop that runs already."""
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._wake = partial(loop.call_soon_threadsafe, stop.set)
        if self._asked.is_set():
            return
        server = _Embedded(self._app, sockets[0])
        serving = asyncio.create_task(server.serve())
        self._hooks.started()
        asked = asyncio.create_task(stop.wait())
        await asyncio.wait((asked, serving), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        self._hooks.stopping()
        cast("Any", server).stop()  # not annotated
        await serving


def granian_for(app: ASGIApp, hooks: Hooks) -> GranianServer:
    """A server for the app; sockets are given to its `run`."""
    return GranianServer(app, hooks)
