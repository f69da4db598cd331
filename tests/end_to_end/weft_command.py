"""The `weft` command in a process of its own, away from the user's settings and running collectors."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from uuid import uuid4

import httpx

from tests.end_to_end.process_table import having
from tests.waiting import wait_until
from weft_collector.demo.programs import WEFT

START_SECONDS = 90.0
"""A first start compiles the kernels."""


def environment(folder, **more):
    """An environment without settings of tracing; the run file is in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "WEFT_"))}
    cache = {"WEFT_CACHE": os.environ["WEFT_CACHE"]} if "WEFT_CACHE" in os.environ else {}
    return {**kept, **cache, "WEFT_RUN_FILE": str(folder / "collector.json"), "PYTHONUNBUFFERED": "1", **more}


class Running:
    """A process whose output can be waited for; all that it starts carries `mark` in its environment."""

    def __init__(self, arguments, folder, **more):
        self.mark = f"mark-{uuid4().hex}"
        self._log = folder / f"{self.mark}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                arguments,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment(folder, DEMO_TEST_MARK=self.mark, **more),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def output(self):
        return self._log.read_text(errors="replace")

    def await_output(self, text, timeout=START_SECONDS):
        wait_until(lambda: text in self.output or self.process.poll() is not None, timeout)
        assert text in self.output, self.output

    def end(self, timeout=60.0):
        """Wait for the end; the exit code."""
        return self.process.wait(timeout)

    def left(self):
        """Processes that this one started, itself included, and that still run."""
        return having(self.mark)


@contextmanager
def running(arguments, folder, **more):
    """A process that is killed with all its children at the end, whatever happened."""
    started = Running(arguments, folder, **more)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.send_signal(signal.SIGTERM)
            try:
                started.process.wait(15)
            except subprocess.TimeoutExpired:
                started.process.kill()
                started.process.wait()


def weft(*arguments):
    """The command line of `weft`."""
    return [*WEFT, *arguments]


def python(*arguments):
    """A command line of this Python."""
    return [sys.executable, *map(str, arguments)]


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@contextmanager
def collector(folder, port):
    """A collector that is ready."""
    with running(
        weft("serve", "--port", str(port), "--grpc-port", "0", "--data", str(folder / "data")), folder
    ) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: ready(url) or process.process.poll() is not None, START_SECONDS)
        assert ready(url), process.output
        yield url


def ready(url):
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False


def graph(url):
    """The last 15 minutes, those of unknown callers included."""
    return (
        httpx.get(f"{url}/api/v1/graph", params={"window": "15m", "unknown": "true"})
        .raise_for_status()
        .json()
    )


def calls(url):
    """Edge id -> calls, of the last 15 minutes."""
    return {edge["id"]: edge["calls"] for edge in graph(url)["edges"]}
