"""back: a FastAPI service that knows nothing of Weft; `weft run` starts it with the agent in it."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/greeting")
async def greeting() -> dict[str, str]:
    return {"greeting": "Hello"}
