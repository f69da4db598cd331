"""A collector that answers what a test tells it to: the page's whole world, on one thread and one socket.

It is an ASGI application below any path, with the headers that the collector sends. `show` replaces the graph
and tells every open stream; `break_down` makes it answer 503; `stream = False` refuses event streams.
"""

import asyncio
import json
import threading
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import uvicorn

from tests.waiting import wait_until
from weft_dashboard import static_dir

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
}


class FakeCollector:
    """Serve until `stop`.

    Args:
        snapshot: `{"graph": ..., "layout": ...}`, what every window answers unless `windows` names another.
        root: Path below which it is mounted, as behind a proxy; "" or "/some/path".
    """

    def __init__(self, snapshot: dict[str, Any], root: str = "") -> None:
        self.snapshot = snapshot
        self.windows: dict[str, dict[str, Any]] = {}
        self.spans_received = 0
        self.stream = True
        self.broken = False
        self.asked: list[str] = []
        self._root = root
        self.streams: list[asyncio.Event] = []
        config = uvicorn.Config(
            self._app, port=0, log_level="error", lifespan="off", ws="none", interface="asgi3"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="fake-collector")
        self._thread.start()
        wait_until(lambda: self._server.started)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        self.address = f"{self.origin}{root}"

    def show(self, snapshot: dict[str, Any]) -> None:
        self.snapshot = snapshot
        self._wake()

    def break_down(self, broken: bool = True) -> None:
        self.broken = broken
        self._wake()

    def _wake(self) -> None:
        for changed in list(self.streams):
            self._server.servers[0].get_loop().call_soon_threadsafe(changed.set)

    def stop(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._wake()
        self._thread.join(10)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix(self._root)
        self.asked.append(path)
        query = dict(part.split("=", 1) for part in scope["query_string"].decode().split("&") if "=" in part)
        if not path.startswith("/api/"):
            await _answer(send, *_file(path))
        elif self.broken:
            await _json(send, 503, {"title": "Not ready", "detail": "the log is being read"})
        elif path == "/api/v1/graph/live" and self.stream:
            await self._live(query["window"], receive, send)
        else:
            await self._read(path, query, send)

    async def _read(self, path: str, query: dict[str, str], send: Any) -> None:
        snapshot = self.windows.get(query.get("window", ""), self.snapshot)
        bodies = {
            "/api/v1/graph": snapshot["graph"],
            "/api/v1/graph/layout": snapshot["layout"],
            "/api/v1/status": {
                "spans_received": self.spans_received,
                "version": "0.1.0",
                "endpoint": self.address,
            },
        }
        status = 200 if path in bodies else 404
        await _json(send, status, bodies.get(path, {"title": "Not found"}))

    async def _live(self, window: str, receive: Any, send: Any) -> None:
        changed = asyncio.Event()
        self.streams.append(changed)
        gone = asyncio.ensure_future(_gone(receive))
        await _start(send, 200, "text/event-stream")
        try:
            while not self.broken and not gone.done():
                await _event(send, self.windows.get(window, self.snapshot))
                changing = asyncio.ensure_future(changed.wait())
                await asyncio.wait([gone, changing], return_when=asyncio.FIRST_COMPLETED)
                changing.cancel()
                changed.clear()
                if self._server.should_exit:
                    break
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.streams.remove(changed)
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _event(send: Any, snapshot: dict[str, Any]) -> None:
    text = f"event: graph\nid: {snapshot['graph']['version']}\ndata: {json.dumps(snapshot)}\n\n"
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _file(path: str) -> tuple[int, str, bytes]:
    root = static_dir()
    file = (root / path.lstrip("/")).resolve() if path != "/" else root / "index.html"
    if not file.is_relative_to(root) or not Path(file).is_file():
        return HTTPStatus.NOT_FOUND, "text/plain", b"no such file"
    return HTTPStatus.OK, TYPES[file.suffix], file.read_bytes()


async def _json(send: Any, status: int, body: Any) -> None:
    await _answer(send, status, "application/json", json.dumps(body).encode())


async def _answer(send: Any, status: int, kind: str, body: bytes) -> None:
    await _start(send, status, kind)
    await send({"type": "http.response.body", "body": body})


async def _start(send: Any, status: int, kind: str) -> None:
    headers = {
        "content-type": kind,
        "content-security-policy": POLICY,
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(status), "headers": pairs})
