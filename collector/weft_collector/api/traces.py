"""`/api/v1/traces`: search for traces, and traces by id as OTLP: every byte of their spans."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from weft_collector.api.asked_spans import AskedPage, AskedQuestion
from weft_collector.api.deps import GivenAsk, GivenParts, require_ready
from weft_collector.api.documents import NOT_FOUND, PROBLEMS, TRACE
from weft_collector.api.parts import Parts
from weft_collector.api.problems import PROTOBUF
from weft_collector.api.schemas import FoundTraces
from weft_collector.api.search import page_answer
from weft_collector.errors import BadQuery, NotFound
from weft_collector.query.otlp import json_pieces, protobuf_pieces
from weft_collector.query.traces import RawSpan, find_trace, raw_spans

__all__ = ["parse_trace_id", "router"]

MOST_IDS: Final = 100
_HEX: Final = re.compile(r"[0-9a-fA-F]{16}(?:[0-9a-fA-F]{16})?", re.ASCII)
_HALF: Final = 1 << 64
_JSON: Final = "application/json"
_WRITERS: Final[dict[str, Callable[[Iterable[RawSpan]], Iterator[bytes]]]] = {
    _JSON: json_pieces,
    PROTOBUF: protobuf_pieces,
}
_Id = tuple[int, int]

router: Final = APIRouter(
    prefix="/api/v1/traces", tags=["Traces"], dependencies=[Depends(require_ready)], responses=PROBLEMS
)


class _ById(NamedTuple):
    ids: list[_Id]
    media_type: str


async def _media_type(
    accept: Annotated[str, Header(description=f"{PROTOBUF} for protobuf, else JSON.")] = _JSON,
) -> str:
    return PROTOBUF if PROTOBUF in accept.lower() else _JSON


async def _by_id(
    request: Request,
    media_type: Annotated[str, Depends(_media_type)],
    id: Annotated[  # noqa: A002 - the API's word
        list[str] | None,
        Query(description=f"Instead of a search: up to {MOST_IDS} trace ids. The answer is OTLP then."),
    ] = None,
) -> _ById | None:
    if id is None:
        return None
    if len(id) > MOST_IDS:
        raise BadQuery(f"{len(id)} traces are asked for at once; at most {MOST_IDS}.")
    if others := sorted(set(request.query_params) - {"id"}):
        raise BadQuery(f"id= names traces and {others[0][:40]}= searches for them; give one or the other.")
    return _ById([parse_trace_id(text) for text in id], media_type)


@router.get("", responses={200: {"model": FoundTraces, "description": "Traces; OTLP where `id` is given."}})
async def traces(
    parts: GivenParts,
    ask: GivenAsk,
    question: AskedQuestion,
    page: AskedPage,
    by_id: Annotated[_ById | None, Depends(_by_id)],
) -> Response:
    """Traces with a span that matches, the newest such span first, each with a summary.

    All that is asked for must hold for one and the same span. A search has a few seconds; what it did not reach
    comes with the next page.
    """
    if by_id is not None:
        return await run_in_threadpool(_otlp, _spans(parts, by_id.ids), by_id.media_type)
    return page_answer(
        "traces", await ask(lambda queries, budget: queries.search.traces(question, budget, *page))
    )


@router.get("/{trace_id}", response_class=Response, responses={200: TRACE, 404: NOT_FOUND})
def trace(
    parts: GivenParts,
    trace_id: Annotated[
        str, Path(description="32 hex digits, or 16: the low half.", examples=["0" * 31 + "1"])
    ],
    media_type: Annotated[str, Depends(_media_type)],
) -> Response:
    """A trace as OTLP, in JSON or protobuf: attributes, events and links as they were sent, however many."""
    spans = _spans(parts, [parse_trace_id(trace_id)])
    first = next(spans, None)
    if first is None:
        raise NotFound(f"No span of trace {trace_id} is held: it never came, or its log file is gone.")
    return _otlp(chain([first], spans), media_type)


def parse_trace_id(text: str) -> _Id:
    """High and low half of a trace id.

    Raises:
        BadQuery: It is no text of 16 or 32 hex digits, or zero.
    """
    if not _HEX.fullmatch(text) or not int(text, 16):
        raise BadQuery(f"trace id {text[:40]!r}: write 32 hex digits, or 16 for the low half; not all zero.")
    return divmod(int(text, 16), _HALF)


def _spans(parts: Parts, ids: Sequence[_Id]) -> Iterator[RawSpan]:
    """The spans of some traces, read while they are sent."""
    tables = parts.queries.catalog.tables()
    for hi, lo in dict.fromkeys(ids):
        yield from raw_spans(parts.queries.log, find_trace(tables.with_trace(lo), hi, lo))


def _otlp(spans: Iterable[RawSpan], media_type: str) -> Response:
    """Spans as a stream, whose first piece is made before the answer begins: errors are answers until then."""
    pieces = _WRITERS[media_type](spans)
    return StreamingResponse(chain([next(pieces, b"")], pieces), media_type=media_type)
