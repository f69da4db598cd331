"""What a search asks for, checked and bounded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from weft_collector.errors import BadQuery
from weft_collector.query.promoted import NUMBERS, column_of
from weft_collector.store.span_schema import KINDS, STATUSES

__all__ = [
    "KIND_NAMES",
    "MOST_CONDITIONS",
    "SORTS",
    "STATUS_NAMES",
    "Condition",
    "Question",
    "parse_condition",
    "parse_duration",
]

MOST_CONDITIONS: Final = 16
LONGEST_KEY: Final = 256
LONGEST_VALUE: Final = 1024
LATEST_NS: Final = 2**63 - 1

SORTS: Final[Mapping[str, str]] = MappingProxyType({"start": "Timestamp", "duration": "Duration"})
"""What rows can be sorted by, largest first, and the column of it."""
KIND_NAMES: Final[Mapping[str, str]] = MappingProxyType({kind.lower(): kind for kind in KINDS})
"""Kinds as a user writes them, and as the column has them."""
STATUS_NAMES: Final[Mapping[str, str]] = MappingProxyType({status.lower(): status for status in STATUSES})
"""Likewise for status codes."""

_UNITS: Final = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}
_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ns|us|ms|s|m)", re.ASCII)
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)


class Condition(NamedTuple):
    """An attribute of the span or of its resource that has a value; the value as text."""

    key: str
    value: str


def parse_condition(text: str) -> Condition:
    """Read `key=value`; the first `=` separates.

    Raises:
        BadQuery: There is no key, or it is too long, or a column of numbers is compared with a text.
    """
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise BadQuery(f"attribute={text[:80]!r}: write key=value, such as http.route=/cart.")
    if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
        raise BadQuery(
            f"attribute={text[:80]!r}...: a key has at most {LONGEST_KEY} characters, a value {LONGEST_VALUE}."
        )
    if column_of(key) in NUMBERS and not _NUMBER.fullmatch(value):
        raise BadQuery(f"attribute={text[:80]!r}: {key} is a whole number; write {key}=503.")
    return Condition(key, value)


def parse_duration(name: str, text: str) -> int:
    """Nanoseconds of a text such as `250ms` or `1.5s`.

    Raises:
        BadQuery: It is no duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadQuery(
            f"{name}={text[:40]!r} is no duration: write a number with ns, us, ms, s or m, such as 250ms."
        )
    whole, _, fraction = match[1].partition(".")
    unit = _UNITS[match[2]]
    return min(int(whole) * unit + int(fraction.ljust(9, "0")) * unit // 10**9, LATEST_NS)


@dataclass(frozen=True, slots=True)
class Question:
    """What spans must be. Everything that is given holds for one and the same span.

    Attributes:
        service: Its `service.name`.
        operation: Its name.
        kind: One of `span_schema.KINDS`.
        status: One of `span_schema.STATUSES`.
        least_ns: Shortest duration.
        most_ns: Longest duration.
        start_ns: Earliest start, ns since the epoch.
        end_ns: First start that is too late.
        conditions: Attributes that it, or its resource, has.
        sort: One of `SORTS`.
    """

    service: str | None = None
    operation: str | None = None
    kind: str | None = None
    status: str | None = None
    least_ns: int | None = None
    most_ns: int | None = None
    start_ns: int = 0
    end_ns: int = LATEST_NS
    conditions: tuple[Condition, ...] = ()
    sort: str = "start"

    def check(self) -> None:
        """Look at the values together.

        Raises:
            BadQuery: One is unknown, too large, or contradicts another.
        """
        _known("kind", self.kind, KINDS)
        _known("status", self.status, STATUSES)
        _known("sort", self.sort, tuple(SORTS))
        if len(self.conditions) > MOST_CONDITIONS:
            raise BadQuery(f"{len(self.conditions)} attributes are asked for; at most {MOST_CONDITIONS}.")
        if self.start_ns >= self.end_ns:
            raise BadQuery("The window is empty: its end must lie after its start.")
        if (self.most_ns is not None) and (self.least_ns or 0) > self.most_ns:
            raise BadQuery("min_duration is longer than max_duration.")

    @property
    def texts(self) -> dict[str, str]:
        """Columns of texts that must have a value."""
        asked = {
            "ServiceName": self.service, "SpanName": self.operation,
            "SpanKind": self.kind, "StatusCode": self.status,
        }  # fmt: skip
        return {column: text for column, text in asked.items() if text is not None}


def _known(name: str, value: str | None, values: tuple[str, ...]) -> None:
    if value is not None and value not in values:
        raise BadQuery(f"{name}={value[:40]!r} is not known: {', '.join(v.lower() for v in values)}.")
