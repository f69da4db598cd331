"""`weft query`: SQL over the spans of the collector that runs, or of a data folder."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
  weft query --data ./copy-of-traces "SELECT min(Timestamp), max(Timestamp), count(*) FROM spans"
"""
)
@click.argument("sql")
@click.option(
    "--format", "name", type=click.Choice(FORMATS),
    help="Default: by the file's suffix, else a table on a terminal and CSV elsewhere.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Most rows.")
@click.option(
    "--data",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Read this data folder instead of asking a collector. It is only read, and a collector may be running on it.",
)
@output_option
@collector_option
def query(sql: str, data: Path | None, **options: Any) -> None:
    """Run one SELECT statement in DuckDB's dialect.

    It runs in a confined process: it sees the spans and nothing else, and is ended after 30 s.
    """
    asked = _Asked(sql, **options)
    check_terminal(asked.output, binary=asked.format in BINARY)
    if data is None:
        truncated = _ask_collector(asked)
    elif asked.collector is None:
        truncated = _ask_folder(asked, data)
    else:
        raise click.UsageError("--data reads a folder and --collector asks a collector: give one of them.")
    if truncated:
        click.echo(
            f"There are more rows than these; --limit is {asked.limit}, and an answer has a size limit.",
            err=True,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The command line; names are those of its options."""

    sql: str
    name: str | None
    limit: int
    output: str | None
    collector: str | None

    @property
    def format(self) -> str:
        """The format to write: the one that is named, or the one that suits the output."""
        return self.name or suffix_format(self.output, FORMATS) or _fitting(self.output)


def _ask_collector(asked: _Asked) -> bool:
    """Write what a collector answers; whether it was cut off."""
    body = {"sql": asked.sql, "limit": asked.limit, "format": asked.format}
    with Collector.at(asked.collector).post("/api/v1/query", body) as answer:
        deliver(answer.iter_bytes(), asked.output)
        return bool(answer.headers.get(_TRUNCATED))


def _ask_folder(asked: _Asked, data: Path) -> bool:
    """Write what the spans of a folder answer; whether it was cut off."""
    from weft_collector.cli.folder_query import FORMATS as WRITERS  # noqa: PLC0415 - a collector needs none of it
    from weft_collector.cli.folder_query import ask  # noqa: PLC0415 - likewise

    answer = ask(data, asked.sql, asked.limit)
    deliver([WRITERS[asked.format].write(answer)], asked.output)
    return answer.truncated


def _fitting(output: str | None) -> str:
    return "table" if output in STANDARD_OUTPUT and sys.stdout.isatty() else "csv"
