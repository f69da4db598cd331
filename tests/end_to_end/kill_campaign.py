"""`kill -9` of a real collector under load, again and again on the same data folder.

After each restart: every body that was acknowledged is there, whole; a body that was never answered is there
whole or not at all; and the graph counts each callee-side span that is there exactly once. Some kills come
while the collector still starts.

A trace of the pool is scattered over bodies, so what is asked for by trace id is compared span by span.
"""

import json
import random
import threading
import time
from collections import Counter
from typing import Final

import numpy as np

from benchmarks.collector import Collector
from benchmarks.load import Body, Load, Options, Replays
from benchmarks.pool import Pool
from benchmarks.questions import MINUTE_NS, Asker, iso
from tests.collector.wire.otlp_factory import CONSUMER, SERVER

__all__ = ["KillCampaign"]

PER_BODY: Final = 64
POOL_SPANS: Final = 512 * PER_BODY
RATE: Final = 12_000.0
CONNECTIONS: Final = 8
LOADING_SECONDS: Final = (0.05, 1.2)
STARTING_SECONDS: Final = (0.0, 1.5)
KILLED_STARTING: Final = 0.2
SAMPLED_BODIES: Final = 12
MARGIN_MINUTES: Final = 10


class KillCampaign:
    """One data folder's story.

    Args:
        folder: Where the collector's data are.
        seed: Decides when kills come.

    Attributes:
        rounds: Kills under load so far.
        acknowledged: Bodies that were acknowledged, in all rounds.
        kept: Bodies that were never answered, and are there.
        lost: Bodies that were never answered, and are not there.
        killed_starting: Kills during a start.
    """

    def __init__(self, folder, seed: int) -> None:
        self.rounds = self.killed_starting = 0
        self.acknowledged: list[Body] = []
        self.kept: list[Body] = []
        self.lost: list[Body] = []
        self._doubtful: list[Body] = []
        self._folder, self._chance = folder, random.Random(seed)
        self._pool = Pool.of(PER_BODY, POOL_SPANS, seed=seed)
        self._begun_ns = time.time_ns()
        self._next_pass = 0

    def run(self, rounds: int) -> None:
        """So many kills under load, each followed by a restart and a look at everything."""
        collector = self._started()
        try:
            for _ in range(rounds):
                fresh = self._load_and_kill(collector)
                collector = self._started()
                self._look(collector, fresh)
        finally:
            if collector.process.poll() is None:
                collector.stop()

    def _started(self) -> Collector:
        """A collector that is ready, after some that were not let to be."""
        while self._chance.random() < KILLED_STARTING and self.rounds:
            collector = Collector(self._folder)
            time.sleep(self._chance.uniform(*STARTING_SECONDS))
            collector.kill()
            self.killed_starting += 1
        collector = Collector(self._folder)
        collector.await_ready()
        return collector

    def _load_and_kill(self, collector: Collector) -> list[Body]:
        """What was acknowledged before the kill."""
        source = Replays.now(self._pool, self._next_pass)
        self._next_pass += 1000
        load = Load(collector.url, source, Options(CONNECTIONS, 60.0, rate=RATE, may_break=True))
        killing = threading.Timer(self._chance.uniform(*LOADING_SECONDS), collector.kill)
        killing.start()
        result = load.run()
        killing.join()
        self.rounds += 1
        self.acknowledged += result.acknowledged
        self._doubtful = result.unanswered
        return result.acknowledged

    def _look(self, collector: Collector, fresh: list[Body]) -> None:
        asker = Asker(collector.url)
        try:
            for body in self._doubtful:
                (self.kept if self._is_there(asker, body) else self.lost).append(body)
            looked_at = self._chance.sample(fresh, min(SAMPLED_BODIES, len(fresh))) + fresh[-CONNECTIONS:]
            earlier = self._chance.sample(self.acknowledged, min(SAMPLED_BODIES, len(self.acknowledged)))
            for body in (*looked_at, *earlier):
                assert self._is_there(asker, body), f"acknowledged, and gone: {body}"
            self._count(asker)
        finally:
            asker.close()

    def _is_there(self, asker: Asker, body: Body) -> bool:
        """Whether all spans of a body are shown, each once; none of a body that is not there may be."""
        traces, spans = self._pool.ids(body.number, body.replay)
        shown = Counter[bytes]()
        for trace in np.unique(traces):
            asked = asker.ask(f"/api/v1/traces/{bytes(trace).hex()}")
            assert asked.status in {200, 404}, asked.body
            shown.update(span_ids(json.loads(asked.body)) if asked.status == 200 else ())
        counts = {shown[bytes(span)] for span in spans}
        assert counts in ({0}, {1}), f"a body is shown in parts, or twice: {counts}"
        return counts == {1}

    def _count(self, asker: Asker) -> None:
        """Compare the graph's calls with the spans that are there."""
        start, end = (
            self._begun_ns - MARGIN_MINUTES * MINUTE_NS,
            time.time_ns() + MARGIN_MINUTES * MINUTE_NS,
        )
        window = [("start", iso(start)), ("end", iso(end)), ("unknown", "true")]
        edges = json.loads(asker.ask("/api/v1/graph", window).body)["edges"]
        served = [edge["completeness"] for edge in edges if edge["callee"].startswith("service:")]
        calls = sum(sides["both"] + sides["server_only"] + sides["inferred"] for sides in served)
        kinds = [self._pool.kinds(body.number) for body in (*self.acknowledged, *self.kept)]
        wanted = int(np.isin(np.concatenate(kinds), (SERVER, CONSUMER)).sum())
        assert calls == wanted, f"the graph has {calls} served calls, {wanted} were stored"


def span_ids(trace) -> list[bytes]:
    """Ids of a trace's spans, in order, as often as they are shown."""
    return [
        bytes.fromhex(span["spanId"])
        for resource in trace["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
