"""A real Chromium for the tests: found, started once for a module; its pages are watched for complaints."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VIEW = {"width": 1400, "height": 900}
WAIT_MS = 10_000


def find_chromium() -> str | None:
    """Path of a Chromium: WEFT_CHROMIUM, Debian's place, else whatever the PATH has."""
    named = os.environ.get("WEFT_CHROMIUM")
    options = [named] if named else ["/usr/bin/chromium", *(shutil.which(name) for name in CANDIDATES)]
    return next((path for path in options if path and os.access(path, os.X_OK)), None)


def require_chromium() -> str:
    """The path; skips where there is none, fails where the browser tests must not be missing (CI=true)."""
    path = find_chromium()
    if path:
        return path
    message = "no Chromium found: install Debian's `chromium`, or name one in WEFT_CHROMIUM"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser. Playwright keeps an event loop on this thread, so end it before the module ends."""
    path = require_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What a page said and asked for."""

    def __init__(self, page: Page, origin: str) -> None:
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self._origin = origin
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._see(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")

    def _see(self, url: str) -> None:
        if not url.startswith((self._origin, "data:", "blob:")):
            self.foreign.append(url)


@contextmanager
def watched_page(browser: Browser, origin: str, **options: object) -> Iterator[tuple[Page, Watch]]:
    """A page of its own profile; options are those of Playwright's `new_context`."""
    context = browser.new_context(**{"viewport": VIEW, "reduced_motion": "reduce", **options})
    context.set_default_timeout(WAIT_MS)
    try:
        page = context.new_page()
        yield page, Watch(page, origin)
    finally:
        context.close()
