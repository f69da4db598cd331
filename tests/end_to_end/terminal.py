"""A program in a terminal of its own, where keys are signals for all of its foreground process group."""

import fcntl
import os
import pty
import select
import subprocess
import termios
from contextlib import contextmanager

CTRL_C = b"\x03"


class Terminal:
    """The program, its screen so far, and its keyboard."""

    def __init__(self, process, keyboard):
        self.process = process
        self.screen = ""
        self._keyboard = keyboard

    def shows(self, text):
        """Read what has come; whether `text` is on the screen."""
        self.read()
        return text in self.screen

    def read(self):
        while select.select([self._keyboard], [], [], 0)[0]:
            try:
                self.screen += os.read(self._keyboard, 1 << 16).decode(errors="replace")
            except OSError:  # the program has closed its end
                return

    def press(self, keys):
        os.write(self._keyboard, keys)

    def ended(self):
        """Keep the screen flowing; whether the program has ended."""
        self.read()
        return self.process.poll() is not None


@contextmanager
def terminal(arguments, environment):
    """Run a program in a terminal."""
    keyboard, screen = pty.openpty()
    process = subprocess.Popen(
        arguments,
        stdin=screen,
        stdout=screen,
        stderr=screen,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one ioctl, before exec
    )
    os.close(screen)
    try:
        yield Terminal(process, keyboard)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(keyboard)
