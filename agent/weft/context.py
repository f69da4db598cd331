"""The current span and the current agent: both live in OpenTelemetry's own context and nowhere else.

A second store would have to be kept in step with `opentelemetry.context` by every library that attaches and
detaches contexts, so there is none: identity flows with the current span. Only where no span of ours is
current does the process default count.
"""

from contextvars import Token
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry import baggage
from opentelemetry import context as otel
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

if TYPE_CHECKING:
    from weft.agent import Agent
    from weft.core import Core

# The API hides its keys in private names. A context that holds one value shows its key.
SPAN_KEY: Final[str] = next(iter(set_span_in_context(INVALID_SPAN, Context())))
BAGGAGE_KEY: Final[str] = next(iter(baggage.set_baggage("key", "value", Context())))

# The two keys that all OpenTelemetry instrumentations share have no public name at all.
_SUPPRESS = otel._SUPPRESS_INSTRUMENTATION_KEY  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
_SUPPRESS_HTTP = otel._SUPPRESS_HTTP_INSTRUMENTATION_KEY  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

current = otel.get_current
"""Return the current OpenTelemetry context."""


class Process:
    """What the whole process shares: the default agent, or None before `weft.init`."""

    default: "Agent | None" = None
    autostarted: bool = False
    """Whether `weft run` made the default agent, and not the service's own code."""
    provider_is_set: bool = False
    """Whether OpenTelemetry's global provider was offered ours; it can be set once only."""


def with_span(span: object, context: Context) -> Context:
    """Return `context` with `span` as its current span."""
    return Context(context, **{SPAN_KEY: span})


def attach(context: Context) -> Token[Context]:
    """Make `context` the current one; the token takes it back."""
    return otel.attach(context)


def detach(token: Token[Context]) -> None:
    """Restore what was current before `token`.

    A token of another task or thread restores nothing: there the old context never was current. This
    happens when an async generator is closed by another task, and it is no fault of the host, so nothing is
    logged.
    """
    try:
        token.var.reset(token)
    except (ValueError, RuntimeError):
        return
    except AttributeError:  # a runtime context of the host's own (OTEL_PYTHON_CONTEXT) with tokens of its own
        otel.detach(token)


def suppressed(context: Context) -> bool:
    """Whether calls made under `context` are not to be recorded."""
    return bool(context.get(_SUPPRESS) or context.get(_SUPPRESS_HTTP))


def suppress() -> Token[Context]:
    """Record nothing from here on in this thread or task, whoever instruments; `detach` ends it."""
    return otel.attach(
        otel.set_value(_SUPPRESS_HTTP, value=True, context=otel.set_value(_SUPPRESS, value=True))
    )


def active_core(context: Context) -> "Core | None":
    """Return the identity that a call under `context` belongs to: its span's, else the default agent's."""
    core = cast("Any", getattr(context.get(SPAN_KEY), "core", None))
    if core is not None:
        return cast("Core", core)
    return Process.default.core if Process.default is not None else None
