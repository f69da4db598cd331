"""The one guard between the agent and its host: a hook that fails is counted, never felt.

Every entry of foreign code into the agent that could meet hostile objects goes through `guarded`. This is the
agent's only broad `except`; all other code catches the errors it expects.
"""

import contextlib
import functools
import logging
from collections import Counter
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

failures: Counter[str] = Counter()
"""How often each guarded function failed since the start of the process, by its name."""

_log = logging.getLogger("weft")


def guarded(function: Callable[P, R]) -> Callable[P, R | None]:
    """Make `function` return None instead of raising; the failure is counted and logged once per place."""
    place = f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return function(*args, **kwargs)
        except Exception:  # noqa: BLE001 - the one guard: whatever a hook meets, the host goes on
            note(place)
            return None

    return run


def note(place: str) -> None:
    """Count one failure at `place`; the first one there is logged with its traceback."""
    failures[place] += 1
    if failures[place] == 1:
        with contextlib.suppress(Exception):  # see `say`
            _log.debug(
                "weft: %s failed; the service goes on, further failures are counted", place, exc_info=True
            )


def say(level: int, line: str, *values: object) -> None:
    """Log a line for the one who runs the service.

    A logging handler is the host's code: it may raise, and in the child of a fork its stream may be broken.
    """
    with contextlib.suppress(Exception):
        _log.log(level, line, *values)
