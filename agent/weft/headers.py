"""What goes from one process to the next with a call: headers in, a parent and baggage out, and back.

The one place that decides what a host is told: traceparent and the tracestate of other systems go
everywhere, the caller entry and the baggage only to hosts in `propagate_to`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from opentelemetry import trace
from opentelemetry.context import Context

from weft.context import BAGGAGE_KEY, SPAN_KEY
from weft.core import Remote
from weft.propagation import read_baggage, read_traceparent, write_baggage, write_traceparent
from weft.span import Span
from weft.tracestate import EMPTY, caller_entry, write
from weft.tracestate import read as read_tracestate
from weft.unsampled import Unsampled


class Headers(NamedTuple):
    """The headers of one request that carry context; each as often as it occurs, in order."""

    traceparent: Sequence[str] = ()
    tracestate: Sequence[str] = ()
    baggage: Sequence[str] = ()


class Arrival(NamedTuple):
    """What a request brought along."""

    parent: Remote | None
    baggage: Mapping[str, str]


def read(headers: Headers) -> Arrival:
    """Read what a request brought. Two traceparents are none; without one tracestate means nothing."""
    baggage = read_baggage(headers.baggage) if headers.baggage else {}
    if len(headers.traceparent) != 1:
        return Arrival(None, baggage)
    parent = read_traceparent(headers.traceparent[0])
    if parent is None:
        return Arrival(None, baggage)
    states = read_tracestate(headers.tracestate) if headers.tracestate else EMPTY
    return Arrival(Remote(*parent, states, remote=True), baggage)


def with_baggage(members: Mapping[str, str], context: Context) -> Context:
    """Return `context` with the baggage of a request."""
    return Context({**context, BAGGAGE_KEY: dict(members)}) if members else context


def outgoing(context: Context, host: str | None) -> list[tuple[str, str]]:
    """Return the headers of a call made under `context` to `host` (None if it is not known)."""
    span = context.get(SPAN_KEY)
    if isinstance(span, Span | Unsampled):
        return _ours(span, context, allowed=host is not None and span.core.allows(host))
    return _foreign(span) if isinstance(span, trace.Span) else []


def call_headers(span: Span | Unsampled, context: Context, host: str) -> list[tuple[str, str]]:
    """Return the headers of the call that `span` stands for, made under `context` to `host`."""
    return _ours(span, context, allowed=span.core.allows(host))


def _ours(span: Span | Unsampled, context: Context, *, allowed: bool) -> list[tuple[str, str]]:
    found = [("traceparent", write_traceparent(span.trace_id, span.span_id, span.flags))]
    entry = caller_entry(span.span_id, span.core.caller) if allowed else None
    if entry is not None or span.passed:
        found.append(("tracestate", write(span.passed, entry)))
    members = context.get(BAGGAGE_KEY) if allowed else None
    if members:
        found.append(("baggage", write_baggage(cast("Mapping[str, object]", members))))
    return found


def _foreign(span: trace.Span) -> list[tuple[str, str]]:
    """Pass on the context of a span that is not ours."""
    context = span.get_span_context()
    if not context.is_valid:
        return []
    found = [
        ("traceparent", write_traceparent(context.trace_id, context.span_id, context.trace_flags & 0xFF))
    ]
    header = context.trace_state.to_header()
    return [*found, ("tracestate", header)] if header else found
