"""The collector's commands: a table of names, and the loading of what was asked for.

The agent's `weft` hands every word but `run` and `--version` to `main`. Help names all commands without
importing any of them: `weft --help` must feel immediate, and numba alone takes a second.
"""

import difflib
import importlib
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn

import click

from weft_collector.cli.exits import FAILED, INTERRUPTED, OK, exit_code
from weft_collector.errors import CollectorError, MissingLibrary

__all__ = ["COMMANDS", "Command", "main"]

AGENT_COMMANDS: Final = ("run",)
"""Commands that the agent's package carries out itself; named here for suggestions."""
INSTALL: Final = 'pip install "weft[collector]"'


class Command(NamedTuple):
    """Where a command is, and what it is for."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final[Mapping[str, Command]] = MappingProxyType(
    {
        "serve": Command(
            "weft_collector.cli.serve", "serve", "start the collector: takes spans, shows the graph"
        ),
        "demo": Command(
            "weft_collector.cli.demo", "demo", "watch a small system of real services become a graph"
        ),
        "graph": Command("weft_collector.cli.graph", "graph", "the graph as SVG, PNG, PDF, DOT or JSON"),
        "explain": Command(
            "weft_collector.cli.explain", "explain", "why an edge is missing, with what to do"
        ),
        "query": Command(
            "weft_collector.cli.query", "query", "SQL over the spans: one SELECT, as table, CSV or files"
        ),
        "export": Command("weft_collector.cli.export", "export", "calls as CSV, JSON lines or Parquet"),
        "import": Command(
            "weft_collector.cli.importing", "import_", "spans out of OTLP, Zipkin or Jaeger files"
        ),
        "rebuild": Command("weft_collector.cli.rebuild", "rebuild", "derive everything again from the log"),
        "verify": Command("weft_collector.cli.rebuild", "verify", "hold what is derived against the log"),
    }
)
"""The table; help shows it in this order."""

EXAMPLES: Final = (
    ("weft demo", "see it all at work"),
    ("weft serve", "collect at http://127.0.0.1:4318"),
    ("weft run --service cart -- uvicorn app:app", "add the agent to a service"),
    ("weft graph --format svg -o shop.svg", "draw what happened"),
    ("weft export calls --window 1h -o calls.csv", "one row for each call"),
)
EXIT_CODES: Final = (
    ("0", "done"),
    ("1", "failed"),
    ("2", "called wrongly, or a library is missing"),
    ("3", "no collector answers"),
)


class Commands(click.Group):
    """The table as a click group."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None if there is no such one.

        Raises:
            MissingLibrary: It needs a library that is not installed.
        """
        del ctx
        row = COMMANDS.get(cmd_name)
        if row is None:
            return None
        try:
            command: click.Command = getattr(importlib.import_module(row.module), row.attribute)
        except ModuleNotFoundError as error:
            raise MissingLibrary(f"weft {cmd_name} needs the library {error.name}.", INSTALL) from error
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a line; a name that is not known is answered with those that look like it."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            _unknown(args[0], ctx)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Commands, examples and exit codes, without importing any command."""
        del ctx
        rows = [(f"weft {name}", row.summary) for name, row in COMMANDS.items()]
        for title, lines in (("Collector", rows), ("Examples", EXAMPLES), ("Exit codes", EXIT_CODES)):
            with formatter.section(title):
                formatter.write_dl(list(lines), col_max=46)
        formatter.write("\nweft COMMAND --help tells more.\n")


def _unknown(name: str, ctx: click.Context) -> NoReturn:
    close = difflib.get_close_matches(name, (*COMMANDS, *AGENT_COMMANDS), n=2)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(COMMANDS)} and run."
    raise click.UsageError(f"There is no command {name!r}; {hint}", ctx)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line; never raises for what a user can do wrong.

    Args:
        argv: Words behind `weft`; those of the process if left out.

    Returns:
        The exit code, see `exits`.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = Commands("weft").main(words, prog_name="weft", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CollectorError as error:
        click.echo(f"{error.title}: {error}", err=True)
        return exit_code(error)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    return code if isinstance(code, int) else OK


def _reader_gone() -> int:
    """`weft graph | head`: the reader has seen enough; the interpreter must not complain at its end."""
    sys.stdout = None
    return FAILED
