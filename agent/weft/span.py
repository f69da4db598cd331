"""The span: OpenTelemetry's Span API directly over a few slots.

Theory. A span is written by one request and read once by the sender thread after its end, so it needs no
lock. Ids are plain integers; the API's `SpanContext` is made only when somebody asks for it, for our own
hooks never do. Whatever is rare (events, links, a status text, flags) lives in `Details`, made on first
use. Attribute values are checked when they are set: plain scalars pass at the cost of a type comparison,
everything else goes through `weft.values`. After its end a span does not change.

Every attribute that the SDK's `ReadableSpan` has and that instrumentations read is here under the same
name: they read `kind`, `name`, `attributes` and others although the API does not promise them.

Refused: a chain of parent objects (keeps finished spans alive), a wrapper around an SDK span (twice the
cost).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Final, cast

from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceState
from opentelemetry.util.types import AnyValue, Attributes
from typing_extensions import override

from weft.core import FLAGS, NO_DETAILS, Core, Details, Event, Remote, Scope
from weft.failure import stacktrace, type_name
from weft.propagation import RANDOM
from weft.sampling import SAMPLED
from weft.tracestate import EMPTY, local
from weft.values import LONG, SCALARS, Value, bounded, cleaned, items, plain, text, weight

if TYPE_CHECKING:
    from weft.resource import Resource
    from weft.unsampled import Unsampled

UNSET: Final = Status(StatusCode.UNSET)
OK: Final = Status(StatusCode.OK)
ROOT_FLAGS: Final = SAMPLED | RANDOM
NAME_LIMIT: Final = 1024
BASE_SIZE: Final = 512
"""Estimated bytes of a span; each attribute adds `ATTRIBUTE_SIZE`, and long values their length."""
ATTRIBUTE_SIZE: Final = 96


class Span(trace.Span):
    """A recorded operation. Made by `weft.provider.Tracer`, not directly."""

    __slots__ = (
        "_attributes", "_context", "_status", "core", "details", "end_time", "flags", "from_remote",
        "instrumentation_scope", "kind", "name", "parent_id", "passed", "span_id", "start_time", "state",
        "trace_id",
    )  # fmt: skip

    def __init__(
        self, core: Core, scope: Scope, name: str, kind: SpanKind, parent: "Span | Unsampled | Remote | None"
    ) -> None:
        """Start a span now, as the child of `parent`."""
        self.core = core
        self.instrumentation_scope = scope
        self.name = name if type(name) is str else text(name, NAME_LIMIT)
        self.kind = kind
        self.span_id = core.span_id()
        self.from_remote = False
        self.trace_id: int
        self.flags: int
        if parent is None:
            self.trace_id = core.trace_id()
            self.parent_id = 0
            self.flags = ROOT_FLAGS
            self.state: TraceState = EMPTY
            self.passed: TraceState = EMPTY
        else:
            self.trace_id = parent.trace_id
            self.parent_id = parent.span_id
            self.flags = parent.flags
            self.state = self.passed = parent.passed
            if type(parent) is Remote:
                self._enter(parent)
        self._attributes: dict[str, Value] = {}
        self.details = NO_DETAILS
        self._status = UNSET
        self._context: SpanContext | None = None
        self.end_time: int | None = None
        self.start_time = core.clock()

    def _enter(self, parent: Remote) -> None:
        self.from_remote = parent.remote
        self.flags = parent.flags | SAMPLED
        self.passed = local(parent.passed)

    @override
    def get_span_context(self) -> SpanContext:
        context = self._context
        if context is None:
            context = self._context = SpanContext(
                self.trace_id,
                self.span_id,
                is_remote=False,
                trace_flags=FLAGS[self.flags],
                trace_state=self.passed,
            )
        return context

    @property
    def context(self) -> SpanContext:
        """The span's own context."""
        return self.get_span_context()

    @property
    def parent(self) -> SpanContext | None:
        """The context of the parent; None for a root."""
        if not self.parent_id:
            return None
        return SpanContext(self.trace_id, self.parent_id, self.from_remote, FLAGS[self.flags], self.state)

    @property
    def attributes(self) -> Mapping[str, Value]:
        """The attributes, read-only."""
        return MappingProxyType(self._attributes)

    @property
    def events(self) -> Sequence[Event]:
        """What happened during the span, in order."""
        return tuple(self.details.events)

    @property
    def links(self) -> Sequence[Link]:
        """Links to other spans, in the order in which they were added."""
        return tuple(self.details.links)

    @property
    def status(self) -> Status:
        """The outcome: unset, ok or error."""
        return self._status

    @property
    def resource(self) -> "Resource":
        """The service instance that the span belongs to."""
        return self.core.resource

    @property
    def dropped_attributes(self) -> int:
        """How many attributes were dropped for the limit."""
        return self.details.dropped_attributes

    @property
    def dropped_events(self) -> int:
        """How many events were dropped for the limit."""
        return self.details.dropped_events

    @property
    def dropped_links(self) -> int:
        """How many links were dropped for the limit."""
        return self.details.dropped_links

    @property
    def size(self) -> int:
        """An estimate of the bytes of memory that the finished span holds."""
        return BASE_SIZE + ATTRIBUTE_SIZE * len(self._attributes) + self.details.extra_size

    @override
    def is_recording(self) -> bool:
        return self.end_time is None

    def __repr__(self) -> str:
        return f"<Span {self.name!r} {self.trace_id:032x} {self.span_id:016x}>"

    @override
    def set_attribute(self, key: str, value: AnyValue) -> None:
        if self.end_time is not None:
            return
        attributes = self._attributes
        if (
            type(key) is not str
            or not key
            or (len(attributes) >= self.core.limits.attributes and key not in attributes)
        ):
            self._own().dropped_attributes += 1
        elif type(value) in SCALARS or (type(value) is str and len(value) < LONG):
            attributes[key] = value  # type: ignore[assignment]  # pyright: ignore[reportArgumentType] - one of those
        else:
            self._set_weighed(key, value)

    @override
    def set_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        for key, value in items(attributes):
            self.set_attribute(key, cast("AnyValue", value))

    def fill(self, attributes: Attributes) -> None:
        """Set many attributes, faster than one by one where they are plain."""
        if plain(attributes, self.core.limits.attributes - len(self._attributes)):
            self._attributes.update(cast("dict[str, Value]", attributes))
        else:
            for key, value in items(attributes):
                self.set_attribute(key, cast("AnyValue", value))

    def _set_weighed(self, key: str, value: object) -> None:
        clean = cleaned(value, self.core.limits)
        self._own().extra_size += weight(clean)
        self._attributes[key] = clean

    def _own(self) -> Details:
        if self.details is NO_DETAILS:
            self.details = Details()
        return self.details

    @override
    def update_name(self, name: str) -> None:
        if self.end_time is None:
            self.name = text(name, NAME_LIMIT)

    @override
    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        if self.end_time is not None:
            return
        details = self._own()
        if len(details.events) >= self.core.limits.events:
            details.dropped_events += 1
            return
        values = bounded(attributes, self.core.limits)
        details.extra_size += BASE_SIZE + weight(values)
        moment = timestamp if isinstance(timestamp, int) else self.core.clock()
        details.events.append(Event(text(name, NAME_LIMIT), moment, values))

    @override
    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        if self.end_time is not None or not isinstance(context, SpanContext):  # pyright: ignore[reportUnnecessaryIsInstance] - the host's word
            return
        details = self._own()
        if len(details.links) >= self.core.limits.links:
            details.dropped_links += 1
            return
        values = bounded(attributes, self.core.limits)
        details.extra_size += BASE_SIZE + weight(values)
        details.links.append(Link(context, values))

    @override
    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the outcome. OK is final, UNSET is ignored, only an error keeps its description."""
        code = status.status_code if isinstance(status, Status) else status
        if self.end_time is not None or self._status is OK or code is StatusCode.UNSET:
            return
        if code is StatusCode.OK:
            self._status = OK
        elif code is StatusCode.ERROR:
            words = status.description if isinstance(status, Status) else description
            self._status = Status(
                StatusCode.ERROR, text(words, self.core.limits.value_length) if words is not None else None
            )

    @override
    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        if self.end_time is not None:
            return
        found: dict[str, object] = {
            "exception.type": type_name(exception),
            "exception.message": text(exception, self.core.limits.value_length),
            "exception.stacktrace": stacktrace(exception),
            "exception.escaped": str(bool(escaped)),
        }
        self.add_event("exception", cast("Attributes", {**found, **dict(items(attributes))}), timestamp)

    def failed(self, error: BaseException, *, record: bool, set_status: bool) -> None:
        """Note that the operation ended with `error`, as OpenTelemetry's `use_span` does."""
        if record:
            self.record_exception(error)
        if set_status:
            self.set_status(StatusCode.ERROR, f"{type(error).__name__}: {text(error, 4096)}")

    def on_exception(self, *, record: bool, set_status: bool) -> None:
        """Choose what leaving the span's `with` block by an exception does."""
        details = self._own()
        details.record_exception, details.set_status_on_exception = record, set_status

    @override
    def end(self, end_time: int | None = None) -> None:
        """End the span now, or at `end_time` in nanoseconds; only the first end counts."""
        if self.end_time is None:
            self.end_time = end_time if isinstance(end_time, int) else self.core.clock()
            self.core.report(self)

    @override
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        details = self.details
        if isinstance(exc_val, Exception):
            self.failed(exc_val, record=details.record_exception, set_status=details.set_status_on_exception)
        self.end()
