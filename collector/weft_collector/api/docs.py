"""`/docs`: the OpenAPI document as a page of our own, which loads nothing from elsewhere.

FastAPI's own page loads Swagger UI from a public server. Vendoring it would add 1.9 MB of code that nobody
here reads, knows an outside validator, and needs `unsafe-inline` styles; the page in `static/` is a
hundredth of that.
"""

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import FileResponse
from pydantic import TypeAdapter

from weft_collector.api.documents import INGEST
from weft_collector.api.schemas import Problem, Trace
from weft_collector.api.static_files import TYPES, PageFiles

__all__ = ["install"]

_FOLDER: Final = Path(__file__).parent / "static"


def install(app: FastAPI) -> None:
    """Add the page, and what the routes themselves do not tell to the document."""
    app.add_api_route("/docs", _page, methods=["GET"], include_in_schema=False, response_class=FileResponse)
    app.mount("/docs", PageFiles(directory=_FOLDER), name="docs")
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(original())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way


async def _page() -> FileResponse:
    headers = {"cache-control": "no-cache", "content-type": TYPES[".html"]}
    return FileResponse(_FOLDER / "docs.html", headers=headers)


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the receiving path, the problem's shape, and 400 instead of FastAPI's 422."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {shape.__name__: TypeAdapter(shape).json_schema() for shape in (Problem, Trace)}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    document["paths"] |= INGEST
    return document
