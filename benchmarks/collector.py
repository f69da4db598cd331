"""A real collector for benchmarks: `weft serve` in a process of its own, and what the system says of it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

TICKS: Final = os.sysconf("SC_CLK_TCK")
START_SECONDS: Final = 180.0
ENTRY: Final = "import sys; from weft.command import main; sys.exit(main())"


class Collector:
    """A running collector.

    Args:
        folder: Its data are in `folder/data`; logs beside them.
        settings: Options of `weft serve`, as on the command line.
        cache: Folder of compiled kernels; the user's own by default.
    """

    def __init__(self, folder: Path, settings: tuple[str, ...] = (), cache: Path | None = None) -> None:
        self.data = folder / "data"
        self._log = folder / "collector.log"
        folder.mkdir(parents=True, exist_ok=True)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        environ |= {"WEFT_RUN_FILE": str(folder / "collector.json")}
        environ |= {"WEFT_CACHE": str(cache)} if cache else {}
        command = [
            sys.executable,
            "-c",
            ENTRY,
            "serve",
            "--port",
            "0",
            "--grpc-port",
            "0",
            "--data",
            str(self.data),
            *settings,
        ]
        self.begun, self.ready_seconds = time.perf_counter(), 0.0
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environ)
        self.url = self._await_url()

    @property
    def output(self) -> str:
        """What it has written."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def await_ready(self, patience: float = START_SECONDS) -> float:
        """Wait until it serves; seconds since its process was started, which are kept."""
        self._await(lambda: self.get("/readyz", expected=(200, 503))[0] == 200, patience)
        self.ready_seconds = self.ready_seconds or time.perf_counter() - self.begun
        return self.ready_seconds

    def get(self, path: str, expected: tuple[int, ...] = (200,), timeout: float = 60.0) -> tuple[int, bytes]:
        """Status and body of a request; any other status than the expected ones is an error."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        if status not in expected:
            raise RuntimeError(f"GET {path}: {status} {body[:300]!r}")
        return status, body

    def json(self, path: str) -> Any:
        """The parsed answer of a request."""
        return json.loads(self.get(path)[1])

    def cpu_seconds(self) -> float:
        """CPU time of the process, all threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def await_rest(self, patience: float = 120.0) -> None:
        """Wait until it has nothing left to do: what it took in is sealed."""
        self._await(self._rests, patience)

    def _rests(self) -> bool:
        before = self.cpu_seconds()
        time.sleep(0.5)
        return self.cpu_seconds() - before < 0.03

    def rss_bytes(self, *, peak: bool = False) -> int:
        """Resident memory now, or the most since the start or `forget_peak`."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", status)[1]) * 1024

    def forget_peak(self) -> None:
        """Let the peak begin again from what is resident now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def disk_bytes(self) -> int:
        """Size of everything in the data folder."""
        return sum(file.stat().st_size for file in self.data.rglob("*") if file.is_file())

    def stop(self, number: int = signal.SIGTERM, patience: float = 60.0) -> int:
        """Send a signal and wait for the end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(patience)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.process.kill()
        self.process.wait()

    def _await_url(self) -> str:
        found: list[str] = []
        self._await(lambda: found.extend(re.findall(r"dashboard +(http\S+)", self.output)) or found)
        return found[0]

    def _await(self, condition: Callable[[], object], patience: float = START_SECONDS) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            if self.process.poll() is not None:
                raise RuntimeError(f"the collector ended with {self.process.returncode}:\n{self.output}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the collector was not there after {patience} s:\n{self.output}")
            time.sleep(0.005)


class Watch:
    """Looks at a collector's memory ten times a second; for peaks of systems without clear_refs."""

    def __init__(self, collector: Collector, every: float = 0.1) -> None:
        self.samples: list[tuple[float, int]] = []
        self._collector, self._every = collector, every
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    @property
    def peak(self) -> int:
        """The most bytes seen."""
        return max(size for _, size in self.samples)

    def _look(self) -> None:
        while not self._ending.wait(self._every):
            try:
                self.samples.append((time.perf_counter(), self._collector.rss_bytes()))
            except (OSError, TypeError):
                return  # it has ended


@contextmanager
def collector(
    settings: tuple[str, ...] = (), folder: Path | None = None, cache: Path | None = None
) -> Iterator[Collector]:
    """A collector that is ready, in a fresh folder on the disk that holds `folder` (this one by default)."""
    place = Path(tempfile.mkdtemp(prefix="weft-benchmark-", dir=folder))
    started = None
    try:
        started = Collector(place, settings, cache)
        started.await_ready()
        yield started
    finally:
        if started is not None and started.process.poll() is None:
            started.kill()
        shutil.rmtree(place, ignore_errors=True)
