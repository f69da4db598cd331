"""The parameters of a search: what spans must be, in which window, and which page."""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Query

from weft_collector.api.deps import GivenParts, GivenQuery
from weft_collector.api.window import WindowQuery, length_ns, moment
from weft_collector.errors import BadQuery
from weft_collector.query.question import (
    KIND_NAMES,
    LATEST_NS,
    MOST_CONDITIONS,
    SORTS,
    STATUS_NAMES,
    Question,
    parse_condition,
    parse_duration,
)

__all__ = ["AskedPage", "AskedQuestion", "Paging"]

DEFAULT_WINDOW: Final = "1h"


class _Named(NamedTuple):
    service: str | None
    operation: str | None
    kind: str | None
    status: str | None


class _Measured(NamedTuple):
    least_ns: int | None
    most_ns: int | None


class _Ends(NamedTuple):
    start_ns: int
    end_ns: int


class Paging(NamedTuple):
    """Which part of the answer: how many rows, and where they begin."""

    limit: int
    cursor: str | None


async def _named(
    service: Annotated[str | None, Query(description="`service.name`, exactly.", examples=["cart"])] = None,
    operation: Annotated[str | None, Query(description="The span's name.", examples=["GET /cart"])] = None,
    kind: Annotated[str | None, Query(description=f"One of {', '.join(KIND_NAMES)}.")] = None,
    status: Annotated[str | None, Query(description=f"One of {', '.join(STATUS_NAMES)}.")] = None,
) -> _Named:
    return _Named(service, operation, _code("kind", kind, KIND_NAMES), _code("status", status, STATUS_NAMES))


def _code(name: str, text: str | None, known: Mapping[str, str]) -> str | None:
    if text is not None and text.lower() not in known:
        raise BadQuery(f"{name}={text[:40]!r} is not known: {', '.join(known)}.")
    return None if text is None else known[text.lower()]


async def _measured(
    min_duration: Annotated[
        str | None, Query(description="Shortest duration, with ns, us, ms, s or m.", examples=["250ms"])
    ] = None,
    max_duration: Annotated[str | None, Query(description="Longest duration.", examples=["2s"])] = None,
) -> _Measured:
    return _Measured(
        None if min_duration is None else parse_duration("min_duration", min_duration),
        None if max_duration is None else parse_duration("max_duration", max_duration),
    )


async def _given_ends(parts: GivenParts, query: GivenQuery) -> _Ends:
    return _ends(query, parts.clock_ns())


async def _question(
    ends: Annotated[_Ends, Depends(_given_ends)],
    named: Annotated[_Named, Depends(_named)],
    measured: Annotated[_Measured, Depends(_measured)],
    attribute: Annotated[
        list[str] | None,
        Query(
            description="`key=value` of the span or its resource; may be repeated, all must hold.",
            examples=[["http.route=/cart"]],
        ),
    ] = None,
    sort: Annotated[str, Query(description=f"Largest first: {' or '.join(SORTS)}.")] = "start",
) -> Question:
    given = attribute or []
    if len(given) > MOST_CONDITIONS:
        raise BadQuery(f"{len(given)} attributes are asked for; at most {MOST_CONDITIONS}.")
    if sort not in SORTS:
        raise BadQuery(f"sort={sort[:40]!r} is not known: {', '.join(SORTS)}.")
    conditions = tuple(parse_condition(text) for text in given)
    return Question(*named, *measured, *ends, conditions, sort)


def _ends(query: WindowQuery, now_ns: int) -> _Ends:
    """First start, and the first one after the window: to the nanosecond, unlike the graph's whole minutes."""
    if query.start is None and query.end is None:
        return _Ends(max(0, now_ns - length_ns(query.window or DEFAULT_WINDOW)), LATEST_NS)
    if query.window is not None:
        raise BadQuery("Give window=1h, or start= and end=: not both.")
    start = max(0, moment("start", query.start)) if query.start is not None else 0
    return _Ends(start, moment("end", query.end) if query.end is not None else LATEST_NS)


async def _page(
    limit: Annotated[int, Query(description="How many rows at most.", ge=1, le=1000)] = 20,
    cursor: Annotated[
        str | None,
        Query(description="`cursor` of the page before this one; all other parameters stay as they were."),
    ] = None,
) -> Paging:
    return Paging(limit, cursor)


AskedQuestion = Annotated[Question, Depends(_question)]
AskedPage = Annotated[Paging, Depends(_page)]
