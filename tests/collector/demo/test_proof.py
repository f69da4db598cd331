from collections import Counter

import pytest

from tests.collector.demo.graphs import graph
from weft_collector.demo.counters import Edge
from weft_collector.demo.proof import Figures, calls_of, expected, figures, prove
from weft_collector.demo.topology import PYMICRO, Topology, Visit

SMALL = Topology("small", (), {"a": ("b", "c"), "b": ("c",)}, (Visit("a", "/"),), 0.0, ())


@pytest.mark.parametrize(("entry", "wanted"), [("view", Figures(16, 21, 21)), ("auth", Figures(5, 4, 4))])
def test_the_classic_figures_follow_from_the_table(entry, wanted):
    assert figures(expected(PYMICRO, entry)) == wanted


def test_a_shared_callee_is_called_once_per_caller():
    inner = {Edge("a", "b"): 1, Edge("a", "c"): 1, Edge("b", "c"): 1}
    assert expected(SMALL, "a") == Counter({Edge("client", "a"): 1, **inner})


def test_the_clients_edge_is_not_among_the_figures():
    assert figures(Counter({Edge("client", "a"): 1, Edge("a", "b"): 2})) == Figures(2, 1, 2)


def span(span_id, parent="", kind=2):
    return {"spanId": span_id, "parentSpanId": parent, "kind": kind}


def resource(service, *spans):
    attributes = [{"key": "service.name", "value": {"stringValue": service}}]
    return {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": list(spans)}]}


TRACE = {
    "resourceSpans": [
        resource("a", span("1"), span("2", "1", kind=3), span("3", "1", kind=3)),
        resource("b", span("4", "2"), span("5", "4", kind=3)),
        resource("c", span("6", "3"), span("7", "5")),
    ]
}


def test_a_trace_gives_its_calls():
    calls = {Edge("client", "a"): 1, Edge("a", "b"): 1, Edge("a", "c"): 1, Edge("b", "c"): 1}
    assert calls_of(TRACE) == calls


class Collector:
    """A collector whose graph is filled by the one request."""

    def __init__(self, *edges):
        self.edges = ()
        self._after = edges

    def ask(self, entry):
        assert entry == "a"
        self.edges = self._after
        return "feed"

    def graph(self):
        return graph(*self.edges)

    def trace(self, trace_id):
        assert trace_id == "feed"
        return TRACE


CLIENT, A, B, C = "client:", "service:a", "service:b", "service:c"
RIGHT = ((CLIENT, A, 1, 0), (A, B, 1, 0), (A, C, 1, 0), (B, C, 1, 0))


def test_the_proof_holds_when_table_graph_and_trace_agree():
    collector = Collector(*RIGHT)
    proof = prove(SMALL, "a", collector.ask, collector)
    assert proof.holds
    assert figures(proof.graph) == Figures(3, 3, 3)


@pytest.mark.parametrize(
    "edges",
    [RIGHT[:-1], (*RIGHT, (C, B, 1, 0)), (*RIGHT[:-1], (B, C, 2, 0))],
    ids=["an edge missing", "a false edge", "a call too many"],
)
def test_the_proof_fails_when_the_graph_is_wrong(edges, monkeypatch):
    monkeypatch.setattr("weft_collector.demo.proof.PATIENCE_SECONDS", 0.0)
    collector = Collector(*edges)
    assert not prove(SMALL, "a", collector.ask, collector).holds


def test_what_was_in_the_graph_before_does_not_count():
    collector = Collector(*[(caller, callee, calls + 7, 0) for caller, callee, calls, _ in RIGHT])
    collector.edges = [(caller, callee, 7, 0) for caller, callee, _, _ in RIGHT]
    assert prove(SMALL, "a", collector.ask, collector).holds
