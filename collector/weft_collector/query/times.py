"""Moments as text, to the nanosecond."""

from datetime import UTC, datetime
from typing import Final

__all__ = ["iso"]

_SECOND: Final = 1_000_000_000
_LATEST: Final = 253_402_300_800  # the year 10000


def iso(ns: int) -> str:
    """Nanoseconds since the epoch as ISO-8601 in UTC; a bare number of seconds beyond the calendar."""
    seconds, rest = divmod(ns, _SECOND)
    if not -62_135_596_800 <= seconds < _LATEST:
        return f"{seconds}.{rest:09d}"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
