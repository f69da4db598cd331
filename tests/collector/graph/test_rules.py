import pytest

from weft_collector.graph import rules
from weft_collector.graph.nodes import UNKNOWN_PEER, Node, NodeType
from weft_collector.graph.rules import Home, PeerWords

HOME = Home("", "")


@pytest.mark.parametrize(
    ("words", "expected", "at_once"),
    [
        (PeerWords(service="cart", db_system="mysql", destination="t", host="h"), "service:cart", True),
        (
            PeerWords(db_system="mysql", db_namespace="o", destination="t", host="h"),
            "database:mysql/h/o",
            True,
        ),
        (PeerWords(db_system="mysql", db_namespace="o", host="10.0.0.7"), "database:mysql/o", True),
        (PeerWords(db_system="mysql", db_namespace="o", host="::1"), "database:mysql/o", True),
        (PeerWords(db_system="redis", host="cache1"), "database:redis/cache1/cache1", True),
        (PeerWords(db_system="redis"), "database:redis/redis", True),
        (PeerWords(messaging_system="kafka", destination="t", host="h"), "channel:kafka/t", True),
        (PeerWords(destination="t"), "channel:t", True),
        (PeerWords(messaging_system="kafka", host="h"), "external:h:80", False),
        (PeerWords(host="fe80::1"), "external:%5Bfe80::1%5D:80", False),
    ],
)
def test_a_peer_is_the_most_telling_thing_named(words, expected, at_once):
    peer = rules.peer(words, rules.CLIENT, 80, HOME)
    assert (peer.node.id, peer.at_once) == (expected, at_once)


def test_a_span_that_names_nothing_calls_an_unknown_peer():
    assert rules.peer(PeerWords(), rules.CLIENT, 80, HOME) == (UNKNOWN_PEER, False)


def test_a_caller_entry_is_percent_decoded_and_at_home_where_it_is_read():
    assert rules.named_caller("my%20web;i%3B1", Home("shop", "prod")) == Node(
        NodeType.SERVICE, "my web", "shop", "prod"
    )


def test_a_service_without_name_has_opentelemetrys_own():
    assert rules.service("", HOME).id == "service:unknown_service"


def test_old_words_for_what_messaging_does():
    assert [rules.operation(word) for word in ("publish", "deliver", "settle", "Send", "")] == [
        rules.SEND,
        rules.PROCESS,
        rules.SETTLE,
        0,
        0,
    ]


@pytest.mark.parametrize(
    ("words", "kind", "expected"),
    [
        (PeerWords(service="kafka"), rules.PRODUCER, "channel:kafka"),
        (PeerWords(service="kafka"), rules.CLIENT, "service:kafka"),
        (PeerWords(service="kafka", destination="t"), rules.CLIENT, "channel:t"),
        (PeerWords(service="kafka", db_system="redis"), rules.PRODUCER, "service:kafka"),
        (
            PeerWords(destination="t", messaging_system="kafka", cluster="east"),
            rules.CLIENT,
            "channel:kafka/east/t",
        ),
        (PeerWords(destination="t", cluster="east"), rules.CLIENT, "channel:east/t"),
        (PeerWords(destination="t", db_system="redis"), rules.CLIENT, "database:redis/redis"),
        (PeerWords(service="ledger", namespace="bank"), rules.CLIENT, "service:bank/ledger"),
        (PeerWords(db_system="mssql", db_namespace="o"), rules.CLIENT, "database:microsoft.sql_server/o"),
    ],
)
def test_who_publishes_meets_who_reads(words, kind, expected):
    assert rules.peer(words, kind, 0, HOME).node.id == expected
