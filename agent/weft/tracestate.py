"""The tracestate header: a grammar of our own, and the caller entry in it.

The OpenTelemetry API's `TraceState` is too strict for the W3C trace-context suite (keys with several `@`)
and too lax elsewhere (repeated keys drop everything), so this one reads by the rules of Trace Context level
2:

- members are joined over repeated headers, separated by commas, with optional blanks around each; empty
  ones count for nothing;
- a key is a letter or digit followed by at most 255 of `a-z 0-9 _ - * / @`; a value has at most 256
  printable characters without comma and equals sign and does not end with a blank;
- of a key that occurs twice the first member is kept;
- one bad member, or more than 32 members, drops the whole header: its order can no longer be trusted.

The caller entry `weft=<span id>;<service>;<instance>` names the sender of a call, so that the receiver's
span alone gives a full edge. Its span id ties it to the traceparent beside it: a system that forwards
tracestate but starts spans of its own makes it visibly stale. Names are percent-encoded and the value has
at most 128 characters; a name too long for that is cut and ends in a hash of the whole.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast
from urllib.parse import quote

from opentelemetry.trace import TraceState
from typing_extensions import override

KEY: Final = "weft"
MAX_MEMBERS: Final = 32
MAX_LENGTH: Final = 8192
"""Characters of all tracestate headers of one request together; more is dropped unread."""
MAX_ENTRY: Final = 128

_MEMBER = re.compile(
    r"([a-z0-9][a-z0-9_\-*/@]{0,255})=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)
_CUT_ESCAPE = re.compile(r"%[0-9A-F]?$")


class States(TraceState):
    """The members of a tracestate header. Immutable; every change returns a new object."""

    def __init__(self, entries: Sequence[tuple[str, str]] | None = None) -> None:
        super().__init__()
        self._dict = dict(reversed(entries)) if entries else {}
        if entries and len(self._dict) < len(entries):  # a key occurs twice
            self._dict = _first_of_each(entries)
        elif entries:
            self._dict = dict(entries)

    @classmethod
    def of(cls, members: Mapping[str, str]) -> "States":
        """Wrap members that are known to follow the grammar."""
        states = cls.__new__(cls)
        states._dict = dict(members)  # noqa: SLF001 - made here
        return states

    @override
    def add(self, key: str, value: str) -> TraceState:
        if key in self._dict or len(self._dict) >= MAX_MEMBERS:
            return self
        return self.update(key, value)

    @override
    def update(self, key: str, value: str) -> TraceState:
        if not _MEMBER.fullmatch(f"{key}={value}") or len(self._dict.keys() | {key}) > MAX_MEMBERS:
            return self
        return States.of({key: value, **self.without(key)})

    @override
    def delete(self, key: str) -> TraceState:
        return States.of(self.without(key)) if key in self._dict else self

    def without(self, key: str) -> dict[str, str]:
        """Return the members except the one of `key`."""
        return {name: value for name, value in self._dict.items() if name != key}

    @classmethod
    @override
    def from_header(cls, header_list: list[str]) -> TraceState:
        return read(header_list)


def _first_of_each(entries: Iterable[tuple[str, str]]) -> dict[str, str]:
    members: dict[str, str] = {}
    for key, value in entries:
        members.setdefault(key, value)
    return members


EMPTY: Final = States()


def read(headers: Sequence[str]) -> States:
    """Read the tracestate headers of one request, in their order; `EMPTY` if they break the grammar."""
    joined = ",".join(headers)
    if not joined or len(joined) > MAX_LENGTH:
        return EMPTY
    if "," not in joined:  # the entry of a caller of ours and no more, as in most calls
        match = _MEMBER.fullmatch(joined.strip(" \t"))
        return EMPTY if match is None else States.of({match[1]: match[2]})
    members = [stripped for member in joined.split(",") if (stripped := member.strip(" \t"))]
    if len(members) > MAX_MEMBERS:
        return EMPTY
    matches = [_MEMBER.fullmatch(member) for member in members]
    if not all(matches):
        return EMPTY
    return States.of(_first_of_each(cast("re.Match[str]", match).group(1, 2) for match in matches))  # type: ignore[misc]


def local(states: TraceState) -> TraceState:
    """Return what a span hands to its own children: everything but the entry of the remote caller."""
    if KEY not in states:
        return states
    return states.delete(KEY) if len(states) > 1 else EMPTY


def write(states: TraceState, entry: str | None) -> str:
    """Return the header for an outgoing call: the caller entry first, then the members of other systems.

    Where 32 members are there already, the rightmost (oldest) goes. Without an entry a foreign one is not
    passed on.
    """
    others = [f"{key}={value}" for key, value in states.items() if key != KEY]
    if entry is None:
        return ",".join(others)
    return ",".join([f"{KEY}={entry}", *others[: MAX_MEMBERS - 1]])


def caller_suffix(service: str, instance: str) -> str:
    """Return `;<service>;<instance>`, the part of a caller entry that stays the same for all calls."""
    room = MAX_ENTRY - 16 - 2
    last = fit(encode(instance), room // 2, instance)
    return f";{fit(encode(service), room - len(last), service)};{last}"


def caller_entry(span_id: int, suffix: str) -> str:
    """Return the caller entry of a call whose traceparent carries `span_id`."""
    return f"{span_id:016x}{suffix}"


def encode(name: str) -> str:
    """Percent-encode every byte of `name` outside `A-Z a-z 0-9 _ . -`."""
    return quote(name, safe="", errors="replace").replace("~", "%7E")


def fit(encoded: str, room: int, name: str) -> str:
    """Return `encoded` cut to `room` characters: a prefix of it with a hash of the whole name."""
    if len(encoded) <= room:
        return encoded
    mark = "-" + hashlib.blake2b(name.encode(errors="replace"), digest_size=4).hexdigest()
    return _CUT_ESCAPE.sub("", encoded[: room - len(mark)]) + mark
