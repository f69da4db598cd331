import asyncio

import pytest

from tests.collector.api import bodies
from weft_collector.api import schemas
from weft_collector.api.lifecycle import Lifecycle, State
from weft_collector.errors import CorruptLog, NotReady


def test_the_status_has_its_documented_shape_and_counts(collector):
    collector.ingest_shop()
    collector.post(b"\xff")
    collector.clock.advance(5)
    status = schemas.Status.model_validate(collector.get("/api/v1/status").json())
    assert status.state == "ready"
    assert status.spans_received == 19
    assert status.endpoint == "http://127.0.0.1:4318"
    assert status.uptime_seconds == 5
    assert status.log.size_bytes > 0
    assert status.in_flight_bytes == 0
    assert status.counters["bodies_refused"] == {"malformed": 1}


def test_health_and_readiness_of_a_running_collector(collector):
    assert collector.get("/healthz").json() == {"status": "ok"}
    assert collector.get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize(
    "path", ["/readyz", "/api/v1/graph", "/api/v1/graph/layout", "/api/v1/graph/render", "/api/v1/graph/live",
             f"/api/v1/traces/{1:032x}", "/api/v1/export/calls"],
)  # fmt: skip
def test_a_collector_that_starts_answers_503_to_queries_and_lives(make_collector, path):
    collector = make_collector(start=False)
    response = collector.get(path)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert "starting" in response.json()["detail"]
    assert collector.get("/healthz").status_code == 200
    assert collector.get("/api/v1/status").json()["state"] == "starting"


def test_spans_read_from_the_log_count_as_received(make_collector):
    first = make_collector()
    first.ingest_shop()
    before = first.get("/api/v1/graph").json()
    first.parts.lifecycle.stop()
    first.parts.log.close()
    again = make_collector()
    assert again.get("/api/v1/status").json()["spans_received"] == 19
    after = again.get("/api/v1/graph").json()
    assert {**after, "version": 0} == {**before, "version": 0}


class Intake:
    """An intake that reads a log of so many spans, and remembers what was asked of it."""

    def __init__(self, read=lambda progress: 0):
        self.read = read
        self.done = []

    def replay(self, progress):
        return self.read(progress)

    def start(self):
        self.done.append("start")

    def stop(self):
        self.done.append("stop")


def test_progress_is_told_and_shown_until_ready():
    seen = []

    def read(progress):
        progress(1234)
        with pytest.raises(NotReady, match="1,234"):
            lifecycle.require_ready()
        return 2000

    intake = Intake(read)
    lifecycle = Lifecycle(
        intake, lambda report: report("preparing"), lambda state, text: seen.append((state, text))
    )
    lifecycle.start()
    lifecycle.require_ready()
    assert lifecycle.spans_read == 2000
    assert [text for _, text in seen] == ["preparing", "reading the log, 1,234 spans so far", "ready"]
    assert [state for state, _ in seen] == [State.STARTING, State.STARTING, State.READY]
    assert intake.done == ["start"]


def test_a_start_ends_early_when_the_collector_is_stopped():
    def read(progress):
        lifecycle.stopping()
        progress(1)
        return 1

    intake = Intake(read)
    lifecycle = Lifecycle(intake, lambda report: None)
    lifecycle.start()
    lifecycle.stop()
    assert lifecycle.state is State.STOPPING
    assert intake.done == ["stop"]


@pytest.mark.parametrize("error", [CorruptLog("block 7"), ZeroDivisionError("a defect")])
def test_a_start_that_fails_is_told(error):
    def read(progress):
        raise error

    seen = []
    lifecycle = Lifecycle(Intake(read), lambda report: None, lambda state, text: seen.append((state, text)))
    with pytest.raises(type(error)):
        lifecycle.start()
    assert [state for state, _ in seen] == [State.FAILED]
    with pytest.raises(NotReady, match="failed"):
        lifecycle.require_ready()


def test_the_app_starts_and_stops_its_parts(make_collector):
    collector = make_collector(start=False)

    async def main():
        async with collector.app.router.lifespan_context(collector.app), collector.client() as client:
            for _ in range(2000):
                if (await client.get("/readyz")).status_code == 200:
                    break
                await asyncio.sleep(0.01)
            body = bodies.shop(collector.clock())
            headers = {"content-type": "application/x-protobuf"}
            return (await client.post("/v1/traces", content=body, headers=headers)).status_code

    assert asyncio.run(main()) == 200
    assert collector.parts.lifecycle.state is State.STOPPING
    assert not collector.parts.intake.ready
