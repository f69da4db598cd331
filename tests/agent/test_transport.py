"""One contract for all transports, and the HTTP one against a real server."""

import threading
import time

import pytest

from tests.agent.golden import CASES
from tests.agent.otlp import decode
from weft.testing import MemoryTransport
from weft.transport import COMPRESS_FROM, HttpTransport, proxy_for

from weft.encode import Encoder  # isort: skip

BODY = Encoder().encode(CASES["called"]())


class Memory:
    def __init__(self):
        self.transport = MemoryTransport()

    def bodies(self):
        return [decode(body) for body in self.transport.bodies]


class Http:
    def __init__(self, server):
        self.server = server
        self.transport = HttpTransport(server.url + "/v1/traces", {})

    def bodies(self):
        return self.server.requests


@pytest.fixture(params=["memory", "http"])
def subject(request, collector):
    made = Memory() if request.param == "memory" else Http(collector)
    yield made
    made.transport.close()


def test_a_body_arrives_whole(subject):
    outcome = subject.transport.send(BODY, 10)
    assert outcome.delivered
    assert not outcome.rejected
    assert subject.bodies() == [decode(BODY)]


def test_bodies_arrive_in_order_and_after_a_close_too(subject):
    for _ in range(2):
        assert subject.transport.send(BODY, 10).delivered
        subject.transport.close()
        subject.transport.close()
    assert subject.bodies() == [decode(BODY)] * 2


@pytest.fixture
def transport(collector):
    made = HttpTransport(collector.url + "/v1/traces", {"authorization": "Bearer x"})
    yield made
    made.close()


def test_requests_are_otlp_and_carry_the_settings_headers(transport, collector):
    transport.send(BODY, 10)
    headers = collector.headers[0]
    assert collector.paths == ["/v1/traces"]
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["authorization"] == "Bearer x"
    assert headers["user-agent"].startswith("weft/")
    assert "content-encoding" not in headers


def test_large_bodies_are_compressed(transport, collector):
    spans = CASES["called"]() * 20
    body = Encoder().encode(spans)
    assert len(body) > COMPRESS_FROM
    assert transport.send(body, 10).delivered
    assert collector.headers[0]["content-encoding"] == "gzip"
    assert int(collector.headers[0]["content-length"]) < len(body) / 2
    assert collector.requests == [decode(body)]


def test_partial_success(transport, collector):
    collector.answers = [(200, {}, b"\x0a\x06\x08\x02\x12\x02no")]
    outcome = transport.send(BODY, 10)
    assert (outcome.delivered, outcome.rejected, outcome.problem) == (True, 2, "no")


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (400, False),
        (401, False),
        (404, False),
        (413, False),
        (429, True),
        (500, False),
        (502, True),
        (503, True),
        (504, True),
        (302, False),
    ],
)
def test_status_codes(transport, collector, status, retryable):
    collector.answers = [(status, {"retry-after": "4"}, b"why")]
    outcome = transport.send(BODY, 10)
    assert not outcome.delivered
    assert (outcome.retryable, outcome.retry_after) == (retryable, 4.0)
    assert outcome.problem == f"HTTP {status} why"
    assert transport.send(BODY, 10).delivered


def test_nobody_there():
    transport = HttpTransport("http://127.0.0.1:9/v1/traces", {})
    outcome = transport.send(BODY, 5)
    assert (outcome.delivered, outcome.retryable) == (False, True)
    assert "ConnectError" in outcome.problem


def test_nobody_answers(transport, collector):
    collector.hanging = threading.Event()
    begin = time.monotonic()
    outcome = transport.send(BODY, 0.2)
    assert time.monotonic() - begin < 5
    assert (outcome.delivered, outcome.retryable) == (False, True)
    assert "ReadTimeout" in outcome.problem
    collector.hanging.set()


def test_a_connection_that_the_collector_closed_is_opened_again(transport, collector):
    for _ in range(2):
        collector.answers = [(200, {"connection": "close"}, b"")]
        assert transport.send(BODY, 10).delivered
    assert len(collector.requests) == 2


def test_an_endless_answer_is_not_read_to_its_end(transport, collector):
    collector.answers = [(200, {}, b"x" * 10_000_000)]
    assert transport.send(BODY, 10).delivered


def test_nothing_of_it_is_logged(transport, caplog):
    import logging

    with caplog.at_level(logging.INFO):
        transport.send(BODY, 10)
    assert caplog.records == []


def test_proxies_of_the_environment(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert proxy_for("http://collector.example:4318/v1/traces") == "http://proxy:3128"
    assert proxy_for("http://inside.example:4318/v1/traces") is None
    assert proxy_for("http://127.0.0.1:4318/v1/traces") is None
    assert proxy_for("http://localhost:4318/v1/traces") is None
