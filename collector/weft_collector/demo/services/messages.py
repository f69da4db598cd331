"""notifications and mailer: two services in one process, each with its own agent, port and identity."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import weft
from weft_collector.demo.services.service import Service, serve

notifications = Service("notifications")
mailer = Service("mailer")


@notifications.route("/messages", "POST")
async def notify(_request: Request) -> Response:
    """Tell the customer."""
    answer = await notifications.post("mailer", "/mails")
    return JSONResponse({"sent": answer.is_success})


@mailer.route("/mails", "POST")
async def send(_request: Request) -> Response:
    """Put a mail into the queue."""
    return JSONResponse({"mail": "queued"})


if __name__ == "__main__":
    serve(
        notifications=weft.Agent(service="notifications").asgi(notifications.app),
        mailer=weft.Agent(service="mailer").asgi(mailer.app),
    )
