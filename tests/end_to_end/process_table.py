"""Which processes are there; a zombie that nobody has waited for counts as gone."""

from pathlib import Path


def alive(pid):
    """Whether the process runs."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def having(text):
    """The ids of running processes whose environment or command line holds `text`."""
    return [pid for pid in _pids() if alive(pid) and text.encode() in _about(pid)]


def _pids():
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _about(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
