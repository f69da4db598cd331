"""How a run ends early: Ctrl-C, SIGTERM and a closed terminal are the same wish."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def on_end_signal(act: Callable[[], object]) -> Generator[None]:
    """While inside, `act` is called in the main thread for each signal that asks for an end."""

    def handler(_number: int, _frame: FrameType | None) -> None:
        act()

    old = {number: signal.signal(number, handler) for number in END_SIGNALS}
    try:
        yield
    finally:
        for number, before in old.items():
            signal.signal(number, before)


def interrupt() -> None:
    """Raise KeyboardInterrupt, as Ctrl-C does by default."""
    raise KeyboardInterrupt
