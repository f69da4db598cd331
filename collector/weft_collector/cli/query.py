"""`weft query`: SQL over the spans of the collector that runs."""

import sys

import click

from weft_collector.cli.collector import Collector, collector_option
from weft_collector.cli.output import STANDARD_OUTPUT, check_terminal, deliver, output_option, suffix_format

__all__ = ["query"]

FORMATS = ("table", "csv", "json", "parquet", "arrow")
BINARY = frozenset({"parquet", "arrow"})
_TRUNCATED = "weft-truncated"


@click.command(
    epilog="""\b
The view `spans` has one row a span; attributes('key') is an attribute of the span or its resource.
docs/querying.md lists the columns.

\b
Examples:
  weft query "SELECT ServiceName, count(*) AS spans FROM spans GROUP BY 1 ORDER BY 2 DESC"
  weft query "SELECT * FROM spans WHERE attributes('customer.id') = 'c-4711'" -o spans.parquet
  weft query "SELECT TraceId, Duration FROM spans ORDER BY 2 DESC LIMIT 5" --format csv
"""
)
@click.argument("sql")
@click.option(
    "--format", "name", type=click.Choice(FORMATS),
    help="Default: by the file's suffix, else a table on a terminal and CSV elsewhere.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Most rows.")
@output_option
@collector_option
def query(sql: str, name: str | None, limit: int, output: str | None, collector: str | None) -> None:
    """Run one SELECT statement in DuckDB's dialect.

    The collector runs it in a confined process: it sees the spans and nothing else, and is ended after 30 s.
    """
    chosen = name or suffix_format(output, FORMATS) or _fitting(output)
    check_terminal(output, binary=chosen in BINARY)
    with Collector.at(collector).post(
        "/api/v1/query", {"sql": sql, "limit": limit, "format": chosen}
    ) as answer:
        deliver(answer.iter_bytes(), output)
        if answer.headers.get(_TRUNCATED):
            click.echo(
                f"There are more rows than these; --limit is {limit}, and an answer has a size limit.",
                err=True,
            )


def _fitting(output: str | None) -> str:
    return "table" if output in STANDARD_OUTPUT and sys.stdout.isatty() else "csv"
