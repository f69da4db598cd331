"""`weft export`: data for other tools."""

import click

from weft_collector.cli.collector import Collector, collector_option
from weft_collector.cli.output import check_terminal, deliver, output_option, suffix_format
from weft_collector.export.columns import COLUMNS

__all__ = ["export"]

FORMATS = ("csv", "json", "parquet")
BINARY = frozenset({"parquet"})


@click.group()
def export() -> None:
    """Write data for spreadsheets, data frames and databases."""


_COLUMNS = "\n".join(f"  {column.name:<20}{column.meaning}" for column in COLUMNS)


@export.command(
    epilog=f"""\b
Columns:
{_COLUMNS}

\b
Examples:
  weft export calls --format parquet -o calls.parquet
  weft export calls --window 1d --format csv -o calls.csv
  weft export calls --format json | jq -r 'select(.outcome == "5xx") | .trace_id'
"""
)
@click.option(
    "--format", "name", type=click.Choice(FORMATS),
    help="csv, json (one object a line) or parquet. Default: by the file's suffix, else csv.",
)  # fmt: skip
@click.option("--window", help="Length up to now, such as 30s, 15m, 2h, 1d  [default: 15m].")
@output_option
@collector_option
def calls(name: str | None, window: str | None, output: str | None, collector: str | None) -> None:
    """Write one row for each call of a window; the rows sum to the graph's edges."""
    chosen = name or suffix_format(output, FORMATS) or "csv"
    check_terminal(output, binary=chosen in BINARY)
    query = {"format": chosen, "window": window}
    with Collector.at(collector).stream("/api/v1/export/calls", query) as chunks:
        deliver(chunks, output)
