import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.render.graphs import database, edge, hostile, service, small, snapshot
from weft_collector.render.text import dot, quoted

STRING = r'"(?:[^"\\]|\\.)*"'
NUMBER = r"[0-9.]+(?:e[+-]?[0-9]+)?"
ATTRIBUTE = rf"\w+=(?:{STRING}|{NUMBER}|[a-z]+)"
ATTRIBUTES = rf"\[{ATTRIBUTE}(?:, {ATTRIBUTE})*\]"
STATEMENT = re.compile(rf"  (?:rankdir=LR|{STRING} {ATTRIBUTES}|{STRING} -> {STRING} {ATTRIBUTES});")


def statements(text):
    first, *lines, last = text.splitlines()
    assert (first, last) == ("digraph weft {", "}")
    return lines


def test_an_edge_carries_its_figures():
    text = dot(snapshot([edge(service("web"), database("a.db"), 900, 9, 20)]))
    assert (
        '  "service:web" -> "database:sqlite/a.db" [calls=900, errors=9, rate=1, error_rate=0.01, p95_ms=20,'
        ' label="p95 20 ms", penwidth=1.19];'
    ) in statements(text)
    assert (
        '  "database:sqlite/a.db" [label="a.db", type="database", calls=900, shape=cylinder];'
        in statements(text)
    )


def test_what_nobody_measured_has_no_p95():
    assert "p95" not in dot(snapshot([edge(service("a"), service("b"), p95_ms=None)]))


def test_every_statement_is_of_the_language_whatever_the_names():
    for graph in (small(), hostile()):
        lines = statements(dot(graph))
        assert [line for line in lines if not STATEMENT.fullmatch(line)] == []
        assert len(lines) == 1 + len(graph.nodes) + len(graph.edges)


def test_quotes_and_backslashes_are_escaped():
    assert quoted('say "hi" \\N') == '"say \\"hi\\" \\\\N"'


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
@settings(deadline=None)
def test_a_quoted_text_can_be_read_back(text):
    inner = quoted(text)[1:-1]
    assert re.fullmatch(STRING, quoted(text), re.DOTALL)
    assert inner.replace('\\"', '"').replace("\\\\", "\\") == text or "\\" in text
