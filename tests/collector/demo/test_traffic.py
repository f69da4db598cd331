import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from weft_collector.demo.topology import Topology, Visit
from weft_collector.demo.traffic import Traffic, url

TOPOLOGY = Topology("t", (), {}, (Visit("a", "/x", weight=3), Visit("a", "/y", "POST")), 1.0, ())


@asynccontextmanager
async def server(status=200):
    """A bare HTTP server that remembers each request's head."""
    heads = []

    async def answer(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heads.append(head.decode().lower())
                writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode())
        except asyncio.IncompleteReadError:
            writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listener:
        yield {"a": listener.sockets[0].getsockname()[:2]}, heads


async def visits(addresses, number):
    traffic = Traffic(TOPOLOGY, addresses, random.Random(1))
    stop = asyncio.Event()
    running = asyncio.create_task(traffic.run(500.0, stop))
    await passed(lambda: traffic.ended >= number)
    stop.set()
    await running
    return traffic


async def passed(condition):
    """Wait for something that only the loop can bring about."""
    while not condition():  # noqa: ASYNC110 - Traffic has no event for it, and needs none outside of tests
        await asyncio.sleep(0.001)


def test_visits_carry_no_trace_header_and_no_caller():
    async def scenario():
        async with server() as (addresses, heads):
            await visits(addresses, 20)
        return heads

    heads = asyncio.run(scenario())
    assert len(heads) >= 20
    for name in ("traceparent", "tracestate", "baggage", "b3", "x-demo-caller"):
        assert not [head for head in heads if f"\r\n{name}:" in head]


def test_the_mix_follows_the_weights():
    async def scenario():
        async with server() as (addresses, _):
            return await visits(addresses, 60)

    paths = Counter(answer.path for answer in asyncio.run(scenario()).answers)
    assert paths["/x"] > paths["/y"] > 0


def test_no_visit_is_in_flight_at_the_end():
    async def scenario():
        async with server(500) as (addresses, heads):
            traffic = await visits(addresses, 5)
            assert len(heads) == traffic.ended
        return traffic

    traffic = asyncio.run(scenario())
    assert {answer.status for answer in traffic.answers} == {500}
    assert traffic.unanswered == 0


def test_a_visit_without_an_answer_is_counted(unused_port):
    traffic = asyncio.run(visits({"a": ("127.0.0.1", unused_port)}, 3))
    assert traffic.unanswered == traffic.ended >= 3
    assert {answer.status for answer in traffic.answers} == {0}


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_ticks_are_skipped_when_too_many_visits_are_in_flight(monkeypatch):
    monkeypatch.setattr("weft_collector.demo.traffic.IN_FLIGHT", 0)

    async def scenario():
        traffic, stop = Traffic(TOPOLOGY, {}, random.Random(1)), asyncio.Event()
        running = asyncio.create_task(traffic.run(500.0, stop))
        await passed(lambda: traffic.skipped >= 3)
        stop.set()
        await running
        return traffic

    assert asyncio.run(scenario()).ended == 0


def test_the_address_of_a_visit():
    assert url({"a": ("127.0.0.1", 80)}, TOPOLOGY.visits[0]) == "http://127.0.0.1:80/x"


def test_traffic_that_is_behind_its_rate_stops_all_the_same():
    async def scenario():
        async with server() as (addresses, _):
            clock = iter(range(0, 10**9, 3600))  # an hour passes at each look: always behind
            traffic = Traffic(TOPOLOGY, addresses, random.Random(1), lambda: float(next(clock)))
            stop = asyncio.Event()
            stop.set()
            await asyncio.wait_for(traffic.run(500.0, stop), 30)
            return traffic

    assert asyncio.run(scenario()).ended == 0
