"""A whole collector in this process: the real parts on a folder of their own, with a clock set by hand."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from tests.collector.api import bodies
from weft_collector.api.app import create_app
from weft_collector.cli.assembly import Outside, assemble
from weft_collector.config import Config
from weft_collector.testing import ManualClock

NOW_NS = int(datetime(2026, 11, 23, 10, 7, 30, tzinfo=UTC).timestamp()) * 1_000_000_000
URL = "http://127.0.0.1:4318"
PROTOBUF = {"content-type": "application/x-protobuf"}


class InProcess:
    """Asks the app as a client would, over ASGI instead of a socket."""

    def __init__(self, parts, clock):
        self.parts = parts
        self.clock = clock
        self.app = create_app(parts)

    def client(self, **options):
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=URL, **options)

    def run(self, talk):
        """Run `talk(client)` and return what it returns."""

        async def main():
            async with self.client() as client:
                return await talk(client)

        return asyncio.run(main())

    def request(self, method, path, **options):
        return self.run(lambda client: client.request(method, path, **options))

    def get(self, path, **params):
        return self.request("GET", path, params=params)

    def post(self, content, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", "/v1/traces", content=content, headers=PROTOBUF | names)

    def ingest_shop(self):
        assert self.post(bodies.shop(self.clock() - 60_000_000_000)).status_code == 200


@pytest.fixture
def clock():
    return ManualClock(NOW_NS)


@pytest.fixture
def make_collector(tmp_path, clock):
    """Make a collector, by default a ready one; flags are settings."""
    made = []

    def make(start=True, dashboard=None, **flags):
        small = {"data": tmp_path / "data", "head_spans": 1 << 17, "pairing_entries": 1 << 14}
        config = Config.load({}, small | flags)
        parts = assemble(config, Outside(URL, clock, dashboard, tick_seconds=0.01, monotonic=lambda: 0.0))
        made.append(parts)
        if start:
            parts.lifecycle.start()
        return InProcess(parts, clock)

    yield make
    for parts in made:
        parts.lifecycle.stop()
        parts.log.close()


@pytest.fixture
def collector(make_collector):
    return make_collector()
