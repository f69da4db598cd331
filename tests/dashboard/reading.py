"""What a test reads off the page."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page

MOVE = re.compile(r"translate\(([-\d.]+) ([-\d.]+)\)")


def node(page: Page, node_id: str) -> Locator:
    return page.locator(f'.node[data-id="{node_id}"]')


def edge(page: Page, edge_id: str) -> Locator:
    return page.locator(f'.edge[data-id="{edge_id}"]')


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Details")


def places(page: Page) -> dict[str, tuple[float, float]]:
    """Where each node is drawn on the map, in the collector's pixels."""
    rows = page.locator(".node").evaluate_all(
        "all => all.map(n => [n.dataset.id, n.getAttribute('transform')])"
    )
    return {node_id: (float(m[1]), float(m[2])) for node_id, text in rows if (m := MOVE.fullmatch(text))}


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.dataset?.id ?? document.activeElement.id")


def walk(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def query(page: Page) -> dict[str, str]:
    """The state that the page's address holds."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def until(page: Page, condition: Callable[[], object], tries: int = 200) -> None:
    """Wait while the page goes on working: `condition` is asked between its frames."""
    for _ in range(tries):
        if condition():
            return
        page.evaluate("new Promise(done => setTimeout(done, 25))")
    raise AssertionError(f"never: {condition}")
