"""The agent's propagation behind OpenTelemetry's own interface, for instrumentations that are not ours.

`inject` is not told where a call goes. It looks at the current span, which instrumentations fill with the
address before they inject; where no address is to be found, the caller entry and the baggage stay at home.
"""

import os
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.propagators import textmap
from opentelemetry.trace import NonRecordingSpan, SpanContext
from typing_extensions import override

from weft import context as current
from weft.context import SPAN_KEY
from weft.core import FLAGS
from weft.guard import guarded
from weft.headers import Arrival, Headers, outgoing, read, with_baggage
from weft.span import Span

HOSTS: Final = ("server.address", "net.peer.name", "http.host")
URLS: Final = ("url.full", "http.url")
FIELDS: Final = ("traceparent", "tracestate", "baggage")


class TextMap(textmap.TextMapPropagator):
    """Reads and writes traceparent, tracestate and baggage."""

    @override
    def extract(
        self,
        carrier: textmap.CarrierT,
        context: Context | None = None,
        getter: textmap.Getter[textmap.CarrierT] = textmap.default_getter,
    ) -> Context:
        base = Context() if context is None else context
        return self._extract(carrier, base, getter) or base

    @guarded
    def _extract(
        self, carrier: textmap.CarrierT, context: Context, getter: textmap.Getter[textmap.CarrierT]
    ) -> Context:
        return entered(read(Headers(*(getter.get(carrier, name) or [] for name in FIELDS))), context)

    @override
    def inject(
        self,
        carrier: textmap.CarrierT,
        context: Context | None = None,
        setter: textmap.Setter[textmap.CarrierT] = textmap.default_setter,
    ) -> None:
        self._inject(carrier, current.current() if context is None else context, setter)

    @guarded
    def _inject(
        self, carrier: textmap.CarrierT, context: Context, setter: textmap.Setter[textmap.CarrierT]
    ) -> None:
        for name, value in outgoing(context, host_of(context.get(SPAN_KEY))):
            setter.set(carrier, name, value)

    @property
    @override
    def fields(self) -> set[str]:
        return set(FIELDS)


def entered(arrival: Arrival, context: Context) -> Context:
    """Return `context` under the remote parent and with the baggage of a request."""
    context = with_baggage(arrival.baggage, context)
    parent = arrival.parent
    if parent is None:
        return context
    remote = SpanContext(
        parent.trace_id,
        parent.span_id,
        is_remote=True,
        trace_flags=FLAGS[parent.flags],
        trace_state=parent.passed,
    )
    return current.with_span(NonRecordingSpan(remote), context)


def host_of(span: object) -> str | None:
    """Return the host that a client span calls, as far as its attributes tell."""
    if not isinstance(span, Span):
        return None
    found = [("//", span.attributes.get(name)) for name in HOSTS]
    found += [("", span.attributes.get(name)) for name in URLS]
    addresses = (prefix + value for prefix, value in found if isinstance(value, str) and value)
    return _host(next(addresses, ""))


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # a broken IPv6 literal
        return None


def serve_global_propagation() -> None:
    """Make this the propagation of OpenTelemetry's global API, unless the environment chose another."""
    from opentelemetry import propagate  # noqa: PLC0415 - its import loads what OTEL_PROPAGATORS names

    chosen = {name.strip() for name in os.environ.get("OTEL_PROPAGATORS", "tracecontext,baggage").split(",")}
    if chosen <= {"tracecontext", "baggage"}:
        propagate.set_global_textmap(TextMap())
