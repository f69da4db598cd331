"""payment: the failing one. One charge in five ends with a 500."""

import random

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.service import Service

FAILING_SHARE = 1 / 5

payment = Service("payment")
app = payment.app
dice = random.Random(5)  # noqa: S311 - decides which charge fails, not who may enter


@payment.route("/charges", "POST")
async def charge(_request: Request) -> Response:
    """Charge the customer, or fail."""
    if dice.random() < FAILING_SHARE:
        return JSONResponse({"error": "the bank does not answer"}, status_code=500)
    return JSONResponse({"charge": "done"})
