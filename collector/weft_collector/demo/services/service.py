"""What the demo's services are made of: routes, plain counters, calls to other services.

There is no Weft code in here. A service counts the calls that it answered itself (`counters.py`), so that the
graph, which comes from the agent, can be held against something that does not come from the agent.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from weft_collector.demo import addresses
from weft_collector.demo.counters import CALLER_HEADER, Counters, Edge
from weft_collector.demo.topology import CLIENT

FOLDER_VARIABLE = "DEMO_FOLDER"
TIMEOUT_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 60
"""Longer than httpx keeps idle connections (5 s), so that none is closed under a request."""

ADDRESSES = addresses.from_environment()
FOLDER = Path(os.environ.get(FOLDER_VARIABLE, "."))

Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """One service: an ASGI app, its counters, and a client for calls to its neighbours.

    Args:
        name: What neighbours call it.
        at_stop: Called once when the service has answered its last request.
    """

    def __init__(self, name: str, at_stop: Callable[[], None] | None = None) -> None:
        self.name = name
        self.counters = Counters()
        self.app = Starlette(lifespan=self._lifespan)
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_SECONDS, headers={CALLER_HEADER: name}, trust_env=False
        )
        self._at_stop = at_stop

    def route(self, path: str, method: str = "GET") -> Callable[[Handler], Handler]:
        """Register a handler; each answer of it is counted."""

        def add(handler: Handler) -> Handler:
            self.app.add_route(path, self._counted(handler), methods=[method])
            return handler

        return add

    async def get(self, service: str, path: str) -> httpx.Response:
        """Call another service."""
        return await self._call("GET", service, path)

    async def post(self, service: str, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Call another service to change something."""
        return await self._call("POST", service, path, headers)

    async def _call(
        self, method: str, service: str, path: str, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        host, port = ADDRESSES[service]
        return await self._client.request(method, f"http://{host}:{port}{path}", headers=headers)

    def _counted(self, handler: Handler) -> Handler:
        async def counted(request: Request) -> Response:
            edge = Edge(request.headers.get(CALLER_HEADER, CLIENT), self.name)
            failed = True
            try:
                response = await handler(request)
                failed = response.status_code >= 500
            finally:
                self.counters.call(edge, failed=failed)
            return response

        return counted

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        yield
        await self._client.aclose()
        self.counters.write(FOLDER, self.name)
        if self._at_stop is not None:
            self._at_stop()


def serve(**apps: ASGIApp) -> None:
    """Serve each app on the port of the service it is named after, all in this process, until SIGTERM."""
    asyncio.run(_serve_all(apps))


async def _serve_all(apps: dict[str, ASGIApp]) -> None:
    await asyncio.gather(*(_server(app, *ADDRESSES[name]).serve() for name, app in apps.items()))


def _server(app: ASGIApp, host: str, port: int) -> uvicorn.Server:
    config = uvicorn.Config(
        app, host, port, access_log=False, log_level="warning", timeout_keep_alive=KEEP_ALIVE_SECONDS
    )
    return uvicorn.Server(config)
