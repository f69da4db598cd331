"""gateway: the shop's front door, passes each visit on. It adds the agent in code: three lines."""

from starlette.requests import Request
from starlette.responses import Response

import weft
from weft_collector.demo.services.service import Service, serve

weft.init(service="gateway")

gateway = Service("gateway")


@gateway.route("/")
async def home(_request: Request) -> Response:
    """Show the home page."""
    page = await gateway.get("web", "/home")
    return Response(page.content, page.status_code)


@gateway.route("/search")
async def search(request: Request) -> Response:
    """Show what a search finds."""
    page = await gateway.get("search", f"/search?q={request.query_params['q']}")
    return Response(page.content, page.status_code)


@gateway.route("/checkout", "POST")
async def checkout(_request: Request) -> Response:
    """Pass an order on."""
    page = await gateway.post("checkout", "/orders")
    return Response(page.content, page.status_code)


app = weft.asgi(gateway.app)

if __name__ == "__main__":
    serve(gateway=app)
