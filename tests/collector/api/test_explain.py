"""Why is an edge missing: each reason is told of the spans that have it, with what to do."""

import itertools

import pytest

from tests.collector.wire.otlp_factory import (
    CLIENT,
    CONSUMER,
    INTERNAL,
    PRODUCER,
    SERVER,
    resource_spans,
    span,
)
from tests.collector.wire.otlp_factory import body as body_of
from weft_collector.api import schemas
from weft_collector.query.reasons import REASONS

MINUTE = 60_000_000_000


class Asking:
    """A collector with spans a minute ago."""

    def __init__(self, collector):
        self.collector = collector
        self.start = collector.clock() - MINUTE

    def send(self, *groups):
        """(service, name, fields of the span) each."""
        content = body_of(
            [
                resource_spans(
                    [span(name, **{"start": self.start, "end": self.start + 10} | fields)],
                    service,
                    {"service.instance.id": f"{service}-1"},
                )
                for service, name, fields in groups
            ]
        )
        assert self.collector.post(content).status_code == 200
        return self

    def asked(self, caller="web", callee="cart", **more):
        response = self.collector.get("/api/v1/graph/explain", **{"from": caller, "to": callee} | more)
        assert response.status_code == 200, response.text
        schemas.Explained.model_validate(response.json())
        return response.json()

    def reasons(self, *ends, **more):
        return {reason["reason"]: reason["spans"] for reason in self.asked(*ends, **more)["reasons"]}


@pytest.fixture
def asking(collector):
    return Asking(collector)


WEB = ("web", "GET /", {"id": 1, "kind": SERVER})
CALL = ("web", "GET", {"id": 2, "parent": 1, "kind": CLIENT})
CART = ("cart", "GET /cart", {"id": 3, "parent": 2, "kind": SERVER})
PROXY = ("lb", "GET", {"id": 3, "parent": 2, "kind": SERVER})
INSIDE_PROXY = ("lb", "GET", {"id": 3, "parent": 2, "kind": INTERNAL})
BEHIND_PROXY = ("cart", "GET", {"id": 4, "parent": 3, "kind": SERVER})
INNER = ("web", "GET", {"id": 5, "parent": 2, "kind": CLIENT})
BELOW_INNER = ("lb", "GET", {"id": 6, "parent": 5, "kind": SERVER})
ORDERS = {"messaging.destination.name": "orders"}
SENT = ("web", "send", {"id": 2, "kind": PRODUCER, "attributes": ORDERS})
SETTLED = (
    "web",
    "ack",
    {"id": 4, "kind": CLIENT, "attributes": ORDERS | {"messaging.operation.type": "settle"}},
)
NAMES_ITS_CLIENT = (
    "cart",
    "GET",
    {"id": 3, "parent": 2, "kind": SERVER, "attributes": {"peer.service": "web"}},
)
FETCHED = (
    "cart",
    "poll",
    {"id": 3, "kind": CLIENT, "attributes": ORDERS | {"messaging.operation.type": "receive"}},
)
RECEIVED = ("cart", "receive", {"id": 3, "parent": 2, "kind": CONSUMER, "attributes": ORDERS})


def test_an_edge_that_is_there_needs_no_reason(asking):
    found = asking.send(WEB, CALL, CART).asked()
    assert found["edges"] == {"service:web->service:cart": 1}
    assert (found["matched"], found["looked_at"], found["reasons"]) == (1, 2, [])
    assert found["complete"] is True


def test_nodes_are_named_by_id_too(asking):
    assert asking.send(WEB, CALL, CART).asked("service:web", "service:cart")["matched"] == 1
    assert asking.asked("client:", "web")["matched"] == 1


def test_nobody_sent_anything(asking):
    assert asking.reasons() == {"no_caller_spans": 0, "no_callee_spans": 0}


def test_an_example_leads_to_the_trace(asking):
    found = asking.send(CART).asked()
    [missing] = [reason for reason in found["reasons"] if reason["reason"] == "parent_missing"]
    assert missing["side"] == "callee"
    assert missing["next"] == REASONS["parent_missing"].next
    assert [(e["trace_id"], e["span_id"], e["service"]) for e in missing["examples"]] == [
        (f"{1:032x}", f"{3:016x}", "cart")
    ]


