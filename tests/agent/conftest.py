"""Each test of the agent starts and ends without a default agent and without hooks."""

from collections.abc import Iterator

import pytest

from tests.agent.otlp import Collector
from tests.agent.otlp import collector as run_collector
from weft import guard
from weft.testing import ManualClock, RecordingReporter


@pytest.fixture(autouse=True)
def clean_process(monkeypatch) -> Iterator[None]:
    import os

    for name in [name for name in os.environ if name.startswith(("OTEL_", "WEFT_"))]:
        monkeypatch.delenv(name)
    guard.failures.clear()
    yield
    import weft
    from weft.hooks import install

    weft.shutdown(0.5)
    install.remove()


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def agent(reporter, clock):
    from weft.agent import Agent

    return Agent("cart", parts=reporter.parts(clock))


@pytest.fixture
def collector() -> Iterator[Collector]:
    with run_collector() as server:
        yield server
