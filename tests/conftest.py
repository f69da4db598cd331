"""What every test obeys: no thread survives the test that started it, and CI skips nothing unnamed."""

import os
import threading
from collections.abc import Iterator

import pytest

from tests.waiting import wait_until

# Tests that CI may skip: the beginning of a test's id, and why.
MAY_BE_SKIPPED_IN_CI: dict[str, str] = {
    "tests/end_to_end/test_disk_full.py": "mounts a small tmpfs, which needs root",
}

# Threads of the tools around the tests, which live as long as the run.
TOOLS = ("pytest_timeout", "asyncio_", "Dummy-")

skipped: list[str] = []


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail the test that leaves a thread behind."""
    before = set(threading.enumerate())
    yield

    def leaked() -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t not in before and not t.name.startswith(TOOLS)]

    wait_until(lambda: not leaked(), timeout=5.0)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not report.nodeid.startswith(tuple(MAY_BE_SKIPPED_IN_CI)):
        skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if skipped and os.environ.get("CI") == "true" and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if skipped and os.environ.get("CI") == "true":
        terminalreporter.section("skipped in CI, and not on the list in tests/conftest.py")
        for nodeid in skipped:
            terminalreporter.write_line(nodeid)
