"""`weft serve` as a process of its own, with its own folders."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.waiting import wait_until

WEFT = str(Path(sys.executable).with_name("weft"))
KEPT = ("WEFT_CACHE", "HOME", "PATH", "PYTHONPATH", "XDG_CACHE_HOME")


def environment(folder, **more):
    """The user's environment without settings of Weft and OpenTelemetry; the run file is in `folder`."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    ours = {"WEFT_RUN_FILE": str(folder / "collector.json"), "WEFT_GRPC_PORT": "0"}
    return {**kept, **ours, **more}


def weft(folder, *arguments, **more):
    """Run a command to its end."""
    command = [WEFT, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, check=False, timeout=100, env=environment(folder, **more), cwd=folder
    )


class Serving:
    """A `weft serve` that was started."""

    def __init__(self, folder, *arguments, **more):
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        command = [WEFT, "serve", "--data", str(folder / "data"), *map(str, arguments)]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=environment(folder, **more))

    @property
    def out(self):
        return self._out.read_text()

    @property
    def err(self):
        return self._err.read_text()

    @property
    def grpc(self):
        """Address and port of gRPC, once the address is told."""
        return re.search(r"OTLP/gRPC +(\S+)", self.out)[1]

    def await_url(self):
        """The address, as soon as it is told."""
        found = wait_until(
            lambda: re.search(r"dashboard +(http\S+)", self.out) or self.process.poll() is not None, 60
        )
        assert found is not True, self.err
        return found[1]

    def await_ready(self):
        """The address, as soon as spans are taken."""
        url = self.await_url()
        wait_until(lambda: self.process.poll() is not None or httpx.get(f"{url}/readyz").is_success, 90)
        assert self.process.poll() is None, self.err
        return url

    def stop(self, number=signal.SIGTERM):
        """Send a signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def serving(folder, *arguments, **more):
    """A collector that is killed at the end if it still runs."""
    started = Serving(folder, *arguments, **more)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()
