"""A graph as JSON is the same document as its values, whatever the names."""

import itertools
import json

import numpy as np
import pytest

from tests.collector.render.graphs import HOSTILE
from weft_collector.api.graph_json import graph_json
from weft_collector.graph.nodes import UNKNOWN_CALLER_NUMBER, Node, NodeTable, NodeType
from weft_collector.graph.outcomes import CLASSES
from weft_collector.graph.pairing_table import ROW
from weft_collector.graph.rollup import Rollup
from weft_collector.graph.snapshot import Window
from weft_collector.graph.stats import Source, graph_table

WINDOW = Window(0, 7)


def table_of(names, *, unknown=True):
    nodes, rollup = NodeTable(), Rollup()
    numbers = [UNKNOWN_CALLER_NUMBER, *(nodes.number(Node(NodeType.SERVICE, name, name)) for name in names)]
    calls = [
        (n % 3, caller, callee, n % 5 - 1, n % 991, 1, n % 5, n % CLASSES, 0)
        for n, (caller, callee) in enumerate(itertools.pairwise(numbers))
    ]
    rollup.add(np.array(calls * 3, ROW))
    rollup.see(np.zeros(1, np.int64), np.array(numbers[-1:], np.int32))
    return graph_table(Source(WINDOW, 5, rollup.window(WINDOW), rollup.ends, nodes.node), unknown=unknown)


@pytest.mark.parametrize("unknown", [True, False])
def test_it_is_what_the_values_say(unknown):
    table = table_of([*HOSTILE, *(f"s{n}" for n in range(40))], unknown=unknown)
    text = graph_json(table)
    assert json.loads(text) == table.values.as_dict()
    assert len(table.values.edges) > 40


def test_it_is_compact_ascii_with_its_fields_in_order():
    table = table_of(["a", "\ud800", "\u6771"])
    text = graph_json(table).decode("ascii")
    assert list(json.loads(text)) == list(table.values.as_dict())
    assert list(json.loads(text)["edges"][0]) == list(table.values.edges[0].as_dict())
    assert ": " not in text


def test_an_empty_graph_has_empty_lists():
    graph = json.loads(graph_json(table_of([])))
    assert (graph["edges"], graph["nodes"][1:], graph["totals"]) == (
        [],
        [],
        {"calls": 0, "errors": 0, "rate": 0},
    )
