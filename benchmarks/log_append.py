"""The log alone: MB/s and records/s appended with group commit, syncs, replay, reading of single spans.

Run: python benchmarks/log_append.py [--json] [--megabytes 256] [--folder PATH]. Bodies are OTLP requests of
512 spans of about 520 bytes with ids of their own, in groups of 8, one sync a group. CPU time is that of the
whole process. The disk decides about the wall figures: name a folder on the disk that you mean. For
comparison, as many bytes a group are written and synced without any log.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

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


def measure(folder: Path, total: int) -> dict[str, float]:
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
    return {
        "bytes_per_span": replayed / records / SPANS,
        "disk_bytes_per_span": size / records / SPANS,
        "append_cpu_mb_s": megabytes / writing.cpu,
        "append_cpu_k_spans_s": records * SPANS / writing.cpu / 1e3,
        "append_wall_mb_s": megabytes / writing.wall,
        "append_wall_records_s": records / writing.wall,
        "append_wall_k_spans_s": records * SPANS / writing.wall / 1e3,
        "syncs": syncs,
        "records_a_sync": records / syncs,
        "group_p50_ms": statistics.median(seconds) * 1e3,
        "group_p99_ms": statistics.quantiles(seconds, n=100)[98] * 1e3,
        "plain_write_and_sync_p50_ms": plain_syncs(folder, 100, size // syncs),
        "replay_cpu_mb_s": megabytes / replaying.cpu,
        "replay_cpu_k_spans_s": records * SPANS / replaying.cpu / 1e3,
        "read_one_span_p50_us": statistics.median(reads) * 1e6,
        "read_one_span_p95_us": statistics.quantiles(reads, n=20)[18] * 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--megabytes", type=int, default=256, help="of bodies to append")
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder inside is removed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options.megabytes * 10**6)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:30} {value:12,.1f}")


if __name__ == "__main__":
    main()
