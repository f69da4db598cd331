"""`weft import`: spans out of files into the collector that runs."""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import click

from weft_collector.cli.collector import collector_option, find
from weft_collector.cli.exits import FAILED, OK, CannotRead
from weft_collector.cli.import_files import FORMATS, batches, inflated
from weft_collector.cli.import_sending import Sender
from weft_collector.errors import RefusedBody

__all__ = ["import_"]

STANDARD_INPUT: Final = "-"


@click.command(
    "import",
    epilog="""\b
Formats: otlp-json (one document, or one a line as the OpenTelemetry Collector's file exporter writes them),
otlp-protobuf (a request, or requests behind lengths of four bytes), zipkin-json (v2), jaeger-json (downloads of
the Jaeger UI). Files may be compressed with gzip.

\b
Spans are known by their ids: importing a file again changes nothing.

\b
Exit codes: 0 all spans were taken, 1 some or all were not, 2 called wrongly, 3 no collector answers.

\b
Examples:
  weft import traces.json
  weft import --format zipkin-json spans.json.gz more.json
  curl -s http://jaeger:16686/api/traces/4bf92f35 | weft import -
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "name", type=click.Choice(FORMATS), help="Default: by the file's content.")
@collector_option
@click.pass_context
def import_(ctx: click.Context, files: tuple[str, ...], name: str | None, collector: str | None) -> None:
    """Send the spans of files to the running collector; `-` is standard input."""
    sender = Sender(find(collector, os.environ))
    try:
        for file in files:
            _import(file, name, sender)
    finally:
        sender.close()
        _sum_up(sender)
    ctx.exit(FAILED if sender.refused else OK)


def _import(file: str, name: str | None, sender: Sender) -> None:
    try:
        with _opened(file) as source, _progress(file) as bar:
            for body in batches(_watched(source, bar), name):
                sender.send(body)
    except OSError as error:
        raise CannotRead(f"{file}: {error.strerror or error}.") from error
    except RefusedBody as error:
        raise CannotRead(f"{file}: {error}") from error


@contextmanager
def _opened(file: str) -> Generator[BinaryIO]:
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as source:
        yield source


class _Bar(Protocol):
    def at(self, position: int) -> None:
        """Show how many bytes of the file were read."""
        ...


class _Silent:
    def at(self, position: int) -> None:
        pass


class _Shown:
    """A bar on the terminal."""

    def __init__(self, file: str, size: int) -> None:
        from rich.console import Console  # noqa: PLC0415 - for terminals only
        from rich.progress import Progress  # noqa: PLC0415 - likewise

        self.progress = Progress(console=Console(stderr=True))
        self._task = self.progress.add_task(Path(file).name, total=size)

    def at(self, position: int) -> None:
        self.progress.update(self._task, completed=position)


@contextmanager
def _progress(file: str) -> Generator[_Bar]:
    if file == STANDARD_INPUT or not sys.stderr.isatty():
        yield _Silent()
        return
    shown = _Shown(file, Path(file).stat().st_size)
    with shown.progress:
        yield shown


def _watched(source: BinaryIO, bar: _Bar) -> Iterator[bytes]:
    for chunk in inflated(source):
        if source.seekable():
            bar.at(source.tell())
        yield chunk


def _sum_up(sender: Sender) -> None:
    reasons = "".join(f", {count:,} refused: {reason}" for reason, count in sender.refused.items())
    click.echo(f"{sender.accepted:,} spans accepted{reasons}", err=True)
