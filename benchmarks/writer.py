"""The writer's path without a socket: from `Intake.submit` to the acknowledgement, by stage.

Run: python benchmarks/writer.py [--json] [--spans 2048] [--total 2000000] [--senders 16] [--gzip] [--folder PATH].
Bodies look like a real shop's (47 to 70 resources a request, the spans of a trace scattered over neighbouring
requests); each time a body is sent it gets fresh ids, made outside of what is timed. `--senders` tasks submit
one body each and wait for its answer. The disk is the real one: name a folder on the disk that you mean.

CPU is that of the thread which does the work, in ns a span; `wall` is the rate of the whole, and `budget`
what the design has left for the stage. Where a stage says `wait`, it is wall time and no CPU.
"""

import argparse
import asyncio
import gzip
import json
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.collector.wire.otlp_factory import realistic  # noqa: E402 - needs the line above
from weft_collector import intake_steps  # noqa: E402
from weft_collector.cli.memory import freeze_objects, keep_blocks  # noqa: E402
from weft_collector.derive import Derived, DeriveOptions  # noqa: E402
from weft_collector.graph import pairing as pairing_module  # noqa: E402
from weft_collector.intake import Intake, IntakeOptions  # noqa: E402
from weft_collector.sealing import SCHEMAS, Sealer  # noqa: E402
from weft_collector.sealing import Limits as Retention  # noqa: E402
from weft_collector.store.catalog import Catalog  # noqa: E402
from weft_collector.store.files import AppendFile, RealFiles  # noqa: E402
from weft_collector.store.log import Log, LogOptions  # noqa: E402
from weft_collector.telemetry import Telemetry  # noqa: E402
from weft_collector.warming import warm  # noqa: E402
from weft_collector.wire.otlp_protobuf import Decoder  # noqa: E402

POOL_SPANS = 1 << 17
_IDS = re.compile(rb"\x0a\x10([\s\S]{16})\x12\x08([\s\S]{8})(?:\x22\x08([\s\S]{8}))?")

BUDGETS = {  # ns of CPU a span
    "inflate": 580,
    "decode": 280,
    "compress": 650,
    "write": 40,
    "classify": 90,
    "head": 60,
    "pair": 300,
    "roll up": 70,
}


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
    """Seconds of CPU and of wall, by stage."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.wall: dict[str, float] = {}
        self.calls: dict[str, int] = {}

    def clear(self) -> None:
        for times in (self.cpu, self.wall, self.calls):
            times.clear()

    def watch(self, owner: Any, method: str, stage: str) -> None:
        """Time a method of an object or module from now on."""
        real = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            cpu, wall = time.thread_time(), time.perf_counter()
            try:
                return real(*args, **kwargs)
            finally:
                self.cpu[stage] = self.cpu.get(stage, 0.0) + time.thread_time() - cpu
                self.wall[stage] = self.wall.get(stage, 0.0) + time.perf_counter() - wall
                self.calls[stage] = self.calls.get(stage, 0) + 1

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


def measure(options: argparse.Namespace, pool: Pool, folder: Path) -> dict[str, Any]:
    """The run's figures; stages in ns a span."""
    requests = options.total // options.spans
    make = pool.body
    if options.gzip:  # all of them beforehand: to compress takes longer than all that is measured
        zipped = [gzip.compress(pool.body(), 1) for _ in range(requests + requests // 4)]
        make = zipped.pop
    with running(folder) as house:
        senders = Senders(house, make, "gzip" if options.gzip else None)
        senders.run(requests // 4, options.senders)
        senders.seconds.clear()
        senders.making = 0.0
        house.stages.clear()
        before, wall, cpu = thread_seconds(), time.perf_counter(), time.process_time()
        groups, written = (house.telemetry.value(n) for n in ("groups_committed", "log_bytes_written"))
        senders.run(requests, options.senders)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu - senders.making
        threads = {name: s - before.get(name, 0.0) for name, s in thread_seconds().items()}
        threads["MainThread"] -= senders.making
        spans = requests * options.spans
        groups = house.telemetry.value("groups_committed") - groups
        written = house.telemetry.value("log_bytes_written") - written
    latencies = sorted(senders.seconds)
    return {
        "wall, k spans/s": spans / wall / 1e3,
        "CPU, ns/span": cpu / spans * 1e9,
        "log, B/span": written / spans,
        "bodies a group": requests / groups,
        "latency p50, ms": statistics.median(latencies) * 1e3,
        "latency p99, ms": latencies[int(len(latencies) * 0.99)] * 1e3,
        "stages": {
            n: [s / spans * 1e9, house.stages.wall[n] / spans * 1e9, house.stages.calls[n]]
            for n, s in house.stages.cpu.items()
        },
        "threads": {name: seconds / spans * 1e9 for name, seconds in threads.items()},
    }


def show(figures: dict[str, Any]) -> None:
    """Print the figures beside their budgets."""
    for name, value in figures.items():
        if isinstance(value, float):
            print(f"{name:20} {value:10,.1f}")
    print(f"\n{'stage':16} {'CPU ns/span':>12} {'wall ns/span':>13} {'calls':>8} {'budget':>8}")
    for stage, (cpu, wall, calls) in figures["stages"].items():
        print(f"{stage:16} {cpu:12,.0f} {wall:13,.0f} {calls:8} {BUDGETS.get(stage, ''):>8}")
    for thread, cpu in figures["threads"].items():
        print(f"thread {thread:20} {cpu:12,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--spans", type=int, default=2048, help="a request")
    parser.add_argument("--total", type=int, default=2_000_000, help="spans measured")
    parser.add_argument("--senders", type=int, default=16)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder inside is removed")
    options = parser.parse_args()
    keep_blocks()
    pool = Pool(options.spans)
    freeze_objects()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(options, pool, Path(folder) / "log")
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
