"""Another process that compiles kernels into the cache while this one compiles others.

It is started where it can help: there is a second core to use, and the cache was never filled for this kind of
processor. It cannot stay behind: its standard input is a pipe whose other end only the collector holds, so that
the system closes it even if the collector is killed, and the process ends itself when that happens. It cannot hold
the start up either: it is waited for as long as compiling takes on a slow machine, then killed. Nothing is taken
from it but what it leaves in the cache; if it fails, the collector compiles itself.

Refused: `multiprocessing`, whose children run the caller's main module again, and whose helper processes outlive
a kill; PR_SET_PDEATHSIG, which only Linux has, and which takes the end of the starting thread for that of the process.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from typing import Final, Protocol

from weft_collector import kernel

__all__ = ["COMMAND", "Other", "main", "running", "started"]

#: The process; `-P` keeps the current folder out of its path.
COMMAND: Final = (sys.executable, "-P", "-c", "from weft_collector.warming_apart import main; main()")

_LOOK_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 60.0


class Named(Protocol):
    """A step, as `warming` has them."""

    @property
    def name(self) -> str:
        """What it is for."""
        ...

    @property
    def prepare(self) -> Callable[[], object]:
        """Calls its kernels."""
        ...


class Other:
    """The process.

    Args:
        process: It, its standard input a pipe.
        patience: Seconds until `wait` gives it up.
    """

    def __init__(self, process: subprocess.Popen[bytes], patience: float = _PATIENCE_SECONDS) -> None:
        self._process = process
        self._looks = max(1, round(patience / _LOOK_SECONDS))

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, look: Callable[[], None]) -> None:
        """Wait until it has ended or its time is over.

        Args:
            look: Called several times a second meanwhile; may raise.
        """
        for _ in range(self._looks):
            look()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_LOOK_SECONDS)
                return

    def end(self) -> None:
        """Kill it if it still runs."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


@contextmanager
def started(step: str) -> Generator[Other | None]:
    """The process at work on a step, as long as the block runs; None where it would not help or cannot be started.

    When the block ends without an error, all kernels are in the cache.

    Args:
        step: Name of the step.
    """
    with running([*COMMAND, step]) if _would_help() else nullcontext() as other:
        yield other
    kernel.note_completion()


@contextmanager
def running(command: Sequence[str]) -> Generator[Other | None]:
    """A program as the other process, killed at the end whatever happens; None if it cannot be started."""
    other = _start(command)
    try:
        yield other
    finally:
        if other is not None:
            other.end()


def _would_help() -> bool:
    return _cores() > 1 and not kernel.is_complete()


def _cores() -> int:
    """The cores that this process may use."""
    with suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # not on Linux


def _start(command: Sequence[str]) -> Other | None:
    environ = os.environ | {"WEFT_CACHE": str(kernel.CACHE_FOLDER.parent)}
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own module
            command,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    return Other(process)


# ---- in the other process


def main(module: str = "weft_collector.warming") -> None:
    """Prepare the step whose name is the argument; end when standard input does.

    Args:
        module: Has the steps as `STEPS`; imported once it is sure that this process ends with its starter.
    """
    threading.Thread(target=_end_with_starter, daemon=True).start()
    steps: Sequence[Named] = import_module(module).STEPS
    for step in steps:
        if step.name == sys.argv[1]:
            step.prepare()


def _end_with_starter() -> None:
    """Wait for the end of standard input, which comes with the end of who started this process."""
    os.read(0, 1)
    os._exit(1)
