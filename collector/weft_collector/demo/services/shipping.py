"""shipping: instrumented with the stock OpenTelemetry SDK, by hand; Weft's agent is not in this process.

It stands in the middle of a call path, between checkout and couriers, which both run Weft's agent. The stock
propagator hands the tracestate on as it came, so the entry in it still names checkout when couriers reads it.
The graph must not draw an edge from checkout to couriers.
"""

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.service import ADDRESSES, Service, serve

provider = TracerProvider(resource=Resource.create({"service.name": "shipping"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer(__name__)

shipping = Service("shipping", at_stop=provider.shutdown)


@shipping.route("/parcels", "POST")
async def pack(request: Request) -> Response:
    """Pack a parcel and have it fetched."""
    parent = propagate.extract(request.headers)
    with tracer.start_as_current_span("POST /parcels", parent, SpanKind.SERVER) as span:
        courier = await call_courier()
        span.set_attribute("http.response.status_code", 200)
    return JSONResponse({"parcel": "packed", **courier})


async def call_courier() -> dict[str, str]:
    """Ask couriers to come, with a CLIENT span and the trace context in the headers."""
    host, port = ADDRESSES["couriers"]
    attributes: dict[str, str | int] = {"server.address": host, "server.port": port}
    with tracer.start_as_current_span("POST /pickups", kind=SpanKind.CLIENT, attributes=attributes) as span:
        headers: dict[str, str] = {}
        propagate.inject(headers)
        answer = await shipping.post("couriers", "/pickups", headers)
        span.set_attribute("http.response.status_code", answer.status_code)
    answered: dict[str, str] = answer.json()
    return answered


app = shipping.app

if __name__ == "__main__":
    serve(shipping=app)
