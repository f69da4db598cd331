"""The window of a query: `window=15m`, or `start=` and `end=`.

A window is half open and widened outward to whole minutes, since minutes are what the rollups hold; of long ago
they hold hours and days (`Rollup.effective`). `15m` ends with the minute that is under way, so a call that has just
happened is in it.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

from fastapi import Query

from weft_collector.errors import BadQuery
from weft_collector.graph.snapshot import MINUTE_NS, Window

__all__ = ["DEFAULT", "LONGEST_MINUTES", "WindowQuery", "length_ns", "moment", "parse", "window_query"]

DEFAULT: Final = "15m"
LONGEST_MINUTES: Final = 31 * 24 * 60
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN: Final = re.compile(r"(\d{1,9})([smhd])", re.ASCII)


def parse(window: str | None, start: str | None, end: str | None, now_ns: int) -> Window:
    """The window that the parameters ask for.

    Args:
        window: A length up to now: a number with s, m, h or d. 15 minutes if nothing is given at all.
        start: First moment, ISO-8601; UTC where it names no zone.
        end: First moment after it, likewise; now where only `start` is given.
        now_ns: The time, in ns since the epoch.

    Raises:
        BadQuery: It cannot be read, is empty or backward, or is longer than 31 days.
    """
    if start is None and end is None:
        return _checked(_recent(window or DEFAULT, now_ns))
    if window is not None or start is None:
        raise BadQuery("Give window=15m, or start= and end=: not both, and not end alone.")
    end_ns = moment("end", end) if end is not None else (now_ns // MINUTE_NS + 1) * MINUTE_NS
    return _checked(Window.of_ns(moment("start", start), end_ns))


def _recent(text: str, now_ns: int) -> Window:
    minutes = -(-length_ns(text) // MINUTE_NS)
    end = now_ns // MINUTE_NS + 1
    return Window(end - minutes, end)


def length_ns(text: str) -> int:
    """Nanoseconds of a window's length, such as `15m`.

    Raises:
        BadQuery: It is none.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise BadQuery(f"window={text[:40]!r} is not a length: write a number and s, m, h or d, such as 15m.")
    return int(match[1]) * _SECONDS[match[2]] * 1_000_000_000


def moment(name: str, text: str) -> int:
    """Nanoseconds since the epoch of an ISO-8601 text; UTC where it names no zone.

    Raises:
        BadQuery: It is no time.
    """
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = aware.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        example = "2026-11-23T10:00:00Z"
        raise BadQuery(f"{name}={text[:40]!r} is not a time: write it like {example}.") from None
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000


def _checked(window: Window) -> Window:
    if window.end_minute <= window.start_minute:
        raise BadQuery("The window is empty: its end must lie after its start.")
    if window.end_minute - window.start_minute > LONGEST_MINUTES:
        raise BadQuery(f"The window is too long: at most {LONGEST_MINUTES // 1440} days.")
    if window.start_minute < 0:
        raise BadQuery("The window starts before 1970.")
    return window


class WindowQuery(NamedTuple):
    """The parameters as they came; a stream reads them again and again, so that its window moves on."""

    window: str | None
    start: str | None
    end: str | None

    def at(self, now_ns: int) -> Window:
        """The window they ask for at a time; see `parse`."""
        return parse(*self, now_ns)


async def window_query(
    window: Annotated[
        str | None,
        Query(
            description="Length up to now: a number with s, m, h or d; 15m if left out.",
            examples=["15m", "2h"],
        ),
    ] = None,
    start: Annotated[
        str | None,
        Query(description="First moment, ISO-8601, instead of `window`.", examples=["2026-11-23T10:00:00Z"]),
    ] = None,
    end: Annotated[
        str | None,
        Query(description="First moment after it; now if left out.", examples=["2026-11-23T11:00:00Z"]),
    ] = None,
) -> WindowQuery:
    """The window's parameters; for FastAPI's Depends."""
    return WindowQuery(window, start, end)
