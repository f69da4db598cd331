"""`weft demo`: real services under steady traffic, and at the end the proof that the graph is right."""

import re
from pathlib import Path

import click

from weft_collector.demo.topology import TOPOLOGIES

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    """Seconds of a text such as `20s`, `2m` or `1.5h`; a bare number is seconds."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smh]?)", text.strip())
    if not match or not float(match[1]):
        raise click.BadParameter(f"{text!r} is no duration; write it as 20s, 2m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


@click.command()
@click.option(
    "--topology",
    type=click.Choice(sorted(TOPOLOGIES)),
    default="shop",
    show_default=True,
    help="Which system.",
)
@click.option(
    "--for", "seconds", callback=duration, metavar="TIME", help="End after 20s, 2m, ... [default: at Ctrl-C]"
)
@click.option("--no-browser", is_flag=True, help="Do not open the browser.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The collector's port. [default: 4318, or a free one]"
)
@click.option(
    "--rate", type=click.FloatRange(0, 500), help="Visits per second. [default: shop 20, pymicro 0]"
)
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Keep the collector's data here."
)
@click.pass_context
def demo(  # noqa: PLR0913, PLR0917 - a click command names its options one by one
    ctx: click.Context,
    topology: str,
    seconds: float | None,
    no_browser: bool,
    port: int | None,
    rate: float | None,
    data: Path | None,
) -> None:
    """Start a small system of real services and watch its calls become a graph.

    Ends with a table that holds the graph against the services' own counters. The exit code is 0 only if all
    edges and counts are equal.
    """
    from rich.console import Console  # noqa: PLC0415 - `weft --help` has no use for it

    from weft_collector.demo.runner import run  # noqa: PLC0415 - likewise
    from weft_collector.demo.stage import Options  # noqa: PLC0415 - likewise

    options = Options(TOPOLOGIES[topology], seconds, rate, port, data, not no_browser)
    ctx.exit(run(options, Console(highlight=False)))
