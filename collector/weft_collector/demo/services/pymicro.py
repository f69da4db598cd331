"""The classic tree of 16 services, several in one process: `python -m ...pymicro view auth` runs these two.

Every service asks all its callees of the table at the same time. The answer names the trace, by way of the
OpenTelemetry API, so that a reader can look it up.
"""

import asyncio
import sys

from opentelemetry import trace
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

import weft
from weft_collector.demo.services.service import Service, serve
from weft_collector.demo.topology import PYMICRO


def build(name: str) -> ASGIApp:
    """The app of one service, with an agent of its own."""
    service = Service(name)

    @service.route("/")
    async def visit(_request: Request) -> Response:
        trace_id = trace.get_current_span().get_span_context().trace_id
        await asyncio.gather(*(service.get(callee, "/") for callee in PYMICRO.calls.get(name, ())))
        return JSONResponse({"service": name, "trace": f"{trace_id:032x}"})

    return weft.Agent(service=name).asgi(service.app)


if __name__ == "__main__":
    serve(**{name: build(name) for name in sys.argv[1:]})
