"""recommendations: the slow one. Most answers take 20 ms, one in twelve up to a second."""

import asyncio
import random

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from weft_collector.demo.services.service import Service

SLOW_SHARE = 1 / 12

recommendations = Service("recommendations")
app = recommendations.app
dice = random.Random(12)  # noqa: S311 - decides who waits, not who may enter


@recommendations.route("/recommendations")
async def recommend(_request: Request) -> Response:
    """Three products, now and then after a long thought."""
    await asyncio.sleep(dice.uniform(0.3, 1.0) if dice.random() < SLOW_SHARE else 0.02)
    products = await recommendations.get("catalog", "/products")
    return JSONResponse(products.json()[:3])
