"""`POST /api/v1/query`: SQL over the spans.

The body must be JSON and say so: a page of another site cannot send that type without being asked first.
"""

import json
from typing import Annotated, Any, Final, NamedTuple, cast

from fastapi import APIRouter, Depends, Request, Response

from weft_collector.api.deps import GivenParts, require_ready
from weft_collector.api.documents import PROBLEMS, QUERY_BODY, QUERY_FILES, TOO_COSTLY
from weft_collector.api.receiving import Budget, Receiver, SenderGone
from weft_collector.api.waiting import in_thread
from weft_collector.errors import BadQuery, UnsupportedContentType
from weft_collector.query.caller import Caller
from weft_collector.query.sql.formats import FORMATS
from weft_collector.query.sql.runner import Sql

__all__ = ["TRUNCATED", "router"]

TRUNCATED: Final = "weft-truncated"
"""The header that says `true` where there were more rows than the answer holds."""
LONGEST_BODY: Final = 256 << 10
DEFAULT_ROWS: Final = 1000
_MEMBERS: Final[dict[str, type]] = {"sql": str, "limit": int, "format": str}

router: Final = APIRouter(
    prefix="/api/v1", tags=["Search"], dependencies=[Depends(require_ready)], responses=PROBLEMS
)


class _Asked(NamedTuple):
    sql: str
    limit: int
    name: str


async def _body(request: Request, parts: GivenParts) -> _Asked:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise UnsupportedContentType(f"{content_type[:100]!r} is not taken here; send application/json.")
    receiver = Receiver(LONGEST_BODY, parts.surface.body_seconds)
    try:
        with Budget(LONGEST_BODY).share() as share:
            return _asked(await receiver.body(request.headers, request.receive, share))
    except SenderGone:
        raise BadQuery("The body was broken off.") from None


def _asked(body: bytes) -> _Asked:
    try:
        members: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadQuery(f"The body is no JSON: {error}.") from None
    given = cast("dict[str, Any]", members) if isinstance(members, dict) else {}
    if not given.get("sql"):
        raise BadQuery('Write {"sql": "SELECT ...", "limit": 1000, "format": "json"}.')
    for name, value in given.items():
        if name not in _MEMBERS or type(value) is not _MEMBERS[name]:
            raise BadQuery(f"{name[:40]!r} cannot be read: there are sql, limit (a number) and format.")
    asked = _Asked(given["sql"], given.get("limit", DEFAULT_ROWS), given.get("format", "json"))
    if asked.name not in FORMATS:
        raise BadQuery(f"format={asked.name[:40]!r} is not known: {', '.join(FORMATS)}.")
    return asked


async def _sql(parts: GivenParts) -> Sql:
    return parts.sql


@router.post(
    "/query", response_class=Response, responses={200: QUERY_FILES, 422: TOO_COSTLY}, openapi_extra=QUERY_BODY
)
async def query(
    request: Request, sql: Annotated[Sql, Depends(_sql)], asked: Annotated[_Asked, Depends(_body)]
) -> Response:
    """Run one SELECT over the view `spans`, in a confined process; see the page about querying.

    `attributes('key')` is an attribute of the span or its resource. An answer that was cut off says so in the
    header `weft-truncated`.
    """
    return await in_thread(request.receive, lambda caller: _answer(sql, asked, caller))


def _answer(sql: Sql, asked: _Asked, caller: Caller) -> Response:
    answer = sql.run(asked.sql, asked.limit, caller)
    written = FORMATS[asked.name]
    headers = {TRUNCATED: "true"} if answer.truncated else {}
    return Response(written.write(answer), headers=headers, media_type=written.media_type)
