"""`weft graph`: the graph as a picture or as text."""

import click

from weft_collector.cli.collector import Collector, collector_option
from weft_collector.cli.output import check_terminal, deliver, output_option, suffix_format

__all__ = ["graph"]

FORMATS = ("svg", "png", "pdf", "dot", "json")
BINARY = frozenset({"png", "pdf"})


@click.command(
    epilog="""\b
Examples:
  weft graph --format svg -o shop.svg
  weft graph --format json | jq '.edges[] | [.caller, .callee, .calls]'
  weft graph --window 2h -o report.pdf
"""
)
@click.option("--format", "name", type=click.Choice(FORMATS), help="Default: by the file's suffix, else svg.")
@click.option("--window", help="Length up to now, such as 30s, 15m, 2h, 1d  [default: 15m].")
@click.option("--unknown", is_flag=True, help="Also show calls whose caller never reported.")
@output_option
@collector_option
def graph(
    name: str | None, window: str | None, unknown: bool, output: str | None, collector: str | None
) -> None:
    """Draw the dependency graph.

    The running collector draws it, so every node stands where the dashboard shows it.
    """
    chosen = name or suffix_format(output, FORMATS) or "svg"
    check_terminal(output, binary=chosen in BINARY)
    query = {"format": chosen, "window": window, "unknown": "true" if unknown else None}
    with Collector.at(collector).stream("/api/v1/graph/render", query) as chunks:
        deliver(chunks, output)
