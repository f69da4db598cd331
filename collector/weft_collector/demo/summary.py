"""What the demo prints at its end: the edges as the graph and as the handlers saw them, and the verdict."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from weft_collector.demo.compare import Row, plain_name
from weft_collector.demo.counters import Count, Edge
from weft_collector.demo.reader import Graph


def show(console: Console, rows: Sequence[Row], graph: Graph) -> bool:
    """Print the table and the verdict; whether all rows are equal."""
    console.print(_table(rows, _server_p95(graph)))
    return _verdict(console, rows)


def _table(rows: Sequence[Row], slowness: Mapping[Edge, str]) -> Table:
    table = Table(
        title="Calls and errors in the graph, each beside the handlers' own count",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for heading in ("caller", "callee"):
        table.add_column(heading, no_wrap=True)
    for heading in ("calls", "count", "errors", "count", "p95 ms", "equal"):
        table.add_column(heading, justify="right")
    for row in rows:
        equal = "yes" if row.equal else "NO"
        ends = (_shown(row.edge.caller), _shown(row.edge.callee))
        table.add_row(*ends, *_cells(row), slowness.get(row.edge, ""), equal, style=_style(row))
    return table


def _shown(name: str) -> str:
    """A name as a terminal may show it: names in the graph come from whoever sent spans."""
    return escape("".join(letter if letter.isprintable() else "?" for letter in name))


def _cells(row: Row) -> tuple[str, str, str, str]:
    graph, counters = row.graph or Count(0, 0), row.counters or Count(0, 0)
    return str(graph.calls), str(counters.calls), str(graph.errors), str(counters.errors)


def _style(row: Row) -> str:
    if not row.equal:
        return "bold red"
    return "yellow" if row.graph and row.graph.errors else ""


def _server_p95(graph: Graph) -> dict[Edge, str]:
    """The callee's 95th percentile of each edge, or the caller's where the callee is not instrumented."""
    names = {node["id"]: plain_name(node) for node in graph["nodes"]}
    sides = ((edge, edge["server"] or edge["client"]) for edge in graph["edges"])
    return {
        Edge(names[edge["caller"]], names[edge["callee"]]): f"{side['p95_ms']:.1f}" if side else ""
        for edge, side in sides
    }


def _verdict(console: Console, rows: Sequence[Row]) -> bool:
    wrong = [row for row in rows if not row.equal]
    calls = sum(row.counters.calls for row in rows if row.counters)
    if not rows:
        console.print("[red]No call was counted.[/]")
    elif wrong:
        console.print(f"[red]{len(wrong)} of {len(rows)} edges differ from what the handlers counted:[/]")
        for row in wrong:
            console.print(
                f"  {_ends(row.edge)}: graph {_say(row.graph)}, handlers {_say(row.counters)}", soft_wrap=True
            )
    else:
        console.print(f"[green]Equal: {len(rows)} edges, {calls} calls, as the handlers counted them.[/]")
    return bool(rows) and not wrong


def _ends(edge: Edge) -> str:
    return f"{_shown(edge.caller)} -> {_shown(edge.callee)}"


def _say(count: Count | None) -> str:
    return f"{count.calls} calls, {count.errors} errors" if count else "no such edge"
