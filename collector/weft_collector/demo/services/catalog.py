"""catalog: the products, out of a SQLite file that inventory uses as well."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.database import Database
from weft_collector.demo.services.service import Service

catalog = Service("catalog")
app = catalog.app
database = Database("catalog", catalog.counters)


@catalog.route("/products")
async def products(_request: Request) -> Response:
    """The first twenty products."""
    rows = database.execute("SELECT id, name, price FROM product LIMIT 20")
    return JSONResponse([{"id": number, "name": name, "price": price} for number, name, price in rows])
