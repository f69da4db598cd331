"""The collector is killed in mid traffic and started again: nothing acknowledged is lost, no service notices.

One campaign, looked at by several tests. Shop services serve visits all the time; senders of our own post
OTLP bodies and remember which ones were acknowledged and which were never answered.
"""

import asyncio
import io
import random
import statistics
import time
from typing import NamedTuple

import httpx
import pytest
from rich.console import Console

from tests.end_to_end.otlp import Span, body, chain, naive_graph
from tests.end_to_end.weft_command import free_port, graph
from weft_collector.demo import counters
from weft_collector.demo.compare import compare, edges
from weft_collector.demo.processes import Processes
from weft_collector.demo.programs import COLLECTOR
from weft_collector.demo.stage import Options, set_up
from weft_collector.demo.topology import SHOP
from weft_collector.demo.traffic import Traffic

pytestmark = pytest.mark.timeout(300)  # a first start compiles the collector's kernels

RATE = 12.0
VISITS = 50
SENDERS, TRACES_PER_BODY = 3, 2
PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 90.0
QUIET_PATH = "/search?q=lamp"
"""Its answers take the same time always: no dice are thrown on the way."""


class Campaign(NamedTuple):
    """What the campaign left to look at; times are of the monotonic clock."""

    acknowledged: list[list[Span]]
    unanswered: list[list[Span]]
    stored: dict[bytes, set[bytes]]
    graph: dict
    grown: tuple[int, int]
    killed_at: float
    restarted_at: float
    traffic: Traffic
    rows: list
    stale: int


class Sender:
    """Posts bodies one after the other, and never the same twice."""

    def __init__(self, url, dice):
        self.acknowledged, self.unanswered = [], []
        self._url = f"{url}/v1/traces"
        self._dice = dice

    async def run(self, stop):
        async with httpx.AsyncClient(headers={"content-type": "application/x-protobuf"}) as client:
            while not stop.is_set():
                spans = [span for _ in range(TRACES_PER_BODY) for span in self._trace()]
                answered = await self._send(client, spans)
                await asyncio.sleep(PAUSE_SECONDS if answered else 10 * PAUSE_SECONDS)

    def _trace(self):
        path = self._dice.sample([f"crash-{letter}" for letter in "abcde"], 3)
        return chain(self._dice.randrange(100), path, self._dice.randbytes)

    async def _send(self, client, spans):
        try:
            answered = (await client.post(self._url, content=body(spans))).status_code == 200
        except httpx.TransportError:
            answered = False
        (self.acknowledged if answered else self.unanswered).append(spans)
        return answered


async def until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, condition
        await asyncio.sleep(0.02)


