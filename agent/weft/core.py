"""The values that spans are made of, and what all spans of one agent share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry.trace import Link, TraceFlags, TraceState

from weft.sampling import Sampler
from weft.values import Limits, Value

if TYPE_CHECKING:
    from weft.resource import Resource
    from weft.span import Span


FLAGS: Final = tuple(TraceFlags(bits) for bits in range(4))
"""The API's objects for the trace flags that we know."""


@dataclass(frozen=True, slots=True)
class Core:
    """What all spans of one agent share. A fork gets a new one: the parent's spans keep the old."""

    resource: "Resource"
    trace_id: Callable[[], int]
    span_id: Callable[[], int]
    clock: Callable[[], int]
    """Nanoseconds since the epoch."""
    sampler: Sampler
    limits: Limits
    report: Callable[["Span"], None]
    """Takes each finished span. Must not raise and not block."""
    caller: str
    """The constant part of the caller entry, see `weft.tracestate`."""
    allows: Callable[[str], bool]
    """Whether a host may be told the caller's name and the baggage."""


class Scope(NamedTuple):
    """The library that made a span."""

    name: str
    version: str | None = None
    schema_url: str | None = None
    attributes: Mapping[str, Value] = MappingProxyType({})


class Event(NamedTuple):
    """Something that happened during a span."""

    name: str
    timestamp: int
    attributes: Mapping[str, Value]


class Remote(NamedTuple):
    """A parent in another process, or in another system of this one."""

    trace_id: int
    span_id: int
    flags: int
    passed: TraceState
    """The tracestate as it came in, with the caller entry."""
    remote: bool


class Details:
    """The rare parts of a span."""

    __slots__ = (
        "dropped_attributes", "dropped_events", "dropped_links", "events", "extra_size", "links",
        "record_exception", "set_status_on_exception",
    )  # fmt: skip

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.links: list[Link] = []
        self.dropped_attributes = 0
        self.dropped_events = 0
        self.dropped_links = 0
        self.extra_size = 0
        self.record_exception = True
        self.set_status_on_exception = True


NO_DETAILS: Final = Details()
"""What a span without rare parts reads; never written."""
