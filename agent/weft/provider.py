"""The OpenTelemetry tracer provider and tracer over the agent's own spans.

Identity flows with the current span: the tracer of the *global* provider (`follows=True`) makes its spans
for the agent whose span is current, so an instrumentation that knows nothing of agents books a call to the
right service where several share a process. A tracer asked from one agent's own provider always serves that
agent.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind
from opentelemetry.util.types import Attributes
from typing_extensions import override

from weft import context as current
from weft.context import SPAN_KEY
from weft.core import Core, Remote, Scope
from weft.guard import guarded
from weft.sampling import always_on
from weft.span import NAME_LIMIT, Span
from weft.unsampled import Unsampled
from weft.values import bounded, text

if TYPE_CHECKING:
    from contextvars import Token

F = TypeVar("F", bound=Callable[..., Any])
Parent = Span | Unsampled | Remote | None
Recorded = Span | Unsampled


def start(core: Core, scope: Scope, name: str, kind: SpanKind, parent: Parent) -> Recorded:
    """Start a span under `parent`, recorded or not as the sampler says."""
    if type(parent) is Span or (
        type(parent) is not Unsampled and core.sampler(parent.flags if parent else None)
    ):
        return Span(core, scope, name, kind, parent)
    return Unsampled(core, cast("Unsampled | Remote | None", parent))


def parent_in(context: Context) -> Parent:
    """Return the span that a span started under `context` is a child of."""
    found = context.get(SPAN_KEY)
    if found is None or type(found) is Span or type(found) is Unsampled:
        return found
    return _foreign(found)


def _foreign(found: object) -> Remote | None:
    """Read a span that is not ours: a remote parent, or one of another tracing system in this process."""
    if not isinstance(found, trace.Span):
        return None
    context = found.get_span_context()
    if not context.is_valid:
        return None
    flags = context.trace_flags & 0x03
    return Remote(context.trace_id, context.span_id, flags, context.trace_state, context.is_remote)


class TracerProvider(trace.TracerProvider):
    """Gives out tracers whose spans belong to one agent.

    Args:
        core: what the spans share; None makes spans that are recorded and passed on, but sent nowhere.
        follows: whether tracers serve the agent of the current span before their own.
    """

    def __init__(self, core: Core | None = None, *, follows: bool = False) -> None:
        self.core = core or _recorded_only()
        self.follows = follows
        self._force_flush: Callable[[float], bool] = _nothing_to_flush

    @override
    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> "Tracer":
        limits = self.core.limits
        scope = Scope(
            text(instrumenting_module_name or "", NAME_LIMIT),
            instrumenting_library_version,
            schema_url,
            bounded(attributes, limits),
        )
        return Tracer(self, scope)

    def flush_by(self, flush: Callable[[float], bool]) -> None:
        """Let `force_flush` call `flush` with a timeout in seconds."""
        self._force_flush = flush

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is waiting; whether all of it was taken within the time (milliseconds, as in the SDK)."""
        return self._force_flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Send what is waiting. The agent itself is ended by `Agent.shutdown`."""
        self.force_flush(2_000)


def _recorded_only() -> Core:
    from weft.agent import silent  # noqa: PLC0415 - agents are built on providers

    return silent(always_on)


def _nothing_to_flush(_timeout: float) -> bool:
    return True


class Tracer(trace.Tracer):
    """Starts spans for one instrumentation scope."""

    __slots__ = ("_provider", "_scope")

    def __init__(self, provider: TracerProvider, scope: Scope) -> None:
        self._provider = provider
        self._scope = scope

    @override
    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Recorded:
        found = (current.current() if context is None else context).get(SPAN_KEY)
        if type(found) is Span:  # by far the most frequent case, so without a further call
            core = found.core if self._provider.follows else self._provider.core
            span: Recorded = Span(core, self._scope, name, kind, found)
        else:
            span = self._start(name, kind, found)
        if type(span) is not Span:
            return span
        if attributes is not None:
            span.fill(attributes)
        if links is not None or start_time is not None:
            _begin(span, links, start_time)
        if not (record_exception and set_status_on_exception):
            span.on_exception(record=record_exception, set_status=set_status_on_exception)
        return span

    def _start(self, name: str, kind: SpanKind, found: object) -> Recorded:
        """Start a span that is a root, or under a span that is not ours or not recorded."""
        provider = self._provider
        if type(found) is Unsampled:
            return Unsampled(found.core if provider.follows else provider.core, found)
        return start(provider.core, self._scope, name, kind, _foreign(found))

    @override
    def start_as_current_span(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - a class instead of the API's generator, 1.5 us less
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> "Activation":
        birth = (
            name,
            context,
            kind,
            attributes,
            links,
            start_time,
            record_exception,
            set_status_on_exception,
        )
        return Activation(self, birth, end_on_exit=end_on_exit)


@guarded
def _begin(span: Span, links: Sequence[Link] | None, start_time: int | None) -> None:
    if isinstance(start_time, int):
        span.start_time = start_time
    for link in links or ():
        if isinstance(link, Link):  # pyright: ignore[reportUnnecessaryIsInstance] - the host's word
            span.add_link(link.context, link.attributes)


class Activation:
    """Makes a new span current for a `with` block, or for each call of a decorated function."""

    __slots__ = ("_birth", "_end_on_exit", "_span", "_token", "_tracer")

    def __init__(self, tracer: Tracer, birth: tuple[Any, ...], *, end_on_exit: bool) -> None:
        self._tracer = tracer
        self._birth = birth
        self._end_on_exit = end_on_exit

    def __enter__(self) -> Recorded:
        """Start the span and make it current."""
        span = self._span = self._tracer.start_span(*self._birth)
        self._token: Token[Context] = current.attach(current.with_span(span, current.current()))
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        span = self._span
        current.detach(self._token)
        if isinstance(error, Exception) and type(span) is Span and span.end_time is None:
            span.failed(error, record=self._birth[6], set_status=self._birth[7])
        if self._end_on_exit:
            span.end()

    def __call__(self, function: F) -> F:
        """Decorate a function, sync or async: each call gets a span of its own."""
        if inspect.iscoroutinefunction(function):
            return cast("F", self._around_coroutine(function))

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return cast("F", run)

    def _around_coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return await function(*args, **kwargs)

        return run

    def _again(self) -> "Activation":
        return Activation(self._tracer, self._birth, end_on_exit=self._end_on_exit)
