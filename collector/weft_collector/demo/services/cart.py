"""cart: what the visitor is about to buy."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.service import Service

cart = Service("cart")
app = cart.app


@cart.route("/cart")
async def content(_request: Request) -> Response:
    """What lies in the cart."""
    return JSONResponse([{"product": 7, "pieces": 1}, {"product": 11, "pieces": 2}])
