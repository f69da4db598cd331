"""The large run: 100 million spans over 24 hours, loaded, asked, restarted and retained.

    python -m benchmarks.large FOLDER [--spans 100000000] [--no-retention] [--json]

FOLDER is kept: interrupted, the run goes on where it was. The load is noted every few passes of the pool; a
collector that was killed in between has some spans twice, which count once. Takes about ten minutes of
loading and 10 to 16 GB of disk. At the end the rows for docs/figures.md are printed, between the marks by
which `make bench` finds them again. Retention comes last, since it takes the data away: a folder that was
retained is not measured again.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from benchmarks.collector import Collector, Watch
from benchmarks.figures import Figure, command, parser_of
from benchmarks.load import Body, Load, Options, Replays
from benchmarks.pool import Pass, Pool
from benchmarks.questions import Asker, day, graph_figures, search_figures, trace_figures

SEED: Final = 100
CHUNK_PASSES: Final = 8
KEEP_ALL: Final = ("--retention-bytes", "200GiB")
RETENTION_PATIENCE: Final = 120.0


@dataclass
class State:
    """How far a folder's run is."""

    path: Path
    spans: int
    end_ns: int
    passes: int = 0
    loading_seconds: float = 0.0
    peak: int = 0
    retained: bool = False

    @classmethod
    def of(cls, folder: Path, spans: int) -> Self:
        """The folder's state, or the beginning of a new run."""
        path = folder / "large.json"
        if not path.exists():
            return cls(path, spans, time.time_ns())
        kept = cls(path, **json.loads(path.read_text()))
        if kept.retained or kept.spans != spans:
            raise SystemExit(
                f"{folder} holds another run or one at its end: remove it, or name another folder"
            )
        return kept

    def keep(self) -> None:
        """Write it down."""
        fields = asdict(self)
        del fields["path"]
        self.path.write_text(json.dumps(fields))


def progress(text: str) -> None:
    print(f"\r{text:<110}", end="", file=sys.stderr, flush=True)


