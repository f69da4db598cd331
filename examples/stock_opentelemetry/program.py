"""Two services with the stock OpenTelemetry SDK and its OTLP/HTTP exporter. No Weft, and no settings at all.

The exporter's default address is http://localhost:4318, which is where `weft serve` listens. `orders` calls
`billing` over HTTP; the trace context travels in the request's headers.
"""

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Tracer


def provider_of(service: str) -> TracerProvider:
    """What the OpenTelemetry documentation tells everybody to write."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Billing(BaseHTTPRequestHandler):
    """The service `billing`: answers each GET."""

    tracer: ClassVar[Tracer]

    def do_GET(self) -> None:
        parent = propagate.extract({name.lower(): value for name, value in self.headers.items()})
        with self.tracer.start_as_current_span("GET /invoice", parent, SpanKind.SERVER):
            self.send_response(204)
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def order(tracer: Tracer, billing_port: int) -> None:
    """The service `orders`: one request that it serves, during which it calls `billing`."""
    with (
        tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER),
        tracer.start_as_current_span("GET", kind=SpanKind.CLIENT),
    ):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        request = urllib.request.Request(f"http://127.0.0.1:{billing_port}/invoice", headers=headers)
        urllib.request.urlopen(request).close()  # noqa: S310 - our own address


def main() -> None:
    """Three orders."""
    orders, billing = provider_of("orders"), provider_of("billing")
    Billing.tracer = billing.get_tracer("example")
    with HTTPServer(("127.0.0.1", 0), Billing) as server:
        threading.Thread(target=server.serve_forever).start()
        for _ in range(3):
            order(orders.get_tracer("example"), server.server_port)
        server.shutdown()
    orders.shutdown()
    billing.shutdown()


if __name__ == "__main__":
    main()
