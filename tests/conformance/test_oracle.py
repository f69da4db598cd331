"""The oracle and the pack agree: every case, every figure that a case names, whatever the order."""

from pathlib import Path

import pytest

from tests.conformance import conventions, oracle, records, sums
from tests.conformance.conventions import UNIT, spans
from tests.conformance.oracle import Oracle
from tests.conformance.pack import FIGURES, SECTIONS, cases, differences
from tests.conformance.story import SIGHTS

CASES = cases()
ORDERLESS = [case for case in CASES if not case.expected["ordered"]]
SHAPES = {
    "completeness": lambda seen: {sight: seen[sight] for sight in SIGHTS},
    "adjusted": lambda units: units / UNIT,
    **dict.fromkeys(("client", "server", "queueing"), sorted),
}


def shown(edges):
    """The oracle's edges as an answer's."""
    return {
        ends: {n: SHAPES.get(n, lambda x: x)(getattr(e, n)) for n in FIGURES} for ends, e in edges.items()
    }


def rows(calls, level):
    return sorted([*ends, edge.calls] for ends, edge in sums.edges(calls, level).items())


def answer(case, bodies):
    found = Oracle([span for body in bodies for span in spans(body)], records.leases(case.leases))
    calls, counts = found.calls, records.edge_counts([case.counts] if case.counts else [])
    return {
        "edges": shown(sums.edges(calls, counts=counts)),
        "inferred": shown(sums.edges(calls, inferred=True)),
        "operations": rows(calls, "operation"),
        "instances": rows(calls, "instance"),
        "minutes": rows(calls, "minute"),
        "derived": sorted([*ends, n] for ends, n in sums.derived(calls).items()),
        "nodes": sorted(sums.nodes(found.distinct, calls)),
        "totals": list(sums.totals(calls)),
        "refused": dict(found.refused),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_oracle_finds_what_is_expected(case):
    assert differences(case.expected, answer(case, case.bodies)) == []


@pytest.mark.parametrize("case", ORDERLESS, ids=lambda case: case.name)
def test_the_order_of_the_spans_changes_nothing(case):
    assert differences(case.expected, answer(case, case.one_by_one[::-1])) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_grouping_adds_up_to_the_edges(case):
    found = answer(case, case.bodies)
    calls = {ends: edge["calls"] for ends, edge in found["edges"].items() if edge["calls"]}
    for level in ("operations", "instances", "minutes"):
        summed = {}
        for caller, callee, *_, n in found[level]:
            summed[caller, callee] = summed.get((caller, callee), 0) + n
        assert summed == calls
    assert all(sum(edge["completeness"].values()) == edge["calls"] for edge in found["edges"].values())
    assert all(sum(edge["outcomes"].values()) == edge["calls"] for edge in found["edges"].values())


def test_the_oracle_answers_everything_that_a_case_may_expect():
    assert set(answer(CASES[0], CASES[0].bodies)) == {"edges", *SECTIONS}


def test_the_oracle_is_short_and_knows_nothing_of_the_collector():
    assert len(Path(oracle.__file__).read_text().splitlines()) < 200
    assert not [
        m for m in (conventions, oracle, records, sums) if "weft_collector" in Path(m.__file__).read_text()
    ]
