"""`/api/v1/spans`, `/api/v1/services`, `/api/v1/attributes`: what spans are there. Traces stand in `traces.py`."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from weft_collector.api.answers import Json
from weft_collector.api.asked_spans import AskedPage, AskedQuestion
from weft_collector.api.deps import GivenAsk, require_ready
from weft_collector.api.documents import PROBLEMS
from weft_collector.api.schemas import Attributes, FoundSpans, Operations, Services, Values
from weft_collector.query.distinct import MOST_NAMES, Names
from weft_collector.query.search import Page

__all__ = ["page_answer", "router"]

router: Final = APIRouter(
    prefix="/api/v1", tags=["Search"], dependencies=[Depends(require_ready)], responses=PROBLEMS
)
_Limit = Annotated[int, Query(description="How many names at most.", ge=1, le=MOST_NAMES)]


@router.get("/spans", responses={200: {"model": FoundSpans, "description": "Spans."}})
async def spans(ask: GivenAsk, question: AskedQuestion, page: AskedPage) -> Response:
    """Spans that match, sorted and paged; see `/api/v1/traces` for the traces that they belong to."""
    return page_answer(
        "spans", await ask(lambda queries, budget: queries.search.spans(question, budget, *page))
    )


@router.get("/services", responses={200: {"model": Services, "description": "Services."}})
async def services(ask: GivenAsk, limit: _Limit = MOST_NAMES) -> Response:
    """The services that have spans."""
    return _names("services", await ask(lambda queries, budget: queries.distinct.services(budget, limit)))


@router.get(
    "/services/{service:path}/operations",
    responses={200: {"model": Operations, "description": "Operations."}},
)
async def operations(
    ask: GivenAsk,
    service: Annotated[str, Path(description="`service.name`.", examples=["cart"], max_length=1024)],
    limit: _Limit = MOST_NAMES,
) -> Response:
    """The names of a service's spans; empty for a service that has none."""
    return _names(
        "operations", await ask(lambda queries, budget: queries.distinct.operations(service, budget, limit))
    )


@router.get("/attributes", responses={200: {"model": Attributes, "description": "Attribute keys."}})
async def attributes(ask: GivenAsk, limit: _Limit = MOST_NAMES) -> Response:
    """Keys of attributes of spans and resources, sampled from the newest spans."""
    return _names("attributes", await ask(lambda queries, budget: queries.distinct.keys(budget, limit)))


@router.get(
    "/attributes/{key:path}/values", responses={200: {"model": Values, "description": "Values as texts."}}
)
async def values(
    ask: GivenAsk,
    key: Annotated[str, Path(description="The attribute's key.", examples=["http.route"], max_length=256)],
    limit: _Limit = MOST_NAMES,
) -> Response:
    """Values of an attribute: all of one that is a column, those of the newest spans of any other."""
    return _names("values", await ask(lambda queries, budget: queries.distinct.values(key, budget, limit)))


def page_answer(name: str, page: Page) -> Response:
    """A page of rows as JSON."""
    answer: dict[str, Any] = {name: page.rows, "complete": page.complete, "cursor": page.cursor}
    return Json(answer)


def _names(name: str, found: Names) -> Response:
    return Json({name: found.names, "complete": found.complete})
