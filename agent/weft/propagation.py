"""W3C Trace Context and Baggage as pure functions: header texts in, values out, and back.

Rules of Trace Context level 2 that are easy to miss: version `ff` is invalid; version `00` has exactly four
fields, a higher version may have more; ids of zeros are invalid; blanks around the value are tolerated; two
traceparent headers are none. Of the flags, `sampled` and `random trace id` are known and passed through,
the rest is dropped.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

RANDOM: Final = 0x02
"""The trace flag that says: the trace id is random in its lower 56 bits at least."""
KNOWN_FLAGS: Final = 0x03

MAX_BAGGAGE_LENGTH: Final = 8192
MAX_BAGGAGE_MEMBERS: Final = 180

_TRACEPARENT = re.compile(
    r"[ \t]*([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?[ \t]*", re.ASCII
)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Parent(NamedTuple):
    """What a traceparent header says: the caller's trace and span, and its flags."""

    trace_id: int
    span_id: int
    flags: int


def read_traceparent(value: str) -> Parent | None:
    """Read a traceparent header; None if it is not valid."""
    match = _TRACEPARENT.fullmatch(value) if len(value) <= 512 else None
    if match is None:
        return None
    version, trace, span, flags, more = match.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    parent = Parent(int(trace, 16), int(span, 16), int(flags, 16) & KNOWN_FLAGS)
    return parent if parent.trace_id and parent.span_id else None


def write_traceparent(trace_id: int, span_id: int, flags: int) -> str:
    """Return the traceparent header (version 00) of a call made under the given span."""
    return f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"


def read_baggage(headers: Iterable[str]) -> dict[str, str]:
    """Read the baggage headers of one request; members that break the grammar are left out.

    A member's properties stay part of its value, as the OpenTelemetry API has no place of their own for them.
    """
    joined = ",".join(headers)
    if len(joined) > MAX_BAGGAGE_LENGTH:
        return {}
    members = (member.partition("=") for member in joined.split(",")[:MAX_BAGGAGE_MEMBERS])
    stripped = ((key.strip(" \t"), value.strip(" \t")) for key, sign, value in members if sign)
    return {
        unquote(key): unquote(value) for key, value in stripped if _TOKEN.fullmatch(key) and value.isascii()
    }


def write_baggage(members: Mapping[str, object]) -> str:
    """Return the baggage header that carries `members`, as many as W3C Baggage allows."""
    written: list[str] = []
    length = -1
    for key, value in members.items():
        member = f"{quote(str(key), safe='')}={quote(str(value), safe='')}"
        length += len(member) + 1
        if length > MAX_BAGGAGE_LENGTH or len(written) >= MAX_BAGGAGE_MEMBERS:
            break
        written.append(member)
    return ",".join(written)
