import io

from rich.console import Console

from tests.collector.demo.graphs import graph
from weft_collector.demo.compare import compare, edges
from weft_collector.demo.counters import Count, Edge
from weft_collector.demo.summary import show

ANSWER = graph(("client:", "service:web", 5, 1), ("service:web", "service:notifications", 4, 0))


def printed(counted):
    out = io.StringIO()
    verdict = show(Console(file=out, width=80), compare(edges(ANSWER), counted), ANSWER)
    return verdict, out.getvalue()


def test_equal_edges_give_a_good_verdict():
    verdict, text = printed({Edge("client", "web"): Count(5, 1), Edge("web", "notifications"): Count(4, 0)})
    assert verdict is True
    assert "Equal: 2 edges, 9 calls" in text
    assert "notifications" in text
    assert "12.3" in text


def test_a_difference_is_named():
    verdict, text = printed({Edge("client", "web"): Count(5, 1), Edge("web", "cart"): Count(4, 0)})
    assert verdict is False
    assert "2 of 3 edges differ" in text
    assert "web -> cart: graph no such edge, handlers 4 calls, 0 errors" in text
    assert "web -> notifications: graph 4 calls, 0 errors, handlers no such edge" in text


def test_nothing_counted_is_no_success():
    out = io.StringIO()
    assert show(Console(file=out), [], graph()) is False
    assert "No call was counted" in out.getvalue()


def test_hostile_names_neither_colour_nor_command_the_terminal():
    out = io.StringIO()
    edge = Edge("[red]x[/nonsense]", "a\x1b[2Jb")
    show(Console(file=out, width=120), compare({edge: Count(1, 0)}, {}), graph())
    assert "[red]x[/nonsense] -> a?[2Jb" in out.getvalue()
    assert "\x1b" not in out.getvalue()
