"""Calls made by httpx, sync and async: one CLIENT span for each request that is really sent.

Patched are the transports at the end of the chain, not the client: a redirect, a retry of a retrying
transport and a digest challenge are requests of their own, and a transport that answers from a cache sends
none. The span ends when the answer's head has arrived; reading a streamed body is the caller's own time.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import httpx
from opentelemetry.trace import SpanKind, StatusCode

from weft import __version__, context
from weft.core import Scope
from weft.failure import type_name
from weft.guard import guarded
from weft.headers import call_headers
from weft.hooks.http import DEFAULT_PORTS, exchange_failed, method_name, redacted_query, span_name
from weft.provider import Recorded, parent_in, start
from weft.span import Span

SCOPE: Final = Scope("weft.httpx", __version__)
TRANSPORTS: Final = (
    ("HTTPTransport", "handle_request"),
    ("WSGITransport", "handle_request"),
    ("MockTransport", "handle_request"),
    ("AsyncHTTPTransport", "handle_async_request"),
    ("ASGITransport", "handle_async_request"),
    ("MockTransport", "handle_async_request"),
)
"""The transports that send, and their method."""

Handle = Callable[[Any, httpx.Request], Any]


def apply(module: ModuleType) -> None:
    """Record what the transports of httpx send."""
    for name, method in TRANSPORTS:
        kind = getattr(module, name)
        wrap = _sync if method == "handle_request" else _async
        setattr(kind, method, wrap(getattr(kind, method)))


def undo(module: ModuleType) -> None:
    """Give the transports their own methods back."""
    for name, method in TRANSPORTS:
        kind = getattr(module, name)
        setattr(kind, method, getattr(kind, method).__wrapped__)


def _sync(handle: Handle) -> Handle:
    @functools.wraps(handle)
    def handle_request(transport: Any, request: httpx.Request) -> Any:
        span = begin(request)
        if span is None:
            return handle(transport, request)
        token = context.attach(context.with_span(span, context.current()))
        try:
            response = handle(transport, request)
        except BaseException as error:
            fail(span, error)
            raise
        finally:
            context.detach(token)
        finish(span, response)
        return response

    return handle_request


def _async(handle: Handle) -> Handle:
    @functools.wraps(handle)
    async def handle_async_request(transport: Any, request: httpx.Request) -> Any:
        span = begin(request)
        if span is None:
            return await handle(transport, request)
        token = context.attach(context.with_span(span, context.current()))
        try:
            response = await handle(transport, request)
        except BaseException as error:
            fail(span, error)
            raise
        finally:
            context.detach(token)
        finish(span, response)
        return response

    return handle_async_request


@guarded
def begin(request: httpx.Request) -> Recorded | None:
    """Start the span of a request and write its headers; None if the request is not to be recorded."""
    around = context.current()
    core = context.active_core(around)
    if core is None or context.suppressed(around):
        return None
    method = method_name(request.method)
    span = start(core, SCOPE, span_name(method), SpanKind.CLIENT, parent_in(around))
    url = request.url
    if type(span) is Span:
        describe(span, method, url)
    for name, value in call_headers(span, around, url.host):
        request.headers[name] = value
    return span


def describe(span: Span, method: str, url: httpx.URL) -> None:
    """Write what is known before the request is sent."""
    found = {"http.request.method": method, "url.full": full_url(url), "server.address": url.host}
    port = url.port or DEFAULT_PORTS.get(url.scheme)
    span.fill(found if port is None else {**found, "server.port": port})


def full_url(url: httpx.URL) -> str:
    """Return the address without user, password and the values of query parameters."""
    path, mark, query = url.raw_path.decode("ascii", "replace").partition("?")
    shown = path + mark + redacted_query(query) if query else path + mark
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}{shown}"


@guarded
def finish(span: Recorded, response: httpx.Response) -> None:
    """End the span of an answered request."""
    status = response.status_code
    span.set_attribute("http.response.status_code", status)
    if exchange_failed(status, server=False):
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)
    span.end()


@guarded
def fail(span: Recorded, error: BaseException) -> None:
    """End the span of a request that has no answer."""
    span.set_attribute("error.type", type_name(error))
    span.set_status(StatusCode.ERROR, type(error).__name__)
    span.record_exception(error)
    span.end()
