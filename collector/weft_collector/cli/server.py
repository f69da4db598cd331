"""uvicorn, with what a collector needs beyond it.

* A deadline for headers: uvicorn waits for them for ever, so a client that trickles one byte a minute would
  hold a connection. The deadline also ends a body that goes on after it was refused.
* A word before the connections are closed: open event streams must end for the server to stop.
"""

import asyncio
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Hooks", "Server", "server_for"]

HEADER_SECONDS: Final = 10.0
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than exporters' usual interval of 5 s: a connection closed as a batch is sent would lose it."""
STOP_SECONDS: Final = 10
CONNECTIONS: Final = 4096


class DeadlineProtocol(H11Protocol):
    """HTTP/1.1 with a deadline for each request's headers."""

    header_seconds = HEADER_SECONDS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        if self._is_served():
            self._end_deadline()
        elif self._deadline is None:
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._end_deadline()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """See H11Protocol: the keep-alive time is the limit from here on."""
        self._end_deadline()
        super().on_response_complete()

    def _is_served(self) -> bool:
        """Whether a request's headers are complete and its answer is not."""
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison] # None before the first request

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.header_seconds, self._give_up)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.close()


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told.

    Attributes:
        started: Called when connections are accepted.
        stopping: Called when a signal asks to stop, before connections are closed.
    """

    started: Callable[[], None]
    stopping: Callable[[], None]


class Server(uvicorn.Server):
    """A uvicorn server with hooks."""

    def __init__(self, config: uvicorn.Config, hooks: Hooks) -> None:
        super().__init__(config)
        self._hooks = hooks

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        self._hooks.started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        self._hooks.stopping()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn; the signal is not raised again at the end, since stopping on demand is success."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def server_for(app: ASGIApp, hooks: Hooks) -> Server:
    """A server for the app; sockets are given to its `run`."""
    _allow_connections()
    config = uvicorn.Config(
        app, http=DeadlineProtocol, ws="none", lifespan="on", log_config=None, log_level="warning",
        access_log=False, server_header=False, timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS, limit_concurrency=CONNECTIONS,
    )  # fmt: skip
    return Server(config, hooks)


def _allow_connections() -> None:
    """Take as many file descriptors as the system lets us, up to what CONNECTIONS needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 512
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
