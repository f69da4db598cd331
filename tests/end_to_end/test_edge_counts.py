"""Edge counts against a real collector: from OpenTelemetry's own metrics SDK, and through kills, rebuild and verify."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from tests.collector.cli.process import environment, serving, weft
from tests.collector.wire.count_factory import MINUTE, TO_CART, body, point
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)  # a first start compiles the collector's kernels

SDK = """
import json, sys
from opentelemetry.exporter.otlp.proto.{module}.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

reader = PeriodicExportingMetricReader(
    OTLPMetricExporter(preferred_temporality={{Histogram: AggregationTemporality.DELTA}}), 3_600_000
)
buckets = ExponentialBucketHistogramAggregation(max_size=992, max_scale=4)
provider = MeterProvider(
    [reader],
    Resource({{"service.name": "web", "service.instance.id": "{module}"}}),
    views=[View(instrument_name="weft.edge.duration", aggregation=buckets)],
)
meter = provider.get_meter("test")
edges = meter.create_histogram("weft.edge.duration", "ns")
others = meter.create_counter("requests"), meter.create_counter("bytes")
for _ in range(2):
    for number, other in enumerate(others):
        other.add(1 + number)
    for duration in (1_000, 2_000_000, 2_000_000):
        edges.record(duration, json.loads(sys.argv[1]))
    assert provider.force_flush()
provider.shutdown()
"""


def rows(url):
    answer = httpx.get(f"{url}/api/v1/edge-counts", params={"window": "1h", "limit": 10_000}).json()
    assert answer["complete"]
    return answer["rows"]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("metrics"), "--port", "0") as process:
        process.url = process.await_ready()
        yield process
        assert process.stop() == 0


@pytest.mark.parametrize(
    ("module", "compression"),
    [("http", ""), ("http", "gzip"), ("http", "deflate"), ("grpc", ""), ("grpc", "gzip")],
)
def test_the_metrics_sdk_can_send_edge_counts_and_everything_else_at_once(
    running, tmp_path, module, compression
):
    endpoint = running.url if module == "http" else f"http://{running.grpc}"
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    if compression:
        settings["OTEL_EXPORTER_OTLP_COMPRESSION"] = compression
    words = TO_CART | {"weft.operation": f"{module} {compression}"}
    command = [sys.executable, "-c", SDK.format(module=module), json.dumps(words)]
    before = counters(running)["parts_not_kept"].get("metrics", 0)
    done = subprocess.run(
        command, capture_output=True, check=False, env=environment(tmp_path, **settings), timeout=100
    )
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    own = [row for row in rows(running.url) if row["operation"] == words["weft.operation"]]
    assert {row["caller"]["instance"] for row in own} == {module}
    assert (sum(row["calls"] for row in own), sum(row["points"] for row in own)) == (6, 2)
    assert counters(running)["parts_not_kept"]["metrics"] >= before + 4
    assert counters(running)["edge_points_rejected"] == {}


def counters(process):
    return httpx.get(f"{process.url}/api/v1/status").json()["counters"]


def sent(number):
    """A body with a point of its own."""
    start = time.time_ns() // MINUTE * MINUTE + number
    sender = {"service.name": "web", "service.instance.id": f"web-{number}"}
    return body(point([1_000] * 3, start=start, time=start + 1), sender=sender)


class Load:
    """Sends bodies until the collector is gone; remembers which were acknowledged."""

    def __init__(self, first):
        self.bodies, self.acknowledged = {}, set()
        self._next, self._lock = first, threading.Lock()

    def has(self, count):
        """Whether so many bodies were acknowledged."""
        return len(self.acknowledged) >= count

    def run(self, url):
        with httpx.Client(timeout=30) as client:
            try:
                while True:
                    with self._lock:
                        number, self._next = self._next, self._next + 1
                        self.bodies[number] = sent(number)
                    post(client, url, self.bodies[number])
                    self.acknowledged.add(number)
            except httpx.TransportError:
                return


def post(client, url, content):
    headers = {"content-type": "application/x-protobuf"}
    assert client.post(f"{url}/v1/metrics", content=content, headers=headers).content == b""


def instances(url):
    """Points by instance."""
    found = rows(url)
    assert {row["calls"] for row in found} <= {3}
    return {row["caller"]["instance"]: row["points"] for row in found}


def test_a_killed_collector_keeps_what_it_acknowledged_and_counts_nothing_twice(tmp_path):
    bodies, acknowledged = {}, set()
    for round_ in range(3):
        with serving(tmp_path, "--port", "0") as process, ThreadPoolExecutor(4) as senders:
            url = process.await_ready()
            held = instances(url)
            assert {f"web-{number}" for number in acknowledged} <= set(held)
            with httpx.Client(timeout=30) as client:
                for number in sorted(bodies)[-30:]:  # senders that had no answer send again
                    post(client, url, bodies[number])
            load = Load(1_000 * round_)
            runs = [senders.submit(load.run, url) for _ in range(4)]
            wait_until(partial(load.has, 60 + 17 * round_))
            process.process.kill()
            for run in runs:
                run.result()
            bodies |= load.bodies
            acknowledged |= load.acknowledged
    with serving(tmp_path, "--port", "0") as process:
        held = instances(process.await_ready())
        assert {f"web-{number}" for number in acknowledged} <= set(held)
        assert set(held.values()) == {1}
        assert process.stop() == 0
    for command in ("verify", "rebuild", "verify"):
        done = weft(tmp_path, command, "--data", tmp_path / "data")
        assert done.returncode == 0, done.stdout + done.stderr
    with serving(tmp_path, "--port", "0") as process:
        assert instances(process.await_ready()) == held
        assert process.stop() == 0
