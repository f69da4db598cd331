"""Errors as answers, at one place: problem+json (RFC 9457), and protobuf for OTLP senders."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from types import MappingProxyType
from typing import Any, Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from weft_collector.api.errors import MethodNotAllowed, ServerFailed
from weft_collector.api.otlp_answers import rpc_code, rpc_status
from weft_collector.errors import BadQuery, CollectorError, MalformedBody, MissingLibrary, Unavailable

__all__ = ["JSON", "MEDIA_TYPE", "PROTOBUF", "answer", "install", "problem", "unforeseen"]

MEDIA_TYPE: Final = "application/problem+json"
PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

_HELP: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "Correct what `detail` names and ask again; /docs lists every parameter and its limits.",
        403: "Use an address of this machine, or start the collector with the setting that `detail` names.",
        404: "Look at /docs for the paths, and at /api/v1/graph for what is there.",
        405: "Use one of the methods in the Allow header.",
        408: "Send smaller bodies, or raise body_seconds.",
        413: "Send fewer spans in a request, or raise body_bytes or inflated_bytes.",
        415: "Send what `detail` names.",
        422: "Ask for less: a shorter window, fewer rows, or sums instead of rows.",
        500: "The collector goes on; its standard error has the details. Please report it.",
        501: "Install the library and start the collector again.",
        503: "Keep what you have and ask again after the time in Retry-After.",
    }
)


def problem(error: CollectorError) -> dict[str, Any]:
    """The members of an error's problem document."""
    return {
        "type": f"urn:weft:problem:{_words(type(error).__name__)}",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        "help": _HELP.get(error.status, ""),
        **_extras(error),
    }


def _words(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _extras(error: CollectorError) -> dict[str, Any]:
    match error:
        case MalformedBody(position=int(position)):
            return {"position": position}
        case MissingLibrary():
            return {"install": error.install}
        case Unavailable():
            return {"retry_after": error.retry_after}
        case _:
            return {}


def _headers(error: CollectorError) -> dict[str, str]:
    match error:
        case Unavailable():
            return {"Retry-After": str(max(1, ceil(error.retry_after)))}
        case MethodNotAllowed():
            return {"Allow": error.allow}
        case _:
            return {}


def answer(error: CollectorError, content_type: str = "") -> Response:
    """An error as a response.

    Args:
        error: What went wrong.
        content_type: What the client sent. A sender of protobuf is answered in protobuf, as OTLP demands.
    """
    if content_type == PROTOBUF:
        body = rpc_status(rpc_code(error.status), f"{error.title}: {error}")
        return Response(body, error.status, _headers(error), PROTOBUF)
    body = json.dumps(problem(error)).encode()
    return Response(body, error.status, _headers(error), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error that leaves a route become a problem document."""
    app.add_exception_handler(CollectorError, _collector_error)
    app.add_exception_handler(RequestValidationError, _bad_parameters)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, unforeseen)


async def _collector_error(_request: Request, error: Exception) -> Response:
    return answer(cast("CollectorError", error))


async def _bad_parameters(_request: Request, error: Exception) -> Response:
    problems = cast("RequestValidationError", error).errors()
    texts = (f"{'.'.join(str(step) for step in item['loc'][1:])}: {item['msg']}" for item in problems)
    return answer(BadQuery("; ".join(texts)))


async def _http_error(request: Request, error: Exception) -> Response:
    """What the router itself says: an unknown path, a method that the path does not have."""
    http = cast("HTTPException", error)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(http.status_code).phrase,
        "status": http.status_code,
        "detail": f"{request.method} {request.url.path}: {http.detail}",
        "help": _HELP.get(http.status_code, ""),
    }
    return Response(json.dumps(body).encode(), http.status_code, http.headers, MEDIA_TYPE)


async def unforeseen(_request: Request, _error: Exception) -> Response:
    """The outermost handler: tells the client nothing of the inside; the server logs the traceback."""
    return answer(ServerFailed("This is a defect of the collector, not of the request."))
