"""`weft rebuild` and `weft verify`: the derived files of a data folder, made again or held against the log.

Both need the folder for themselves: stop the collector first.
"""

import os
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from weft_collector.cli.announcing import announcer
from weft_collector.cli.exits import FAILED, OK
from weft_collector.config import Config

if TYPE_CHECKING:
    from weft_collector.cli.announcing import Announcer
    from weft_collector.verifying import Findings

__all__ = ["rebuild", "verify"]

_SHOWN: Final = 20
data_option = click.option(
    "--data", metavar="FOLDER", type=click.Path(exists=True, file_okay=False),
    help="The data folder [WEFT_DATA; default: that of `weft serve`].",
)  # fmt: skip


@click.command(
    epilog="""\b
Examples:
  weft rebuild
  weft rebuild --data ./traces
"""
)
@data_option
def rebuild(data: str | None) -> None:
    """Derive every segment, index and rollup again from the log.

    The log itself is only read. Rollups of log files that are gone are kept as they are. Interrupted, the
    next start of the collector finishes the work.
    """
    from weft_collector.cli.assembly import Outside, assemble  # noqa: PLC0415 - `weft --help` has no use for it
    from weft_collector.warming import warm_together  # noqa: PLC0415 - likewise

    config = Config.load(os.environ, {"data": data})
    parts = assemble(config, Outside("", time.time_ns), afresh=True)
    try:
        with _shown() as shown:
            warm_together(shown.progress)
            size = max(parts.log.size_bytes, 1)
            spans = parts.intake.replay(
                lambda spans: shown.progress(
                    f"deriving, {spans:,} spans so far of {size / 1e6:,.0f} MB of log"
                )
            )
            shown.progress("sealing, the last files")
            parts.derived.settle_segments()
    finally:
        parts.intake.stop()
        parts.log.close()
    click.echo(f"derived {spans:,} spans of {parts.log.files} log files again")


@click.command(
    epilog="""\b
Exit codes: 0 everything is as it should be, 1 something is not.

\b
Examples:
  weft verify
  weft verify --data ./traces
"""
)
@data_option
@click.pass_context
def verify(ctx: click.Context, data: str | None) -> None:
    """Check the log's checksums, and that what is derived equals a fresh derivation."""
    from weft_collector.cli.checking import check_folder  # noqa: PLC0415 - likewise

    config = Config.load(os.environ, {"data": data})
    with _shown() as shown:
        findings, lost = check_folder(config, shown.progress)
    _tell(findings, lost, config.data)
    ctx.exit(FAILED if findings.wrong or lost else OK)


def _tell(findings: "Findings", lost: int, folder: Path) -> None:
    click.echo(
        f"{findings.segments} segments with {findings.spans:,} spans compared with the log in {folder}"
    )
    if findings.passed_over:
        click.echo(f"passed over, as an older log file is gone: {_some(findings.passed_over)}")
    if lost:
        click.echo(f"{lost} blocks of the log are damaged or missing; their spans are lost")
    for line in findings.wrong[:_SHOWN]:
        click.echo(line)
    if findings.wrong:
        click.echo("`weft rebuild` derives everything again from the log.")
    if not (findings.wrong or lost):
        click.echo("everything is as it should be")


def _some(numbers: Iterable[int]) -> str:
    listed = list(numbers)
    return ", ".join(map(str, listed[:_SHOWN])) + (" ..." if len(listed) > _SHOWN else "")


@contextmanager
def _shown() -> "Generator[Announcer]":
    shown = announcer()
    try:
        yield shown
    finally:
        shown.done()
