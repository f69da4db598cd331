"""search: finds products by name."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.service import Service

search = Service("search")
app = search.app


@search.route("/search")
async def find(request: Request) -> Response:
    """All products whose name holds the text."""
    products = await search.get("catalog", "/products")
    return JSONResponse([p for p in products.json() if request.query_params["q"] in p["name"]])
