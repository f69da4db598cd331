"""What a benchmark says: figures with their gates and goals, as a table for people and as JSON for programs.

A gate is what a release must hold, a goal is where we are going; both stand in the design and, with the last
measurements, in docs/figures.md. A figure is better when it is higher or when it is lower, which the gate's
sign says: "<= 5" or ">= 350".
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

__all__ = ["Figure", "command", "parser_of", "show"]

_BOUND: Final = re.compile(r"(<=|>=) *([\d.]+)")
_WORDS: Final = {True: "yes", False: "NO", None: ""}


class Figure(NamedTuple):
    """One measured number.

    Attributes:
        name: What was measured, the same in every run.
        value: The number.
        unit: Its unit.
        gate: The bound that a release must hold, as "<= 5" or ">= 350"; empty where there is none.
        goal: The bound that we are going for.
        noisy: Whether the machine was too busy for it to be believed.
    """

    name: str
    value: float
    unit: str
    gate: str = ""
    goal: str = ""
    noisy: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the gate is held; None where there is none."""
        if not self.gate:
            return None
        sign, bound = _BOUND.fullmatch(self.gate).groups()
        return self.value <= float(bound) if sign == "<=" else self.value >= float(bound)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**self._asdict(), "met": self.met}


def _text(value: float) -> str:
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def show(figures: Iterable[Figure]) -> None:
    """Print figures as a table."""
    for figure in figures:
        noisy = "  noisy" if figure.noisy else ""
        print(
            f"{figure.name:<58}{_text(figure.value):>10} {figure.unit:<18}{figure.gate:>10}{figure.goal:>10}"
            f"  {_WORDS[figure.met]:<3}{noisy}",
            flush=True,
        )


def command(
    measure: Callable[[argparse.Namespace], Sequence[Figure]],
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None = None,
) -> int:
    """A benchmark's command line: `--json` prints a list, else a table; 1 if a gate is missed."""
    parser.add_argument("--json", action="store_true", help="print a JSON list of the figures")
    given = parser.parse_args(arguments)
    figures = measure(given)
    if given.json:
        print(json.dumps([figure.as_dict() for figure in figures], indent=1))
    else:
        show(figures)
    return 1 if any(figure.met is False for figure in figures) else 0


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser that shows a script's docstring as it stands."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
