"""The pages of the real collector in a real Chromium, under the policies that they are sent with."""

import time

import httpx
import pytest

from tests.collector.api import bodies
from tests.collector.cli.process import serving
from tests.dashboard.browser import chromium, watched_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("pages"), "--port", "0") as process:
        url = process.await_ready()
        headers = {"content-type": "application/x-protobuf"}
        body = bodies.shop(time.time_ns() - 60_000_000_000)
        httpx.post(f"{url}/v1/traces", content=body, headers=headers).raise_for_status()
        yield url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_the_api_shows_every_path_and_loads_nothing_from_outside(browser, url, scheme):
    with watched_page(browser, url, color_scheme=scheme) as (page, watch):
        page.goto(f"{url}/docs")
        page.locator("details").first.wait_for()
        paths = httpx.get(f"{url}/openapi.json").json()["paths"]
        assert sorted(page.locator(".path").all_inner_texts()) == sorted(paths)
        assert not watch.foreign
        assert not watch.complaints


def test_the_page_of_the_api_asks_the_collector(browser, url):
    with watched_page(browser, url) as (page, watch):
        page.goto(f"{url}/docs")
        block = page.locator("details").filter(has_text="/api/v1/graph").first
        block.locator("summary").click()
        block.get_by_label("window", exact=True).fill("1h")
        block.get_by_role("button").click()
        block.locator("[aria-live] pre").wait_for()
        assert "window=1h" in block.locator("[aria-live] a").inner_text()
        assert '"service:cart"' in block.locator("[aria-live] pre").inner_text()
        assert not watch.foreign
        assert not watch.complaints


def test_the_dashboard_shows_the_graph_of_the_real_collector(browser, url):
    with watched_page(browser, url) as (page, watch):
        page.goto(url)
        page.locator(".node").first.wait_for()
        assert page.locator(".node").count() == 4
        assert not watch.foreign
        assert not watch.complaints