def with_state(half, state):
    service, name, fields = half
    return service, name, fields | {"trace_state": state}


@pytest.mark.parametrize(
    ("spans", "reasons"),
    [
        ([CART], {"no_caller_spans": 0, "parent_missing": 1}),
        ([with_state(CART, "weft=00000000000000aa;lb;1")], {"no_caller_spans": 0, "stale_entry": 1}),
        ([with_state(CART, "a=b, ot=rv:1;th:8")], {"no_caller_spans": 0, "sampled_out": 1}),
        ([with_state(CART, "ot=th:0")], {"no_caller_spans": 0, "parent_missing": 1}),
        ([with_state(CART, "weft=0000000000000002;web;1")], {"no_caller_spans": 0}),
        ([with_state(CART, "weft=0000000000000002;shop;1")], {"no_caller_spans": 0, "called_by_another": 1}),
        ([CALL, ("cart", "GET", {"id": 3, "kind": SERVER})], {"no_peer_name": 1, "new_trace": 1}),
        ([CALL], {"no_callee_spans": 0, "no_peer_name": 1}),
        (
            [("web", "GET", {"id": 2, "kind": CLIENT, "attributes": {"server.address": "cart.example"}})],
            {"no_callee_spans": 0, "callee_missing": 1},
        ),
        ([CALL, PROXY], {"no_callee_spans": 0, "answered_by_another": 1}),
        ([CALL, INSIDE_PROXY, BEHIND_PROXY], {"no_peer_name": 1, "called_by_another": 1}),
        ([CALL, INNER, BELOW_INNER], {"no_callee_spans": 0, "wrapper": 1, "answered_by_another": 1}),
        ([CALL, CART, ("cart", "asgi", {"id": 4, "parent": 3, "kind": SERVER})], {"inside": 1}),
        ([SENT, RECEIVED], {"answered_by_another": 1, "called_by_another": 1}),
        ([SENT, RECEIVED, SETTLED], {"answered_by_another": 1, "called_by_another": 1}),
        ([SENT, RECEIVED, FETCHED], {"answered_by_another": 1, "called_by_another": 2}),
        ([NAMES_ITS_CLIENT], {"no_caller_spans": 0}),
    ],
)  # fmt: skip
def test_each_reason(asking, spans, reasons):
    assert asking.send(*spans).reasons() == reasons


def test_who_else_has_to_do_with_it_is_named(asking):
    found = asking.send(CALL, PROXY).asked()
    assert [reason["nodes"] for reason in found["reasons"]] == [{}, {"service:lb": 1}]


def test_a_callee_behind_the_windows_end_is_outside_of_it(asking):
    asking.send(
        CALL, (*CART[:2], CART[2] | {"start": asking.start + 5 * MINUTE, "end": asking.start + 5 * MINUTE})
    )
    end = "2026-11-23T10:08:00Z"
    assert asking.reasons(start="2026-11-23T10:00:00Z", end=end) == {
        "no_callee_spans": 0,
        "outside_window": 1,
    }


def test_a_service_that_is_only_named_as_a_peer_is_matched(asking):
    call = (*CALL[:2], CALL[2] | {"attributes": {"service.peer.name": "cart"}})
    found = asking.send(call).asked()
    assert (found["matched"], found["edges"]) == (1, {"service:web->service:cart": 1})


def test_what_cannot_be_looked_at_in_time_is_told(asking, monkeypatch):
    asking.send(CALL)
    seconds = itertools.count()
    monkeypatch.setattr(asking.collector.parts.queries, "_clock", lambda: float(next(seconds)))
    assert asking.asked()["complete"] is False


def test_ends_must_be_named(asking):
    assert asking.collector.get("/api/v1/graph/explain", **{"from": "web"}).status_code == 400


def test_every_reason_says_what_to_do():
    assert all(reason.meaning.endswith(".") and reason.next.endswith(".") for reason in REASONS.values())
