import pytest

from tests.property.batches import Texts, decoded
from tests.property.oracle import Span
from weft_collector.graph.classify import Classifier
from weft_collector.graph.nodes import NodeTable
from weft_collector.graph.outcomes import BUCKET_BITS, OUTCOMES
from weft_collector.graph.pairing_table import CALLEE, CALLER, CONSUMER, EMPTY, LOCAL, NAMED, TURNED


def classify(spans, capacity=1000):
    texts, nodes = Texts(), NodeTable(capacity)
    classifier = Classifier(texts, nodes)
    return classifier.classify(decoded(spans, texts)), classifier, nodes


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"error": True}, "exception"),
        ({"http": 500}, "5xx"),
        ({"http": 503, "error": False}, "5xx"),
        ({"http": 404, "error": True}, "4xx"),
        ({"http": 404, "error_type": "404", "error": True}, "4xx"),
        ({"http": 200}, "ok"),
        ({"http": 200, "error": True}, "exception"),
        ({"error_type": "requests.exceptions.ConnectTimeout"}, "timeout"),
        ({"error_type": "ECONNREFUSED"}, "refused"),
        ({"rpc": "grpc", "error_type": "not_found", "error": True}, "NOT_FOUND"),
        ({"rpc": "grpc", "error_type": "UNAVAILABLE", "error": True}, "UNAVAILABLE"),
        ({"rpc": "grpc", "error_type": "OK", "error": True}, "exception"),
        ({"rpc": "grpc", "error_type": "DEADLINE_EXCEEDED"}, "DEADLINE_EXCEEDED"),
        ({"error_type": "DEADLINE_EXCEEDED"}, "timeout"),
        ({"error_type": "NOT_FOUND", "error": True}, "exception"),
        ({"rpc_code": "PERMISSION_DENIED", "error": True}, "PERMISSION_DENIED"),
        ({"rpc_code": "resource_exhausted"}, "RESOURCE_EXHAUSTED"),
        ({"rpc_code": "internal"}, "INTERNAL"),
        ({"rpc_code": "Unavailable", "error_type": "timeout", "error": True}, "UNAVAILABLE"),
        ({"rpc_code": "NOT_FOUND", "http": 503}, "5xx"),
        ({"rpc_code": "INTERNAL", "http": 404}, "4xx"),
        ({"rpc_code": "OK"}, "ok"),
        ({"rpc_code": "OK", "rpc": "grpc", "error_type": "NOT_FOUND"}, "exception"),
        ({"rpc_code": "odd", "error_type": "ECONNREFUSED"}, "refused"),
        ({}, "ok"),
    ],
)
def test_how_a_span_went(fields, outcome):
    for kind in ("CLIENT", "SERVER", "INTERNAL"):
        found, _, _ = classify([Span(1, 1, kind=kind, **fields)])
        assert OUTCOMES[found.batch["measure"][0] >> BUCKET_BITS] == outcome


@pytest.mark.parametrize(
    ("kind", "operation", "role", "turned"),
    [
        ("CLIENT", "", CALLER, False),
        ("CLIENT", "publish", CALLER, False),
        ("CLIENT", "receive", CALLEE | CONSUMER, True),
        ("CLIENT", "deliver", CALLEE | CONSUMER, True),
        ("CLIENT", "settle", LOCAL, True),
        ("CONSUMER", "send", CALLEE | CONSUMER, False),
        ("CONSUMER", "settle", LOCAL | CONSUMER, True),
        ("SERVER", "receive", CALLEE, False),
        ("SERVER", "settle", LOCAL | CONSUMER, True),
        ("PRODUCER", "process", CALLER, False),
        ("INTERNAL", "settle", LOCAL, False),
        ("CLIENT", "nod", CALLER, False),
    ],
)
def test_what_messaging_does_decides_the_role_and_the_kind_the_side(kind, operation, role, turned):
    found, _, _ = classify([Span(1, 1, kind=kind, operation=operation)])
    assert found.batch["flags"][0] == role | (TURNED if turned else 0)


def test_an_empty_fetch_and_a_named_client_are_told_apart_by_who_consumes():
    fetch = Span(1, 1, kind="CONSUMER", message_count=-1)
    served = Span(1, 2, peer_service="shop", message_count=-1)
    found, _, nodes = classify([fetch, served])
    assert [flags & EMPTY for flags in found.batch["flags"].tolist()] == [EMPTY, NAMED]
    assert nodes.node(int(found.batch["other"][1])).id == "service:shop"


def test_an_instance_is_known_by_its_id_else_by_host_and_process():
    spans = [
        Span(1, 1, service="a", instance="x", host="h", pid=1),
        Span(1, 2, service="a", instance="x", host="h2", pid=2),
        Span(1, 3, service="a", host="h", pid=1),
        Span(1, 4, service="a", host="h", pid=2),
        Span(1, 5, service="b", instance="x"),
        Span(1, 6, service="b"),
    ]
    found, classifier, _ = classify(spans)
    numbers = found.instance.tolist()
    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 5
    assert [classifier.instance(number) for number in numbers] == ["x", "x", "h:1", "h:2", "x", ""]


def test_a_full_node_table_makes_new_services_other():
    found, _, nodes = classify([Span(1, n + 1, service=f"s{n}") for n in range(9)], capacity=2)
    assert [nodes.node(number).name for number in found.node.tolist()] == ["s0", "s1", *["other"] * 7]
    assert nodes.refused == 7


def test_ten_thousand_combinations_are_each_found_right_although_the_memo_overflows():
    spans = [
        Span(1, n + 1, kind="CLIENT", service="a", address=f"h{n % 7}", port=n + 1) for n in range(70_000)
    ]
    texts, nodes = Texts(), NodeTable(60_000)
    classifier = Classifier(texts, nodes)
    found = classifier.classify(decoded(spans[:40_000], texts))
    names = [nodes.node(number).name for number in found.batch["other"].tolist()]
    assert names == [f"h{n % 7}:{n + 1}" for n in range(40_000)]
