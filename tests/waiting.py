"""Waiting for a real process without guessing how long it takes."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout: float = 20.0, every: float = 0.02) -> object:
    """Poll `condition` until it is true; its value, or AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {condition}"
        time.sleep(every)
