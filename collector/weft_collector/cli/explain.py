"""`weft explain`: why an edge is missing."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from weft_collector.cli.collector import Collector, collector_option

__all__ = ["explain"]

WIDTH = 96


@click.command(
    epilog="""\b
Examples:
  weft explain web cart
  weft explain service:prod//web service:prod//cart --window 2h
  weft explain web cart --format json | jq '.reasons[] | [.reason, .spans]'
"""
)
@click.argument("caller")
@click.argument("callee")
@click.option("--window", help="Length up to now, such as 30s, 15m, 2h, 1d  [default: 15m].")
@click.option("--format", "name", type=click.Choice(["text", "json"]), default="text", show_default=True)
@collector_option
def explain(caller: str, callee: str, window: str | None, name: str, collector: str | None) -> None:
    """Say why there is no edge from CALLER to CALLEE, or fewer calls than expected.

    CALLER and CALLEE are names of services, or ids of nodes. The newest spans of both are looked at, each within its
    trace.
    """
    query = {"from": caller, "to": callee, "window": window}
    answer = Collector.at(collector).get("/api/v1/graph/explain", query)
    click.echo(answer.decode() if name == "json" else "\n".join(_lines(json.loads(answer))))


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    yield f"{answer['from']} -> {answer['to']}, {answer['window']['start']} to {answer['window']['end']}"
    for edge, calls in answer["edges"].items():
        yield f"  The edge {edge} is there: {_count(calls, 'call')}."
    if not answer["edges"]:
        yield "  There is no such edge."
    if answer["counted"]:
        yield f"  Agents counted {_count(answer['counted'], 'such call')} before spans were sampled or dropped."
    part = "all" if answer["complete"] else "only the newest"
    yield f"  Looked at {part} spans of both: {answer['looked_at']:,}, of which {answer['matched']} are such calls."
    for reason in answer["reasons"]:
        yield from _reason(reason)


def _reason(reason: dict[str, Any]) -> Iterator[str]:
    yield ""
    count = f"{_count(reason['spans'], 'span')} of the {reason['side']}: " if reason["spans"] else ""
    yield from _wrapped(f"{count}{reason['meaning']}", "  ")
    for node, spans in reason["nodes"].items():
        yield f"      {node} ({spans})"
    yield from _wrapped(f"Next: {reason['next']}", "    ")
    for span in reason["examples"]:
        yield f"      trace {span['trace_id']}  span {span['span_id']}  {span['service']} {span['operation']!r}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
