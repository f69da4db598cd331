"""checkout: the fan-out. Reads the cart, then asks three services at the same time, then tells the customer.

A payment that fails is tried once more; when that fails too, the order is refused with a 502.
"""

import asyncio

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import weft
from weft_collector.demo.services.service import Service, serve

weft.init(service="checkout")

checkout = Service("checkout")


async def pay() -> httpx.Response:
    """Charge the customer, with a second try."""
    answer = await checkout.post("payment", "/charges")
    return answer if answer.is_success else await checkout.post("payment", "/charges")


@checkout.route("/orders", "POST")
async def order(_request: Request) -> Response:
    """Place an order."""
    cart = await checkout.get("cart", "/cart")
    product = cart.json()[0]["product"]
    _, payment, _ = await asyncio.gather(
        checkout.post("inventory", f"/reservations/{product}"),
        pay(),
        checkout.post("shipping", "/parcels"),
    )
    if not payment.is_success:
        return JSONResponse({"error": "payment refused"}, status_code=502)
    await checkout.post("notifications", "/messages")
    return JSONResponse({"order": "accepted"})


app = weft.asgi(checkout.app)

if __name__ == "__main__":
    serve(checkout=app)
