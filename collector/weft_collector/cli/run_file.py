"""The run file: how the other commands find the collector that runs.

`weft serve` writes it when it listens and removes it when it stops. A file whose process is gone counts as
absent. The last collector started wins; one that stops removes the file only if it is its own.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Running", "forget", "location", "read", "write"]


@dataclass(frozen=True, slots=True)
class Running:
    """A collector that runs.

    Attributes:
        url: Its address for programs on this machine.
        pid: Its process id.
        data: Its data folder.
    """

    url: str
    pid: int
    data: str


def location(environ: Mapping[str, str]) -> Path:
    """Where the file is: WEFT_RUN_FILE, else in the user's run folder, else in the user's state folder."""
    if environ.get("WEFT_RUN_FILE"):
        return Path(environ["WEFT_RUN_FILE"])
    runtime = environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "weft" if runtime else Path("~/.local/state/weft").expanduser()
    return folder / "collector.json"


def write(file: Path, running: Running) -> None:
    """Leave the note, readable by this user only; a reader never sees half of it.

    Raises:
        OSError: The folder cannot be made or written.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{running.pid}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(running)) + "\n")
    draft.replace(file)


def read(file: Path) -> Running | None:
    """The collector that runs, or None if there is no file, no sense in it, or no such process."""
    try:
        note = json.loads(file.read_text())
        running = Running(str(note["url"]), int(note["pid"]), str(note["data"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return running if _is_alive(running.pid) else None


def forget(file: Path, pid: int) -> None:
    """Remove the note if it is that of process `pid`."""
    running = read(file)
    if running is not None and running.pid == pid:
        with suppress(OSError):
            file.unlink()


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
