import asyncio
import os

import httpx
import pytest
from starlette.responses import JSONResponse

from weft_collector.demo.counters import Count, Edge, read
from weft_collector.demo.services import service as module
from weft_collector.demo.services.service import Service


@pytest.fixture
def shelf():
    """A service with an answer of every kind."""
    service = Service("shelf")

    @service.route("/good")
    async def good(_request):
        return JSONResponse({})

    @service.route("/missing")
    async def missing(_request):
        return JSONResponse({}, status_code=404)

    @service.route("/bad", "POST")
    async def bad(_request):
        return JSONResponse({}, status_code=500)

    @service.route("/broken")
    async def broken(_request):
        raise RuntimeError("broken")

    return service


def ask(service, method, path, **headers):
    async def scenario():
        transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shelf") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(scenario())


def test_calls_are_counted_by_caller(shelf):
    ask(shelf, "GET", "/good")
    ask(shelf, "GET", "/good", **{"x-demo-caller": "web"})
    assert shelf.counters.totals() == {
        Edge("client", "shelf"): Count(1, 0),
        Edge("web", "shelf"): Count(1, 0),
    }


@pytest.mark.parametrize(
    ("method", "path", "errors"), [("GET", "/missing", 0), ("POST", "/bad", 1), ("GET", "/broken", 1)]
)
def test_only_answers_of_the_server_error_class_are_errors(shelf, method, path, errors):
    ask(shelf, method, path)
    assert shelf.counters.totals() == {Edge("client", "shelf"): Count(1, errors)}


def test_a_call_names_its_caller(shelf, monkeypatch):
    monkeypatch.setattr(module, "ADDRESSES", {"shelf": ("shelf", 80)})
    web = Service("web")
    web._client = httpx.AsyncClient(transport=httpx.ASGITransport(shelf.app), headers=web._client.headers)

    async def scenario():
        await web.get("shelf", "/good")
        await web.post("shelf", "/bad", {"x-more": "1"})

    asyncio.run(scenario())
    assert shelf.counters.totals() == {Edge("web", "shelf"): Count(2, 1)}


def test_counters_are_written_at_the_end(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    stopped = []
    service = Service("shelf", at_stop=lambda: stopped.append(len(read(tmp_path))))
    service.counters.call(Edge("web", "shelf"))

    async def scenario():
        async with service.app.router.lifespan_context(service.app):
            assert not list(tmp_path.iterdir())

    asyncio.run(scenario())
    assert read(tmp_path) == {Edge("web", "shelf"): Count(1, 0)}
    assert [path.name for path in tmp_path.iterdir()] == [f"shelf-{os.getpid()}.json"]
    assert stopped == [1]
