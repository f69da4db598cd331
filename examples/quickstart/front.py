"""front: a FastAPI service that adds Weft's agent in three lines."""

import os

import httpx
from fastapi import FastAPI

import weft

BACK = os.environ.get("BACK", "http://127.0.0.1:8002")

weft.init(service="front")

app = FastAPI()


@app.get("/")
async def greet(name: str = "world") -> dict[str, str]:
    async with httpx.AsyncClient(base_url=BACK) as client:
        answer = await client.get("/greeting")
    return {"text": f"{answer.json()['greeting']}, {name}!"}


app = weft.asgi(app)
