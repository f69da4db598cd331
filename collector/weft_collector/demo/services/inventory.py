"""inventory: how many pieces are there. Shares its database file with catalog."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.database import Database
from weft_collector.demo.services.service import Service

inventory = Service("inventory")
app = inventory.app
database = Database("inventory", inventory.counters)


@inventory.route("/reservations/{product:int}", "POST")
async def reserve(request: Request) -> Response:
    """Take one piece off the shelf."""
    product = request.path_params["product"]
    database.execute("UPDATE stock SET pieces = pieces - 1 WHERE product = ?", (product,))
    ((left,),) = database.execute("SELECT pieces FROM stock WHERE product = ?", (product,))
    return JSONResponse({"product": product, "left": left})
