"""The `weft` command: `weft run` lives here, every other verb in the collector.

This module belongs to the agent, so it imports nothing heavy and nothing of the collector by name. The
collector announces itself by the entry point group `weft.commands`; where a library of it is missing, the
answer is the line that installs it.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Final, cast

from weft import __version__
from weft.errors import WeftError

GROUP: Final = "weft.commands"
INSTALL: Final = 'pip install "weft[collector]"'
USAGE: Final = """\
Usage: weft COMMAND [OPTIONS]

Agent:
  weft run      start a Python program with the agent in it
  --version     print the version
  --help        print this
"""
WITHOUT_COLLECTOR: Final = f"""
The collector, its graph and the demo are not installed: {INSTALL}
"""

Commands = Callable[[list[str]], int | None]


class MissingError(WeftError):
    """The collector, or a library that it needs, is not installed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line (that of the process by default); the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    verb = words[0] if words else "--help"
    own = {"run": _run, "--help": _help, "-h": _help, "help": _help, "--version": _version}.get(
        verb, _collector
    )
    try:
        return own(words)
    except WeftError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _version(_words: list[str]) -> int:
    sys.stdout.write(f"weft {__version__}\n")
    return 0


def _help(_words: list[str]) -> int:
    sys.stdout.write(USAGE)
    try:
        commands = load()
    except MissingError:
        sys.stdout.write(WITHOUT_COLLECTOR)
        return 0
    sys.stdout.write("\n")
    sys.stdout.flush()
    return _call(commands, ["--help"])


def _collector(words: list[str]) -> int:
    return _call(load(words[0]), words)


def _call(commands: Commands, words: list[str]) -> int:
    return commands(words) or 0


def load(verb: str = "") -> Commands:
    """Return the collector's commands.

    Raises:
        MissingError: they are not installed, or a library that they import is not.
    """
    subject = f"weft {verb}".rstrip()
    for entry in entry_points(group=GROUP):
        try:
            return cast("Commands", entry.load())
        except ImportError as error:
            raise MissingError(f"{subject} needs the library {error.name or error}: {INSTALL}") from error
    raise MissingError(f"{subject}: this is a command of the collector, which is not installed: {INSTALL}")


def _run(words: list[str]) -> int:
    import argparse  # noqa: PLC0415 - only this verb reads options here

    from weft.run import run  # noqa: PLC0415 - only this verb starts programs

    parser = argparse.ArgumentParser(
        "weft run",
        usage="weft run [--service NAME] [--collector URL] -- COMMAND...",
        description="Start a Python program with the agent in it; no change to its code.",
        epilog="Example: weft run --service cart -- uvicorn app:app --port 8000",
    )
    parser.add_argument(
        "--service",
        metavar="NAME",
        help="name of the service (else OTEL_SERVICE_NAME, else taken from the command)",
    )
    parser.add_argument(
        "--collector", metavar="URL", help="where spans are sent (else http://127.0.0.1:4318)"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to start, behind --")
    options = parser.parse_args(words[1:])
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    return run(options.service, options.collector, command)