async def outage(stage, traffic, senders):
    """Kill the collector under traffic, wait, start it again, and go on for a while."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(sender.run(stop)) for sender in senders]
    tasks.append(asyncio.create_task(traffic.run(RATE, stop)))
    await until(lambda: traffic.ended >= VISITS)
    stage.processes.kill(COLLECTOR)
    killed_at = time.monotonic()
    before = traffic.ended
    await until(lambda: traffic.ended >= before + VISITS)
    restarted_at = time.monotonic()
    stage.processes.restart(COLLECTOR)
    await until(stage.reader.ready)
    at_restart = gateway_calls(stage)
    before = traffic.ended
    await until(lambda: traffic.ended >= before + VISITS)
    await until(lambda: gateway_calls(stage) > at_restart)
    stop.set()
    await asyncio.gather(*tasks)
    return killed_at, restarted_at, (at_restart, gateway_calls(stage))


def gateway_calls(stage):
    counts = edges(stage.reader.graph())
    return sum(count.calls for edge, count in counts.items() if edge.callee == "gateway")


def stored_spans(url, bodies):
    """Trace id -> ids of its spans that the collector can show, for every trace of `bodies`."""
    traces = {span.trace for spans in bodies for span in spans}
    with httpx.Client(base_url=url) as client:
        answers = {trace: client.get(f"/api/v1/traces/{trace.hex()}") for trace in traces}
    assert {answer.status_code for answer in answers.values()} <= {200, 404}
    return {trace: span_ids(answer.json()) for trace, answer in answers.items() if answer.status_code == 200}


def span_ids(trace):
    return {
        bytes.fromhex(span["spanId"])
        for resource in trace["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    }


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEFT_RUN_FILE", str(tmp_path_factory.mktemp("run") / "collector.json"))
        folder = tmp_path_factory.mktemp("demo")
        options = Options(SHOP, port=free_port(), browser=False)
        with Processes(folder) as processes, set_up(options, Console(file=io.StringIO()), processes) as stage:
            yield looked_at(stage)


def looked_at(stage):
    traffic = Traffic(SHOP, stage.surroundings.addresses, random.Random(3))
    senders = [Sender(stage.reader.url, random.Random(number)) for number in range(SENDERS)]
    killed_at, restarted_at, grown = asyncio.run(outage(stage, traffic, senders))
    stage.processes.stop(program.name for program in SHOP.programs)
    acknowledged = [spans for sender in senders for spans in sender.acknowledged]
    unanswered = [spans for sender in senders for spans in sender.unanswered]
    stored = stored_spans(stage.reader.url, acknowledged + unanswered)
    rows = compare(of_shop(edges(stage.reader.graph())), counters.read(stage.processes.folder))
    shown = graph(stage.reader.url)
    counted = httpx.get(f"{stage.reader.url}/api/v1/status").json()["counters"]
    stale = sum(counted["caller_stale"].values())
    return Campaign(
        acknowledged, unanswered, stored, shown, grown, killed_at, restarted_at, traffic, rows, stale
    )


def of_shop(counts):
    return {edge: count for edge, count in counts.items() if not edge.callee.startswith("crash-")}


def test_the_collector_was_killed_in_mid_traffic(campaign):
    assert len(campaign.acknowledged) > 50
    assert len(campaign.unanswered) > 0


def test_every_acknowledged_span_is_there(campaign):
    for spans in campaign.acknowledged:
        assert {span.span for span in spans if span.span not in campaign.stored.get(span.trace, ())} == set()


def test_an_unanswered_request_is_there_whole_or_not_at_all(campaign):
    for spans in campaign.unanswered:
        there = {span.span in campaign.stored.get(span.trace, ()) for span in spans}
        assert len(there) == 1


def test_the_graph_equals_a_naive_computation(campaign):
    there = [spans for spans in campaign.unanswered if spans[0].trace in campaign.stored]
    wanted = naive_graph([span for spans in campaign.acknowledged + there for span in spans])
    shown = {
        e["id"]: (e["calls"], e["errors"]) for e in campaign.graph["edges"] if "service:crash-" in e["id"]
    }
    assert shown == wanted


def test_no_service_raised(campaign):
    assert campaign.traffic.unanswered == 0
    assert {answer.status for answer in campaign.traffic.answers} <= {
        200,
        502,
    }  # 502: two payments in a row failed


def test_no_service_slowed_down(campaign):
    answers = [answer for answer in campaign.traffic.answers if answer.path == QUIET_PATH]
    before = [a.seconds for a in answers if a.at < campaign.killed_at]
    during = [a.seconds for a in answers if campaign.killed_at <= a.at < campaign.restarted_at]
    assert min(len(before), len(during)) >= 10
    usual, without_collector = statistics.median(before), statistics.median(during)
    print(f"median {usual * 1e3:.1f} ms before, {without_collector * 1e3:.1f} ms during")
    assert without_collector <= 3 * usual + 0.05


def test_the_agents_later_spans_arrive(campaign):
    at_restart, at_end = campaign.grown
    assert at_end > at_restart


def test_what_weft_agents_sent_equals_the_handlers_counters_across_the_outage(campaign):
    """The stock SDK gives spans up after some attempts, so its service's edges are left out."""
    stock = {"shipping", "couriers"}
    rows = [
        row
        for row in campaign.rows
        if not stock & {*row.edge} and not row.edge.callee.startswith("external:")
    ]
    assert len(rows) == len(SHOP.edges) - 2
    assert [row for row in rows if not row.equal] == []


def test_stale_caller_entries_came_in_and_drew_no_edge(campaign):
    assert campaign.stale > 0
    assert not [row for row in campaign.rows if row.edge == ("checkout", "couriers")]
