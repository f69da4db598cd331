"""The writer's path without a socket: from `Intake.submit` to the acknowledgement, by stage.

    python -m benchmarks.writer [--json] [--total 1000000] [--senders 16] [--gzip] [--folder PATH]

Bodies look like a real shop's (47 to 70 resources a request, the spans of a trace scattered over neighbouring
requests); each time a body is sent it gets fresh ids, made outside of what is timed. `--senders` tasks submit
one body each and wait for its answer. The disk is the real one: name a folder on the disk that you mean.

CPU is that of the thread which does the work. A stage's goal is what the design has left for it; the goal of
writer and deriver together is the sum of those, and their gate a third more. Sealing has a thread of its own.
"""

import argparse
import asyncio
import gzip
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.figures import Figure, command, parser_of
from tests.collector.wire.otlp_factory import realistic
from weft_collector import intake_steps
from weft_collector.cli.memory import freeze_objects, keep_blocks
from weft_collector.derive import Derived, DeriveOptions
from weft_collector.graph import pairing as pairing_module
from weft_collector.intake import Intake, IntakeOptions
from weft_collector.sealing import SCHEMAS, Sealer
from weft_collector.sealing import Limits as Retention
from weft_collector.store.catalog import Catalog
from weft_collector.store.files import AppendFile, RealFiles
from weft_collector.store.log import Log, LogOptions
from weft_collector.telemetry import Telemetry
from weft_collector.warming import warm
from weft_collector.wire.otlp_protobuf import Decoder

POOL_SPANS = 1 << 17
_IDS = re.compile(rb"\x0a\x10([\s\S]{16})\x12\x08([\s\S]{8})(?:\x22\x08([\s\S]{8}))?")

BUDGETS: Final = {
    "decode": 280,
    "compress": 650,
    "write": 40,
    "classify": 90,
    "head": 60,
    "pair": 300,
    "roll up": 70,
}
"""Goals of the stages, ns of CPU a span."""
SIZES: Final = (2048, 512)
GATES: Final = {2048: ("<= 2", "<= 1.5")}
"""Of writer and deriver together, us of CPU a span."""


