"""Plain counters of calls, kept by the demo's handlers: the truth that the graph is held against.

Nothing of Weft is in here. A handler learns its caller from a plain header that the calling handler set, adds
one, and its process writes the sums to a file when it stops, so reading them is no call that a trace could
see. Every process writes a file of its own: a service that was restarted is the sum of its files.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

CALLER_HEADER = "x-demo-caller"


class Edge(NamedTuple):
    """Two ends of a call, by plain name."""

    caller: str
    callee: str


class Count(NamedTuple):
    """How often, and how often it failed."""

    calls: int
    errors: int


class Counters:
    """What one service counted. Used from one thread."""

    def __init__(self) -> None:
        self._calls: Counter[Edge] = Counter()
        self._errors: Counter[Edge] = Counter()

    def call(self, edge: Edge, *, failed: bool = False) -> None:
        """Count one call."""
        self._calls[edge] += 1
        self._errors[edge] += failed

    def totals(self) -> dict[Edge, Count]:
        """The sums so far."""
        return {edge: Count(calls, self._errors[edge]) for edge, calls in self._calls.items()}

    def write(self, folder: Path, service: str) -> None:
        """Write the sums to a file of this process in `folder`; whole or not at all."""
        rows = [[*edge, *count] for edge, count in self.totals().items()]
        partial = folder / f"{service}-{os.getpid()}.partial"
        partial.write_text(json.dumps(rows))
        partial.rename(partial.with_suffix(".json"))


def read(folder: Path) -> dict[Edge, Count]:
    """The sums of all files in `folder`."""
    totals: dict[Edge, Count] = {}
    for path in sorted(folder.glob("*.json")):
        for caller, callee, calls, errors in json.loads(path.read_text()):
            add(totals, Edge(caller, callee), Count(calls, errors))
    return totals


def add(totals: dict[Edge, Count], edge: Edge, count: Count) -> None:
    """Add `count` to the edge's sums in `totals`."""
    old = totals.get(edge, Count(0, 0))
    totals[edge] = Count(old.calls + count.calls, old.errors + count.errors)


def minus(totals: Mapping[Edge, Count], before: Mapping[Edge, Count]) -> dict[Edge, Count]:
    """What was added to `before` to make `totals`; edges without any change are left out."""
    left = {
        edge: Count(count.calls - before[edge].calls, count.errors - before[edge].errors)
        if edge in before
        else count
        for edge, count in totals.items()
    }
    return {edge: count for edge, count in left.items() if count != Count(0, 0)}
