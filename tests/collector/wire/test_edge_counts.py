"""Points of edge counts: what is read out of them, and what each rule refuses."""

import pytest

from tests.collector.wire.count_factory import (
    CUMULATIVE,
    MINUTE,
    NOW,
    NOW_MINUTE,
    TO_CART,
    WEB,
    body,
    group,
    point,
    request,
)
from weft_collector.errors import MalformedBody
from weft_collector.graph.histogram import BUCKETS, buckets_of
from weft_collector.wire import edge_counts
from weft_collector.wire.edge_counts import Calls, Peer, Sender, read

HOUR = 60 * MINUTE


def without(*names, of=TO_CART):
    return {name: value for name, value in of.items() if name not in names}


def test_a_point_says_who_called_whom_how_and_how_long_it_took():
    (found,) = read(body(point([1_000, 1_000, 2_000_000])), NOW).points
    assert found.sender == Sender("web", "", "prod", "web-1")
    assert (found.side, found.peer) == ("caller", Peer("service", "cart"))
    assert found.calls == Calls("GET /cart", "http", "http", "ok")
    assert found.minute == NOW_MINUTE
    assert dict(zip(found.buckets, found.counts, strict=True)) == {160: 2, 335: 1}


def test_buckets_are_those_of_the_rollups():
    import numpy as np

    assert edge_counts.BUCKETS == BUCKETS
    durations = [0, 1, 2, 3, 17, 999, 10**6, 10**9, 3 * 10**12]
    (found,) = read(body(point(durations)), NOW).points
    expected = np.unique(buckets_of(np.array(durations)), return_counts=True)
    assert [list(found.buckets), list(found.counts)] == [column.tolist() for column in expected]


PEERS = {
    "service": (
        {
            "service.peer.name": "cart",
            "service.peer.namespace": "shop",
            "weft.peer.environment": "",
            "weft.peer.instance": "c1",
        },
        Peer("service", "cart", "shop", "", "c1"),
    ),
    "database": (
        {"db.system.name": "postgresql", "db.namespace": "orders", "server.address": "db.internal"},
        Peer("database", "orders", system="postgresql", host="db.internal"),
    ),
    "channel": (
        {"messaging.system": "kafka", "messaging.destination.name": "paid"},
        Peer("channel", "paid", system="kafka"),
    ),
    "external": (
        {"server.address": "api.example.com", "server.port": 443},
        Peer("external", "api.example.com", port=443),
    ),
    "unknown": ({}, Peer("unknown")),
    "client": ({}, Peer("client")),
}


@pytest.mark.parametrize(
    ("side", "kind"),
    [
        *(("caller", kind) for kind in PEERS if kind != "client"),
        *(("callee", kind) for kind in ("service", "channel", "unknown", "client")),
    ],
)
def test_the_other_side_is_named_by_its_type(side, kind):
    words, expected = PEERS[kind]
    attributes = without("service.peer.name") | {"weft.side": side, "weft.peer.type": kind} | words
    (found,) = read(body(point(attributes=attributes)), NOW).points
    assert (found.side, found.peer) == (side, expected)


REFUSED = {
    "not_delta": [body(point(), temporality=CUMULATIVE), body(point(), temporality=0)],
    "unit": [body(point(), unit="s"), body(point(), unit="")],
    "service": [body(point(), sender=without("service.name", of=WEB))],
    "instance": [body(point(), sender=without("service.instance.id", of=WEB))],
    "side": [
        body(point(attributes=without("weft.side"))),
        body(point(attributes=TO_CART | {"weft.side": "both"})),
    ],
    "peer": [
        body(point(attributes=without("weft.peer.type"))),
        body(point(attributes=without("service.peer.name"))),
        body(point(attributes=TO_CART | {"weft.peer.type": "client"})),
        body(point(attributes=TO_CART | {"weft.peer.type": "database"})),
        body(point(attributes=TO_CART | {"weft.peer.type": "channel"})),
        body(point(attributes=TO_CART | {"weft.peer.type": "external"})),
        body(point(attributes=TO_CART | {"weft.side": "callee", "weft.peer.type": "database"})),
    ],
    "operation": [body(point(attributes=without("weft.operation")))],
    "connection": [body(point(attributes=TO_CART | {"weft.connection.type": "carrier pigeon"}))],
    "outcome": [body(point(attributes=without("weft.outcome")))],
    "attribute_type": [
        body(point(attributes=TO_CART | {"weft.operation": 5})),
        body(point(attributes=TO_CART | {"service.peer.name": True})),
        body(
            point(
                attributes=TO_CART
                | {"weft.peer.type": "external", "server.address": "a", "server.port": 1 << 16}
            )
        ),
        body(
            point(
                attributes=TO_CART
                | {"weft.peer.type": "external", "server.address": "a", "server.port": "80"}
            )
        ),
        body(point(), sender=WEB | {"service.namespace": 1}),
    ],
    "too_many_attributes": [
        body(point(attributes=TO_CART | {f"a{n}": n for n in range(58)})),
        body(point(), sender=WEB | {f"a{n}": n for n in range(1022)}),
    ],
    "text_too_long": [
        body(point(attributes=TO_CART | {"weft.operation": "x" * 1025})),
        body(point(attributes=TO_CART | {"weft.operation": "é" * 513})),
        body(point(), sender=WEB | {"service.name": "x" * 1025}),
    ],
    "interval": [
        body(point(start=0)),
        body(point(start=NOW, time=NOW)),
        body(point(start=NOW + 5, time=NOW)),
    ],
    "crosses_minute": [
        body(point(start=NOW - 1, time=NOW + 1)),
        body(point(start=NOW, time=NOW + MINUTE + 1)),
        body(point(start=NOW, time=NOW + HOUR)),
    ],
    "future_time": [body(point(start=NOW + HOUR, time=NOW + HOUR + 1))],
    "no_value": [body(point(flags=1))],
    "scale": [body(point(scale=3)), body(point(scale=20))],
    "count": [body(point(count=2)), body(point([], count=(1 << 40) + 1, zero_count=(1 << 40) + 1))],
    "buckets": [
        body(point(zero_threshold=2.0)),
        body(point(zero_threshold=float("nan"))),
    ],
}