class Pool:
    """Bodies whose ids can be changed."""

    def __init__(self, spans: int) -> None:
        self.spans = spans
        self._bodies = [
            np.frombuffer(body, np.uint8) for body in realistic(max(4, POOL_SPANS // spans), spans)
        ]
        self._places = [self._ids_of(body.tobytes()) for body in self._bodies]
        self._random = random.Random(1)
        self._next = 0
        self._masks = (np.zeros(3, np.uint8), np.zeros(3, np.uint8))

    @staticmethod
    def _ids_of(body: bytes) -> tuple[np.ndarray, np.ndarray]:
        """Where the low halves of trace ids are, and the span and parent ids."""
        traces, spans = [], []
        for found in _IDS.finditer(body):
            traces.append(found.start(1) + 8)
            spans += [found.start(group) for group in (2, 3) if found.start(group) >= 0]
        return tuple(np.array(at)[:, None] + np.arange(3) for at in (traces, spans))

    def body(self) -> bytes:
        """The next body; from one round to the next all ids are others."""
        at, self._next = self._next, (self._next + 1) % len(self._bodies)
        if at == 0:
            self._masks = tuple(np.frombuffer(self._random.randbytes(3), np.uint8) for _ in range(2))
        body = self._bodies[at].copy()
        for places, mask in zip(self._places[at], self._masks, strict=True):
            body[places] ^= mask
        return body.tobytes()


class Stages:
    """Seconds of CPU, by stage."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}

    def watch(self, owner: Any, method: str, stage: str) -> None:
        """Time a method of an object or module from now on."""
        real = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.thread_time()
            try:
                return real(*args, **kwargs)
            finally:
                self.cpu[stage] = self.cpu.get(stage, 0.0) + time.thread_time() - begun

        setattr(owner, method, timed)


class WatchedFiles(RealFiles):
    """The real disk, its writes and syncs under watch."""

    def __init__(self, folder: Path, stages: Stages) -> None:
        super().__init__(folder)
        self._stages = stages

    def create(self, name: str) -> AppendFile:
        file = super().create(name)
        for method in ("write", "sync"):
            self._stages.watch(file, method, method)
        return file


class House:
    """An intake with everything behind it, and its stages under watch."""

    def __init__(self, folder: Path) -> None:
        self.telemetry, self.stages = Telemetry(), Stages()
        files = WatchedFiles(folder, self.stages)
        self.log = Log(files, self.telemetry, LogOptions(floor_bytes=0))
        decoder = Decoder()
        retention = Retention(1 << 50, 1 << 62, time.time_ns)
        sealer = Sealer(Catalog(files, self.log, SCHEMAS), self.log, self.telemetry, retention)
        self.derived = Derived(self.log, decoder, self.telemetry, sealer, DeriveOptions())
        warm(lambda _: None)
        self.intake = Intake(
            self.log,
            decoder,
            self.derived,
            self.telemetry,
            IntakeOptions(time.time_ns, in_flight_bytes=256 << 20),
        )
        for owner, method, stage in self._watched(decoder):
            self.stages.watch(owner, method, stage)

    def _watched(self, decoder: Decoder) -> list[tuple[Any, str, str]]:
        derived = self.derived
        return [
            (intake_steps, "inflate", "inflate"),
            (decoder, "decode", "decode"),
            (self.log._builder, "finish", "compress"),  # noqa: SLF001 - this whole method looks inside
            (derived._classifier, "classify", "classify"),  # noqa: SLF001
            (derived._head, "append", "head"),  # noqa: SLF001
            (pairing_module, "take", "pair"),
            (pairing_module, "ripen", "ripen"),
            (derived._rollup, "add", "roll up"),  # noqa: SLF001
            (derived._rollup, "see", "roll up"),  # noqa: SLF001
            (derived, "_count", "count"),
            (self.intake._answers, "give", "answer"),  # noqa: SLF001
        ]


@contextmanager
def running(folder: Path) -> Iterator[House]:
    house = House(folder)
    house.intake.start()
    try:
        yield house
    finally:
        house.intake.stop()
        house.log.close()


def thread_seconds() -> dict[str, float]:
    """CPU seconds of the threads that live, by name."""
    found: dict[str, float] = {}
    for thread in threading.enumerate():
        seconds = time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        found[thread.name] = found.get(thread.name, 0.0) + seconds
    return found


class Senders:
    """Tasks that submit bodies until enough spans are in; how long each body took."""

    def __init__(self, house: House, body: Callable[[], bytes], encoding: str | None) -> None:
        self._house, self._make, self._encoding = house, body, encoding
        self.making = 0.0
        self.seconds: list[float] = []

    def _body(self) -> bytes:
        begin = time.thread_time()
        body = self._make()
        self.making += time.thread_time() - begin
        return body

    async def _send(self, requests: Iterator[int]) -> None:
        for _ in requests:
            body, begin = self._body(), time.perf_counter()
            await self._house.intake.submit(body, self._encoding)
            self.seconds.append(time.perf_counter() - begin)

    def run(self, requests: int, senders: int) -> None:
        numbers = iter(range(requests))

        async def all_of_them() -> None:
            await asyncio.gather(*(self._send(numbers) for _ in range(senders)))

        asyncio.run(all_of_them())


class Ran(NamedTuple):
    """What one run showed.

    Attributes:
        spans: How many were measured.
        wall: Seconds that they took.
        threads: Seconds of CPU, by thread.
        stages: Seconds of CPU, by stage.
        latencies: Seconds until each answer, ascending.
        written: Bytes of log.
        groups: Groups that were committed.
    """

    spans: int
    wall: float
    threads: dict[str, float]
    stages: dict[str, float]
    latencies: list[float]
    written: int
    groups: int


def run(given: argparse.Namespace, pool: Pool, folder: Path) -> Ran:
    """Send bodies, a quarter of them to warm up."""
    requests = given.total // pool.spans
    make = pool.body
    if given.gzip:  # all of them beforehand: to compress takes longer than all that is measured
        zipped = [gzip.compress(pool.body(), 1) for _ in range(requests + requests // 4)]
        make = zipped.pop
    with running(folder) as house:
        senders = Senders(house, make, "gzip" if given.gzip else None)
        senders.run(requests // 4, given.senders)
        senders.seconds.clear()
        senders.making = 0.0
        house.stages.cpu.clear()
        before, begun = thread_seconds(), time.perf_counter()
        groups, written = (house.telemetry.value(n) for n in ("groups_committed", "log_bytes_written"))
        senders.run(requests, given.senders)
        wall = time.perf_counter() - begun
        threads = {name: s - before.get(name, 0.0) for name, s in thread_seconds().items()}
        return Ran(
            requests * pool.spans,
            wall,
            threads,
            dict(house.stages.cpu),
            sorted(senders.seconds),
            house.telemetry.value("log_bytes_written") - written,
            house.telemetry.value("groups_committed") - groups,
        )


def figures_of(ran: Ran, size: int) -> Iterator[Figure]:
    title = f"writer, {size:,} spans a request"
    us = 1e6 / ran.spans
    both = (ran.threads["weft-writer"] + ran.threads["weft-deriver"]) * us
    yield Figure(f"{title}: writer and deriver", both, "us/span, CPU", *GATES.get(size, ("", "")))
    yield Figure(f"{title}: sealer", ran.threads.get("weft-sealer", 0.0) * us, "us/span, CPU")
    yield Figure(f"{title}: wall", ran.spans / ran.wall / 1e3, "k spans/s")
    yield Figure(f"{title}: log", ran.written / ran.spans, "B/span")
    yield Figure(f"{title}: answer p50", statistics.median(ran.latencies) * 1e3, "ms")
    yield Figure(f"{title}: answer p99", ran.latencies[int(len(ran.latencies) * 0.99)] * 1e3, "ms")
    yield Figure(f"{title}: bodies a group", len(ran.latencies) / ran.groups, "")
    for stage, seconds in ran.stages.items():
        goal = f"<= {BUDGETS[stage]}" if stage in BUDGETS else ""
        yield Figure(f"{title}: ... {stage}", seconds * us * 1e3, "ns/span, CPU", "", goal)


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    keep_blocks()
    found: list[Figure] = []
    for size in SIZES:
        pool = Pool(size)
        freeze_objects()
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            found += figures_of(run(given, pool, Path(folder) / "log"), size)
    return found


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--total", type=int, default=1_000_000, help="spans measured at each size")
    parser.add_argument("--senders", type=int, default=16)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder inside is removed")
    return command(measure, parser)


if __name__ == "__main__":
    sys.exit(main())
