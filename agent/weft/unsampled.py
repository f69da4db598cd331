"""Spans of traces that are not recorded."""

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import SpanContext, TraceState

from weft.core import FLAGS, Core
from weft.propagation import RANDOM
from weft.sampling import SAMPLED
from weft.tracestate import EMPTY, local

if TYPE_CHECKING:
    from weft.core import Remote


class Unsampled(trace.NonRecordingSpan):
    """A span that is not recorded and yet keeps trace, decision and identity for what is called under it."""

    __slots__ = ("core", "flags", "passed", "span_id", "trace_id")

    def __init__(self, core: Core, parent: "Unsampled | Remote | None") -> None:
        """Make the unsampled child of `parent`."""
        self.core = core
        self.span_id = core.span_id()
        self.trace_id: int = parent.trace_id if parent else core.trace_id()
        self.flags: int = parent.flags & ~SAMPLED if parent else RANDOM
        self.passed: TraceState = local(parent.passed) if parent else EMPTY
        super().__init__(
            SpanContext(
                self.trace_id,
                self.span_id,
                is_remote=False,
                trace_flags=FLAGS[self.flags],
                trace_state=self.passed,
            )
        )
