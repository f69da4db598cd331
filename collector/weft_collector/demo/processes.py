"""The demo's processes: start, wait until ready, signal, start again, and stop all without an orphan.

All processes join the process group of a guard (`guard.py`). Whatever happens to the runner, the group dies:
at an orderly end the runner stops each process and then kills what is left; after `kill -9` of the runner the
guard does. Ctrl-C in the terminal reaches the runner only, which then decides the order: services first, so
that their agents can still deliver, the collector last.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from weft_collector.demo import guard
from weft_collector.demo.errors import ProcessDied, TooSlow

GRACE_SECONDS = 10.0
POLL_SECONDS = 0.02
LOG_TAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        name: How the process is called in messages; its log file is `<name>.log`.
        arguments: The command line.
        environment: The whole environment of the process.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class Processes:
    """A group of child processes; a context manager that leaves none behind.

    Args:
        folder: The demo's own folder, made by the caller: it receives the logs and is removed at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._commands: dict[str, Command] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        line = [sys.executable, "-I", "-S", guard.__file__, str(folder)]
        self._guard = subprocess.Popen(  # noqa: S603 - our own file
            line, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, command: Command) -> None:
        """Start a process; its output goes to its log file."""
        self._commands[command.name] = command
        with self._log(command.name).open("ab") as log:
            self._running[command.name] = subprocess.Popen(  # noqa: S603 - a line of our own table
                command.arguments,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=self._guard.pid,
            )

    def restart(self, name: str) -> None:
        """Start the command `name` again, after its process has ended."""
        self.start(self._commands[name])

    def pid(self, name: str) -> int:
        """The process id of a running process."""
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """End a process at once, as a crash would (SIGKILL), and wait for its end."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self, names: Iterable[str]) -> None:
        """Ask processes to end (SIGTERM), all at once, and wait; kill those that take more than 10 s."""
        leaving = {name: self._running.pop(name) for name in names if name in self._running}
        for process in leaving.values():
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in leaving.values():
            _wait(process, deadline)

    def wait_until(self, what: str, ready: Callable[[], bool], timeout: float) -> None:
        """Poll until `ready()`.

        Raises:
            ProcessDied: A process ended meanwhile.
            TooSlow: Not ready within `timeout` seconds; `what` names it in the message.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise TooSlow(f"{what}: not within {timeout:.0f} s")
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raise ProcessDied if a process that should run has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ProcessDied(
                    f"{name} ended with code {process.returncode}; its last lines:\n{self.tail(name)}"
                )

    def tail(self, name: str, lines: int = LOG_TAIL_LINES) -> str:
        """The last lines that a process wrote."""
        with suppress(FileNotFoundError):
            return "\n".join(self._log(name).read_text(errors="replace").splitlines()[-lines:])
        return ""

    def close(self) -> None:
        """Stop all processes, kill the group and remove the folder. Safe twice."""
        self.stop(list(self._running))
        if self._guard.poll() is None:
            os.killpg(self._guard.pid, signal.SIGKILL)
        self._guard.wait()
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        guard.remove(str(self.folder))

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def _wait(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
