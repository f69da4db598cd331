"""couriers: fetches the parcels that shipping packed."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.service import Service

couriers = Service("couriers")
app = couriers.app


@couriers.route("/pickups", "POST")
async def pick_up(_request: Request) -> Response:
    """Send a courier."""
    await asyncio.sleep(0.01)
    return JSONResponse({"courier": "on the way"})
