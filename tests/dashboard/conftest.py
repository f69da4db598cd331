"""A browser for each module of browser tests, a fake collector and a watched page for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.dashboard import fake_graph
from tests.dashboard.browser import Watch, chromium, watched_page
from tests.dashboard.fake_collector import FakeCollector


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def collector() -> Iterator[FakeCollector]:
    collector = FakeCollector(fake_graph.shop())
    yield collector
    collector.stop()


@pytest.fixture
def watched(browser: Browser, collector: FakeCollector) -> Iterator[tuple[Page, Watch]]:
    with watched_page(browser, collector.origin) as watched:
        yield watched


@pytest.fixture
def page(watched: tuple[Page, Watch], collector: FakeCollector) -> Page:
    """The page, open on the shop's map."""
    page, _ = watched
    page.goto(f"{collector.address}/")
    page.locator(".node").first.wait_for()
    return page
