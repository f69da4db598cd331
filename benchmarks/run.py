"""Runs every benchmark, one after the other, each in a process of its own, and prints all figures.

    python -m benchmarks.run [--json] [PART ...]

A calibration loop runs before and after each part. Where it drifts by more than 15 % the part is run again,
at most twice; figures that are still in doubt are marked "noisy". The last figures of the large run (`make
bench-large`) are read out of docs/figures.md, where they stand between `<!-- large -->` and
`<!-- /large -->` as a table: What | Value | Unit | Gate | Goal.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.calibration import DRIFT, Calibration
from benchmarks.figures import Figure, command, parser_of, show

__all__ = ["PARTS", "large_figures"]

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs/figures.md"
PARTS: Final = (
    "decode",
    "pairing",
    "log_append",
    "writer",
    "layout",
    "agent_span",
    "start",
    "ingest",
    "stored",
    "graph_windows",
)
"""Modules of this folder, in the order in which they are run."""
REPEATS: Final = 2
REPEATED_SECONDS: Final = 600
"""After this time nothing is repeated any more, so that the whole stays under 20 minutes."""
PART_SECONDS: Final = 600


def large_figures(page: str) -> list[Figure]:
    """The figures of the last large run, as docs/figures.md has them."""
    table = page.partition("<!-- large -->")[2].partition("<!-- /large -->")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    return [_figure([cell.strip() for cell in row]) for row in rows[2:]]


def _figure(row: list[str]) -> Figure:
    name, value, unit, gate, goal = row
    return Figure(f"large: {name}", float(value.replace(",", "")), unit, gate.strip("- "), goal.strip("- "))


def run_part(part: str) -> list[Figure]:
    """The figures of one run of a part; empty if it failed, which is told."""
    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{part}", "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, check=False, timeout=PART_SECONDS,
    )  # fmt: skip
    if ran.returncode not in {0, 1} or not ran.stdout:
        print(f"{part} failed with {ran.returncode}", file=sys.stderr, flush=True)
        return []
    fields = Figure._fields
    return [Figure(**{name: row[name] for name in fields}) for row in json.loads(ran.stdout)]


def trusted_part(part: str, calibration: Calibration, repeats: int) -> list[Figure]:
    """A part's figures from a run in which the machine was as quick as ever, or else marked noisy."""
    figures: list[Figure] = []
    for _ in range(1 + repeats):
        before = calibration.drift()
        figures = run_part(part)
        drift = max(before, calibration.drift())
        if drift <= DRIFT:
            return figures
        print(f"{part}: the machine was {drift:.0%} slower than at its quickest", file=sys.stderr, flush=True)
    return [figure._replace(noisy=True) for figure in figures]


def measure(given: argparse.Namespace) -> Sequence[Figure]:
    calibration, found, begun = Calibration(), list[Figure](), time.monotonic()
    for part in given.parts or PARTS:
        print(f"== {part} ({time.monotonic() - begun:.0f} s)", file=sys.stderr, flush=True)
        repeats = REPEATS if time.monotonic() - begun < REPEATED_SECONDS else 0
        figures = trusted_part(part, calibration, repeats)
        if not given.json:
            show(figures)
        found += figures or [Figure(f"{part}: figures told", 0, "", ">= 1")]
    if not given.json:
        print("\n== all")
    return found + large_figures(PAGE.read_text())


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="parts to run; all by default")
    return command(measure, parser)


if __name__ == "__main__":
    sys.exit(main())
