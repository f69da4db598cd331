"""Ends the demo's process group when the runner is gone, however it went.

`python guard.py FOLDER` leads a process group that every process of the demo joins. Its standard input is a
pipe whose other end only the runner holds: when that end closes, by a normal exit, a crash or `kill -9`, the
guard kills the group, itself included, and removes the demo's folder. This needs no signal that only Linux
knows, and no code inside the services. Standard library only: it starts in 20 ms.
"""

import os
import shutil
import signal
import sys
import time

ATTEMPTS = 50


def main(folder: str) -> None:
    """Wait for the runner's end, then leave nothing behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    group = os.getpgrp()
    if os.fork():
        os.wait()  # never returns: the child kills this process with the group
    os.setpgid(0, 0)  # outside the group, so that it outlives the group
    os.killpg(group, signal.SIGKILL)
    remove(folder)


def remove(folder: str) -> None:
    """Remove `folder`; a killed process may finish one last write, so look again."""
    for _ in range(ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):  # noqa: PTH110 - pathlib doubles the start-up time of this process
            return
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1])
