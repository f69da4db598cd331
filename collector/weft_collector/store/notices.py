"""What the store tells its owner beside its counters: whole files that went, and damage that it found."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Event", "Listener", "Notice"]


class Event(StrEnum):
    """What happened to the log."""

    REMOVED = "removed"
    DAMAGED = "damaged"
    TORN = "torn"
    REFUSED = "refused"


class Notice(NamedTuple):
    """One event.

    Attributes:
        event: What happened.
        file: Number of the log file.
        text: One line for people.
    """

    event: Event
    file: int
    text: str


Listener = Callable[[Notice], None]
