"""What `weft serve` tells the person who started it."""

import sys
from collections.abc import Sequence
from typing import Protocol, TextIO

import click

__all__ = ["Announcer", "announcer", "welcome"]

_DEFAULT_PORT = 4318


class Announcer(Protocol):
    """Shows progress on standard error, and says things on standard output."""

    def say(self, text: str) -> None:
        """Write lines that stay."""
        ...

    def progress(self, text: str) -> None:
        """Show what is being done now, instead of what was shown before."""
        ...

    def done(self) -> None:
        """Nothing is being done any more; safe twice."""
        ...


class _Lines:
    """For pipes and log files: one line for each thing begun, none for how far it is."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._begun = ""

    def say(self, text: str) -> None:
        click.echo(text)

    def progress(self, text: str) -> None:
        begun = text.partition(",")[0]
        if begun != self._begun:
            self._begun = begun
            click.echo(f"{begun} ...", file=self._out)

    def done(self) -> None:
        self._begun = ""


class _Spinner:
    """For terminals: one line that moves."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - for terminals only

        self._status = Console(stderr=True, highlight=False).status("starting ...")
        self._status.start()
        self._is_done = False

    def say(self, text: str) -> None:
        self._status.stop()
        click.echo(text)
        if not self._is_done:
            self._status.start()

    def progress(self, text: str) -> None:
        self._status.update(f"{text} ...")

    def done(self) -> None:
        self._is_done = True
        self._status.stop()


def announcer() -> Announcer:
    """An announcer that suits standard error."""
    return _Spinner() if sys.stderr.isatty() else _Lines(sys.stderr)


def welcome(version: str, url: str, data: str, grpc: str = "") -> str:
    """The addresses, the folder, and what to paste."""
    is_default = url.endswith(f":{_DEFAULT_PORT}")
    flag = "" if is_default else f" --collector {url}"
    stock = (
        "nothing to set: this is the default endpoint" if is_default else f"OTEL_EXPORTER_OTLP_ENDPOINT={url}"
    )
    rows = (
        ("dashboard", url),
        ("API", f"{url}/docs"),
        ("data", data),
        *([("OTLP/gRPC", grpc)] if grpc else []),
        ("Python", f"weft run --service NAME{flag} -- uvicorn app:app"),
        ("OTel SDKs", stock),
    )
    return f"Weft {version}\n{_table(rows)}"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name.ljust(width)}  {value}" for name, value in rows)
