"""The app: wires the surfaces together, and nothing else."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from weft_collector.api import (
    docs,
    edge_counts,
    explain,
    export,
    graph,
    problems,
    query,
    search,
    status,
    traces,
)
from weft_collector.api.documents import DESCRIPTION, TAGS
from weft_collector.api.doors import TRACES, ZIPKIN
from weft_collector.api.grpc_server import GrpcServer
from weft_collector.api.ingest import Ingest, Receiving
from weft_collector.api.other_signals import SignalDoor
from weft_collector.api.parts import Parts
from weft_collector.api.receiving import Budget, Receiver
from weft_collector.api.security import Guard
from weft_collector.api.signals import SIGNALS, signal_intake
from weft_collector.api.static_files import PageFiles
from weft_collector.errors import CollectorError

__all__ = ["create_app"]

# FastAPI traces itself where it finds a provider; a collector that records its own ingest would never rest.
_SILENT: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


class _App(FastAPI):
    """An app whose guard stands before everything, the handler of unforeseen errors included.

    Where spans come in, only the guard stands: the framework's way to an endpoint costs as much as all the rest
    of a small request.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """See Starlette."""
        parts: Parts = self.state.parts
        doors = {path: _guarded(door) for path, door in _doors(parts, self.state.budget).items()}
        framework = super().build_middleware_stack()

        async def by_path(scope: Scope, receive: Receive, send: Send) -> None:
            await doors.get(scope.get("path", ""), framework)(scope, receive, send)

        return Guard(by_path, parts.surface.rules)


def create_app(parts: Parts) -> FastAPI:
    """The collector's HTTP surfaces over its parts.

    Args:
        parts: What is served. The app starts `parts.lifecycle` beside the event loop and stops it at the end.
    """
    app = _App(
        title="Weft", version=parts.surface.version, description=DESCRIPTION, openapi_tags=TAGS,
        lifespan=_lifespan, docs_url=None, redoc_url=None, telemetry=_SILENT,
    )  # fmt: skip
    app.state.parts = parts
    app.state.budget = Budget(parts.surface.receiving_bytes)
    for surface in (graph, explain, edge_counts, traces, search, query, export, status):
        app.include_router(surface.router)
    problems.install(app)
    docs.install(app)
    if parts.surface.dashboard is not None:
        app.mount("/", PageFiles(directory=parts.surface.dashboard, html=True), name="dashboard")
    return app


def _guarded(door: ASGIApp) -> ASGIApp:
    """A door whose defects are answered as those of the framework's routes."""
    return ServerErrorMiddleware(door, handler=problems.unforeseen)


def _doors(parts: Parts, budget: Budget) -> dict[str, ASGIApp]:
    """The ways in over HTTP, by path; all ways in, those of gRPC included, share one budget."""
    surface = parts.surface
    receiver = Receiver(surface.body_bytes, surface.body_seconds)
    receiving = Receiving(parts.lifecycle, parts.intake, receiver, budget, parts.telemetry)
    doors: dict[str, ASGIApp] = {door.path: Ingest(door, receiving) for door in (TRACES, ZIPKIN)}
    intake = signal_intake(parts)
    for signal in SIGNALS.values():
        doors[f"/v1/{signal.name}"] = SignalDoor(signal, receiving, intake)
    return doors


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Start in a thread, so that the ports answer meanwhile; the lifecycle tells of a failure."""
    parts: Parts = app.state.parts
    calls = GrpcServer(parts, app.state.budget)
    starting = asyncio.create_task(_start(parts, calls))
    try:
        yield
    finally:
        parts.lifecycle.stopping()
        with suppress(CollectorError):
            await starting
        await calls.stop()
        await asyncio.to_thread(parts.lifecycle.stop)


async def _start(parts: Parts, calls: GrpcServer) -> None:
    try:
        await calls.start()
    except CollectorError as error:
        parts.lifecycle.fail(error)
        raise
    await asyncio.to_thread(parts.lifecycle.start)