def wrong_buckets():
    outside, below, many, negative = point([]), point([]), point([]), point([])
    outside.positive.offset, outside.count = BUCKETS - 1, 1
    outside.positive.bucket_counts.append(1)
    below.positive.offset, below.count = -2, 1
    below.positive.bucket_counts.append(1)
    many.positive.bucket_counts.extend([0] * (BUCKETS + 1))
    negative.negative.bucket_counts.append(1)
    return [("buckets", outside), ("buckets", below), ("buckets", many), ("negative", negative)]


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        *((reason, content) for reason, contents in REFUSED.items() for content in contents),
        *((reason, body(wrong)) for reason, wrong in wrong_buckets()),
    ],
)
def test_a_point_that_breaks_a_rule_is_refused_by_its_reason(reason, content):
    assert read(content, NOW) == ((), ((reason, 1),))


def test_the_last_allowed_values_are_taken():
    highest = point([], time=NOW + 1)
    highest.positive.offset, highest.count = BUCKETS - 2, 1 << 40
    highest.positive.bucket_counts.append(1 << 40)
    many = point(attributes=TO_CART | {f"a{n}": n for n in range(57)})
    latest = point(start=NOW + HOUR - 1, time=NOW + HOUR)
    long = point(attributes=TO_CART | {"weft.operation": "x" * 1024})
    none = point([])
    found = read(body(highest, many, latest, long, none, point(start=1, time=2)), NOW)
    assert (len(found.points), found.rejected) == (6, ())


def test_others_of_the_body_are_taken_nevertheless():
    found = read(
        request(
            group([point(), point(scale=3), point(count=9), point(count=8)]),
            group([point()], sender={}),
            group([point()], temporality=CUMULATIVE),
        ).SerializeToString(),
        NOW,
    )
    assert len(found.points) == 1
    assert dict(found.rejected) == {"scale": 1, "count": 2, "service": 1, "not_delta": 1}


def test_the_older_name_of_the_environment_is_known_and_the_newer_one_wins():
    older = without("deployment.environment.name", of=WEB) | {"deployment.environment": "test"}
    for sender, expected in ((older, "test"), (older | WEB, "prod")):
        (found,) = read(body(point(), sender=sender), NOW).points
        assert found.sender.environment == expected


class TestKey:
    def key(self, *points, **how):
        (found,) = read(body(*points, **how), NOW).points
        return found.key

    def test_order_of_attributes_durations_and_scope_do_not_matter(self):
        backward = dict(reversed(TO_CART.items()))
        again = request(group([point([5, 6], backward)]))
        again.resource_metrics[0].scope_metrics[0].scope.name = "another"
        (found,) = read(again.SerializeToString(), NOW).points
        assert found.key == self.key(point())

    def test_instance_attributes_and_times_do(self):
        keys = {
            self.key(point()),
            self.key(point(start=NOW + 1)),
            self.key(point(time=NOW + MINUTE - 1)),
            self.key(point(attributes=TO_CART | {"weft.outcome": "4xx"})),
            self.key(point(attributes=TO_CART | {"else": 1})),
            *(self.key(point(), sender=WEB | {name: "2"}) for name in WEB),
        }
        assert len(keys) == 5 + len(WEB)


@pytest.mark.parametrize("content", [b"\xff" * 9, body(point()).replace(b"cart", b"c\xffrt")])
def test_what_protobuf_refuses_is_malformed_as_a_whole(content):
    with pytest.raises(MalformedBody, match="OTLP protobuf"):
        read(content, NOW)


def test_rules_of_a_newer_version_are_not_guessed():
    with pytest.raises(MalformedBody, match="version 2"):
        read(body(point()), NOW, 2)