class Run:
    """One large run.

    Args:
        folder: Where everything is.
        spans: How many spans.
    """

    def __init__(self, folder: Path, spans: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._state = State.of(folder, spans)
        self._pool = Pool.of(2048, seed=SEED)
        self._passes = day(self._pool, spans, self._state.end_ns)
        self._settings = KEEP_ALL

    @property
    def spans(self) -> int:
        """Spans of all passes."""
        return len(self._passes) * self._pool.spans

    def figures(self, *, retention: bool) -> list[Figure]:
        """Load what is missing, and measure."""
        serving = self._start()
        try:
            found = self._loaded(serving) + self._asked(serving)
            serving.stop(patience=600)
            serving = self._start()
            found += self._restarted(serving)
        finally:
            serving.stop(patience=600)
        return found + (self._retention() if retention else [])

    def _start(self) -> Collector:
        serving = Collector(self._folder, self._settings)
        serving.await_ready(patience=3600)
        return serving

    def _loaded(self, serving: Collector) -> list[Figure]:
        state = self._state
        with Watch(serving) as watch:
            while state.passes < len(self._passes):
                chunk = self._passes[state.passes : state.passes + CHUNK_PASSES]
                result = Load(serving.url, Replays(self._pool, chunk), Options(seconds=3600)).run()
                state.passes += len(chunk)
                state.loading_seconds += result.seconds
                state.peak = max(state.peak, watch.peak)
                state.keep()
                done = state.passes * self._pool.spans
                progress(
                    f"{done / 1e6:.1f} of {self.spans / 1e6:.1f} M spans, {result.rate / 1e3:.0f} k spans/s, "
                    f"memory {watch.peak / 1e9:.2f} GB, disk {serving.disk_bytes() / done:.0f} B/span"
                )
        print(file=sys.stderr)
        return [
            Figure("spans", self.spans / 1e6, "M"),
            Figure("load", self.spans / state.loading_seconds / 1e3, "k spans/s", ">= 350", ">= 500"),
            Figure("memory while loading, peak", state.peak / 1e9, "GB", "<= 1.2", "<= 0.8"),
        ]

    def _asked(self, serving: Collector) -> list[Figure]:
        asker, bodies = Asker(serving.url), self._bodies()
        try:
            return [
                *trace_figures(asker, self._pool, bodies),
                *search_figures(asker, self._state.end_ns),
                *graph_figures(asker, self._state.end_ns, "graph of the shop", ("<= 50", "<= 10")),
                Figure(
                    "disk with everything", serving.disk_bytes() / self.spans, "B/span", "<= 140", "<= 110"
                ),
                Figure("memory after asking", serving.rss_bytes() / 1e9, "GB"),
            ]
        finally:
            asker.close()

    def _bodies(self) -> list[Body]:
        numbers = range(self._pool.bodies)
        return [Body(replay, number, 0) for replay in self._passes for number in numbers]

    def _restarted(self, serving: Collector) -> list[Figure]:
        asker = Asker(serving.url)
        traces = trace_figures(asker, self._pool, self._bodies(), 100)
        asker.close()
        return [
            Figure("restart", serving.ready_seconds, "s", "<= 4", "<= 2"),
            *(figure._replace(name=f"{figure.name}, after the restart") for figure in traces),
            Figure("memory after the restart", serving.rss_bytes() / 1e9, "GB"),
        ]

    def _retention(self) -> list[Figure]:
        """Start with half of the room, load one more pass, and wait until the oldest are gone."""
        self._state.retained = True
        self._state.keep()
        before = _bytes_in(self._folder / "data")
        self._settings = ("--retention-bytes", str(before // 2))
        serving = self._start()
        try:
            begun, last = time.perf_counter(), self._passes[-1]._replace(number=len(self._passes))
            Load(serving.url, Replays(self._pool, [last]), Options(seconds=600)).run()
            _await(lambda: serving.disk_bytes() < before * 0.6)
            seconds = time.perf_counter() - begun
            asker = Asker(serving.url)
            oldest, newest = self._passes[0], last
            statuses = [self._status(asker, replay) for replay in (oldest, newest)]
            asker.close()
            assert statuses == [404, 200], f"oldest and newest trace after retention: {statuses}"
            after = serving.disk_bytes()
        finally:
            serving.stop(patience=600)
        return [
            Figure("retention: until the oldest are gone, one pass loaded", seconds, "s"),
            Figure("retention: disk freed", (before - after) / 1e9, "GB"),
        ]

    def _status(self, asker: Asker, replay: Pass) -> int:
        traces, _ = self._pool.ids(self._pool.bodies // 2, replay)
        return asker.ask(f"/api/v1/traces/{bytes(traces[0]).hex()}").status


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + RETENTION_PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "retention does not bring the data below the limit"
        time.sleep(0.2)


def rows(figures: Sequence[Figure]) -> str:
    """The table for docs/figures.md, with the marks by which `make bench` finds it."""
    lines = [f"| {f.name} | {f.value:,.3f} | {f.unit} | {f.gate or '-'} | {f.goal or '-'} |" for f in figures]
    head = "| What | Value | Unit | Gate | Goal |\n|---|---|---|---|---|"
    return "\n".join(("<!-- large -->", head, *lines, "<!-- /large -->"))


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    figures = Run(given.folder, given.spans).figures(retention=given.retention)
    print(rows(figures), file=sys.stderr)
    if given.remove:
        shutil.rmtree(given.folder)
    return figures


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path, help="kept between runs")
    parser.add_argument("--spans", type=int, default=100_000_000)
    parser.add_argument("--no-retention", dest="retention", action="store_false", help="keep the data")
    parser.add_argument("--remove", action="store_true", help="remove the folder at the end")
    return command(measure, parser)


if __name__ == "__main__":
    sys.exit(main())
