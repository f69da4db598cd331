"""Where a command's result goes: a file, written whole or not at all, or standard output."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from weft_collector.cli.exits import CannotWrite

__all__ = ["check_terminal", "deliver", "output_option", "suffix_format"]

STANDARD_OUTPUT: Final = frozenset({None, "-"})
output_option = click.option(
    "-o", "--output", metavar="FILE", help="File to write; standard output if left out or -."
)


def suffix_format(output: str | None, formats: Iterable[str]) -> str | None:
    """The format that a file's suffix names, if it names one."""
    suffix = Path(output).suffix.removeprefix(".").lower() if output else ""
    return suffix if suffix in formats else None


def check_terminal(output: str | None, *, binary: bool) -> None:
    """Refuse to fill a terminal with bytes; to be asked before work begins.

    Args:
        output: Path of the file; None or `-` for standard output.
        binary: Whether a terminal could not show the result.

    Raises:
        CannotWrite: Standard output is a terminal.
    """
    if binary and output in STANDARD_OUTPUT and sys.stdout.isatty():
        raise CannotWrite("A terminal cannot show this format: add -o FILE, or pipe the output on.")


def deliver(chunks: Iterable[bytes], output: str | None) -> None:
    """Write a result.

    Args:
        chunks: Its bytes.
        output: Path of the file; None or `-` for standard output.

    Raises:
        CannotWrite: The file cannot be written.
    """
    if output is not None and output not in STANDARD_OUTPUT:
        _to_file(chunks, Path(output))
        return
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _to_file(chunks: Iterable[bytes], file: Path) -> None:
    draft = file.with_name(f".{file.name}.part")
    try:
        with draft.open("wb") as out:
            for chunk in chunks:
                out.write(chunk)
        draft.replace(file)
    except OSError as error:
        raise CannotWrite(f"{file}: {error.strerror}. Choose another place with -o.") from error
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"wrote {file}, {file.stat().st_size:,} bytes", err=True)
