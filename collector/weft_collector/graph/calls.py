"""Single calls, as exports list them."""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.pairing import BookedCalls
from weft_collector.store.ports import HeadRows

SIGHTS = ("both", "client_only", "server_only", "inferred")
"""Who saw a call, by the numbers in `CallTable.sight`."""


class CallTable(NamedTuple):
    """One row per call, by start; what no span says is 0, a duration -1, and a node or instance number -1.

    Attributes:
        start: Start of the identifying span (the callee's where there is one), ns since the epoch.
        caller: Number of the caller's node.
        callee: Number of the callee's node.
        sight: Who saw it: an index into SIGHTS.
        outcome: How it went: a number of `outcomes.OUTCOMES`.
        client_ns: What the caller measured.
        server_ns: What the callee measured.
        trace_hi: High half of the trace id.
        trace_lo: Low half of the trace id.
        client_span: Id of the caller-side span.
        server_span: Id of the callee-side span.
        name: Text id of the identifying span's name.
        http_status: Of the identifying span.
        caller_instance: Number of the caller's instance.
        callee_instance: Number of the callee's instance.
    """

    start: NDArray[np.int64]
    caller: NDArray[np.int32]
    callee: NDArray[np.int32]
    sight: NDArray[np.uint8]
    outcome: NDArray[np.uint8]
    client_ns: NDArray[np.int64]
    server_ns: NDArray[np.int64]
    trace_hi: NDArray[np.uint64]
    trace_lo: NDArray[np.uint64]
    client_span: NDArray[np.uint64]
    server_span: NDArray[np.uint64]
    name: NDArray[np.int32]
    http_status: NDArray[np.int32]
    caller_instance: NDArray[np.int32]
    callee_instance: NDArray[np.int32]


class Rows(Protocol):
    """The part of the head that is needed here."""

    def rows(self, ordinals: NDArray[np.int64], /) -> HeadRows:
        """See store.ports.SpanReader; the ordinal -1 is held by nobody."""
        ...


def call_table(booked: BookedCalls, head: Rows) -> CallTable:
    """What pairing booked, joined with what the head knows of the spans."""
    client, server = head.rows(booked.client), head.rows(booked.server)

    def identifying(column: str) -> NDArray[Any]:
        known: NDArray[Any] = getattr(client, column).copy()
        known[server.held] = getattr(server, column)[server.held]
        return known

    return CallTable(
        start=booked.start,
        caller=booked.caller,
        callee=booked.callee,
        sight=booked.sight,
        outcome=booked.outcome,
        client_ns=_durations(client),
        server_ns=_durations(server),
        trace_hi=identifying("trace_hi"),
        trace_lo=np.where(client.held | server.held, booked.trace, np.uint64(0)),
        client_span=booked.client_span,
        server_span=booked.server_span,
        name=identifying("name"),
        http_status=identifying("http_status"),
        caller_instance=np.where(booked.client >= 0, booked.client_instance, -1),
        callee_instance=np.where(booked.server >= 0, booked.server_instance, -1),
    )


def _durations(rows: HeadRows) -> NDArray[np.int64]:
    return np.where(rows.held, np.maximum(rows.duration, 0), -1)
