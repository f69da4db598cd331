import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.graph.nodes import (
    CLIENT,
    DEFAULT_CAPACITY,
    FIXED_NODES,
    OTHER,
    OTHER_NUMBER,
    UNKNOWN_CALLER,
    UNKNOWN_PEER,
    Node,
    NodeTable,
    NodeType,
)

texts = st.text(max_size=4)
nodes = st.one_of(
    st.builds(Node, st.just(NodeType.SERVICE), texts, namespace=texts, environment=texts),
    st.builds(Node, st.just(NodeType.DATABASE), texts, namespace=texts, system=texts.filter(bool)),
    st.builds(Node, st.just(NodeType.CHANNEL), texts, system=texts.filter(bool)),
    st.builds(Node, st.just(NodeType.EXTERNAL), texts),
    st.sampled_from([CLIENT, UNKNOWN_CALLER, UNKNOWN_PEER]),
)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (CLIENT, "client:"),
        (UNKNOWN_CALLER, "unknown:"),
        (UNKNOWN_PEER, "unknown:peer"),
        (Node(NodeType.SERVICE, "cart"), "service:cart"),
        (Node(NodeType.SERVICE, "cart", "shop", "prod"), "service:prod/shop/cart"),
        (Node(NodeType.SERVICE, "cart", "", "prod"), "service:prod//cart"),
        (Node(NodeType.SERVICE, "a/b -> c"), "service:a%2Fb%20-%3E%20c"),
        (Node(NodeType.DATABASE, "orders.db", system="sqlite"), "database:sqlite/orders.db"),
        (Node(NodeType.DATABASE, "o", "db1", system="mysql"), "database:mysql/db1/o"),
        (Node(NodeType.EXTERNAL, "10.0.0.7:8080"), "external:10.0.0.7:8080"),
        (Node(NodeType.SERVICE, "\ud800"), "service:%3F"),
    ],
)
def test_ids(node, expected):
    assert node.id == expected


@settings(deadline=None)
@given(nodes, nodes)
def test_two_nodes_never_share_an_id(one, other):
    assert (one.id == other.id) == (one == other)


@settings(deadline=None)
@given(nodes)
def test_an_id_is_printable_and_holds_no_arrow(node):
    assert node.id.isascii()
    assert node.id.isprintable()
    assert " " not in node.id
    assert "->" not in node.id


def test_a_number_is_given_once():
    table = NodeTable()
    cart = Node(NodeType.SERVICE, "cart")
    assert table.number(cart) == table.number(Node(NodeType.SERVICE, "cart")) == len(FIXED_NODES)
    assert table.node(table.number(cart)) == cart


def test_above_the_capacity_new_nodes_are_other_and_counted():
    table = NodeTable(capacity=1)
    first = table.number(Node(NodeType.SERVICE, "first"))
    assert [table.number(Node(NodeType.SERVICE, f"s{n}")) for n in range(3)] == [OTHER_NUMBER] * 3
    assert table.number(Node(NodeType.SERVICE, "first")) == first
    assert (table.refused, len(table), table.node(OTHER_NUMBER)) == (3, 5, OTHER)


def test_the_fixed_nodes_take_none_of_the_capacity():
    table = NodeTable()
    numbers = [table.number(Node(NodeType.SERVICE, f"s{n}")) for n in range(DEFAULT_CAPACITY)]
    assert (OTHER_NUMBER in numbers, table.refused) == (False, 0)
    assert table.number(Node(NodeType.SERVICE, "one more")) == OTHER_NUMBER
