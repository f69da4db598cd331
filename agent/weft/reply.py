"""What became of a request to the collector, as far as its answer tells."""

import time
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple, Protocol

MAX_PAUSE: Final = 300.0
"""Seconds of `Retry-After` that are honoured at most."""


class Outcome(NamedTuple):
    """The result of sending one body."""

    delivered: bool
    rejected: int = 0
    """Spans that the collector refused of a delivered body."""
    retryable: bool = False
    """Whether the same body may be taken later."""
    retry_after: float | None = None
    """Seconds after which the collector wants to be asked again."""
    problem: str = ""
    """What went wrong, for the log."""


class Transport(Protocol):
    """Carries bodies to one collector. For one thread; never raises for what the other side does."""

    def send(self, body: bytes, timeout: float) -> Outcome:
        """Send an ExportTraceServiceRequest; takes about `timeout` seconds at most."""
        ...

    def close(self) -> None:
        """Let go of connections. Safe twice; `send` may be called again and opens new ones."""
        ...


def retry_after(header: str | None, now: float | None = None) -> float | None:
    """Read a Retry-After header, seconds or a date, as seconds from `now` (Unix time)."""
    if header is None:
        return None
    if header.strip().isdigit():
        return min(float(header), MAX_PAUSE)
    try:
        moment = parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(moment - (time.time() if now is None else now), 0.0), MAX_PAUSE)


def read_partial_success(body: bytes) -> tuple[int, str]:
    """Read an ExportTraceServiceResponse: how many spans were rejected, and why.

    An answer that is no such message counts as a full success: the collector has said 200.
    """
    try:
        answer = dict(_fields(body)).get(1, b"")
        return _partial(dict(_fields(answer))) if isinstance(answer, bytes) else (0, "")
    except (IndexError, ValueError):
        return 0, ""


def _partial(fields: dict[int, int | bytes]) -> tuple[int, str]:
    rejected, message = fields.get(1, 0), fields.get(2, b"")
    if not isinstance(rejected, int) or not isinstance(message, bytes):
        return 0, ""
    return rejected, message.decode(errors="replace")[:500]


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """Read a message made of varints and length-delimited fields only."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, at = _varint(message, at)
        if key & 7 == 0:
            found.append((key >> 3, number))
        elif key & 7 == 2 and at + number <= len(message):
            found.append((key >> 3, message[at : at + number]))
            at += number
        else:
            raise ValueError("not an OTLP answer")
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 128:
            return number, at
    raise ValueError("varint too long")
