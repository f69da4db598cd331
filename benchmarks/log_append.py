"""The log alone: MB/s and records/s appended with group commit, syncs, replay, reading of single spans.

Run: python -m benchmarks.log_append [--json] [--megabytes 256] [--folder PATH]. Bodies are OTLP requests of
512 spans of about 520 bytes with ids of their own, in groups of 8, one sync a group. CPU time is that of the
whole process. The disk decides about the wall figures: name a folder on the disk that you mean. For
comparison, as many bytes a group are written and synced without any log.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.figures import Figure, command, parser_of
from weft_collector.store.files import AppendFile, RealFiles
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Position, Record
from weft_collector.telemetry import Telemetry

SPANS, GROUP, POOL = 512, 8, 64
START = 1_800_000_000_000_000_000


class CountingFiles(RealFiles):
    """The real disk, with its syncs counted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.syncs = 0

    def create(self, name: str) -> AppendFile:
        file = super().create(name)
        real = file.sync

        def sync() -> None:
            self.syncs += 1
            real()

        file.sync = sync
        return file


class Timer:
    """Wall and CPU seconds of a block."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def body(seed: int) -> bytes:
    """A request of 512 spans, of eight services, with ten attributes each."""
    chance = random.Random(seed)
    message = ExportTraceServiceRequest()
    for service in range(8):
        group = message.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = f"service-{service}"
        group.resource.attributes.add(key="service.instance.id").value.string_value = f"{seed:032x}"
        scoped = group.scope_spans.add()
        scoped.scope.name = "weft.hooks.httpx"
        for _ in range(SPANS // 8):
            span = scoped.spans.add(name=f"GET /things/{chance.randrange(20)}", kind=2 + chance.randrange(2))
            span.trace_id, span.span_id = chance.randbytes(16), chance.randbytes(8)
            span.parent_span_id = chance.randbytes(8)
            span.start_time_unix_nano = START + chance.randrange(10**9)
            span.end_time_unix_nano = span.start_time_unix_nano + chance.randrange(10**8)
            for number in range(7):
                attribute = span.attributes.add(key=f"http.some.attribute.{number}")
                attribute.value.string_value = f"value-{chance.randrange(50)}-of-some-length"
            span.attributes.add(key="http.response.status_code").value.int_value = 200
            span.attributes.add(key="server.port").value.int_value = 8080
            span.attributes.add(key="url.path").value.string_value = f"/things/{chance.randrange(10_000)}"
    return message.SerializeToString()


def append_all(log: Log, bodies: list[bytes], total: int) -> tuple[list[Position], list[float]]:
    """Append groups until `total` bytes are in; positions, and seconds of each group."""
    positions, seconds, done = [], [], 0
    while done < total:
        started = time.perf_counter()
        group = [Record(1, START, 1, bodies[(len(positions) + i) % POOL]) for i in range(GROUP)]
        positions += log.append(group)
        log.sync()
        seconds.append(time.perf_counter() - started)
        done += sum(len(r.body) for r in group)
    return positions, seconds


def plain_syncs(folder: Path, count: int, size: int) -> float:
    """Median milliseconds of writing `size` bytes and fdatasync."""
    descriptor = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    data, seconds = os.urandom(size), []
    for _ in range(count):
        started = time.perf_counter()
        os.write(descriptor, data)
        os.fdatasync(descriptor)
        seconds.append(time.perf_counter() - started)
    os.close(descriptor)
    return statistics.median(seconds) * 1e3


def measure(folder: Path, total: int) -> list[Figure]:
    bodies = [body(seed) for seed in range(POOL)]
    files, writing, replaying = CountingFiles(folder / "log"), Timer(), Timer()
    options = LogOptions(floor_bytes=0)
    log = Log(files, Telemetry(), options)
    with writing():
        positions, seconds = append_all(log, bodies, total)
    size, syncs = log.size_bytes, files.syncs
    log.close()
    log = Log(files, Telemetry(), options)
    with replaying():
        replayed = sum(len(record.body) for _, record in log.replay())
    reads, chance = [], random.Random(1)
    for position in chance.choices(positions, k=2_000):
        started = time.perf_counter()
        log.read(position, 1_000, 430)
        reads.append(time.perf_counter() - started)
    log.close()
    records, megabytes = len(positions), replayed / 1e6
    spans = records * SPANS
    return [
        Figure("log: size of a span as sent", replayed / spans, "B"),
        Figure("log: size of a span on disk", size / spans, "B"),
        Figure("log: append, CPU", spans / writing.cpu / 1e6, "M spans/s/core"),
        Figure("log: append, CPU, bytes", megabytes / writing.cpu, "MB/s/core"),
        Figure("log: append, wall", spans / writing.wall / 1e6, "M spans/s"),
        Figure("log: records a sync", records / syncs, "records"),
        Figure("log: a group made durable, p50", statistics.median(seconds) * 1e3, "ms"),
        Figure("log: a group made durable, p99", statistics.quantiles(seconds, n=100)[98] * 1e3, "ms"),
        Figure("log: as many bytes without any log, p50", plain_syncs(folder, 100, size // syncs), "ms"),
        Figure("log: replay, CPU", spans / replaying.cpu / 1e6, "M spans/s/core"),
        Figure("log: one span read, p50", statistics.median(reads) * 1e6, "us"),
        Figure("log: one span read, p95", statistics.quantiles(reads, n=20)[18] * 1e6, "us"),
    ]


def all_figures(given: argparse.Namespace) -> Sequence[Figure]:
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        return measure(Path(folder), given.megabytes * 10**6)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--megabytes", type=int, default=256, help="of bodies to append")
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder inside is removed")
    return command(all_figures, parser)


if __name__ == "__main__":
    sys.exit(main())
