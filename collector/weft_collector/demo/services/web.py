"""web: the home page, put together from three services that it asks at the same time."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.service import Service

web = Service("web")
app = web.app


@web.route("/home")
async def home(_request: Request) -> Response:
    """The home page's data."""
    products, recommended, cart = await asyncio.gather(
        web.get("catalog", "/products"),
        web.get("recommendations", "/recommendations"),
        web.get("cart", "/cart"),
    )
    return JSONResponse({"products": products.json(), "recommended": recommended.json(), "cart": cart.json()})
