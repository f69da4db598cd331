"""Getting the kernels ready: loaded from the cache, or compiled at the very first start.

Compiling takes 11 s of one core, nine tenths of a first start. So the work is cut into steps, and where there is a
second core another process (`warming_apart`) takes one of them, the graph's: it compiles into the cache, from where
this process loads it. The others take about as long as the graph's and the start of that process together.

Invariants:
* After `warm`, every kernel is compiled (`tests/collector/test_warming.py` looks at all of them), so nobody who
  asks or sends waits for a compiler.
* What the other process does is only ever a gain: this process compiles whatever it does not find in the cache.
  Numba writes each file of the cache under another name and renames it (`_open_for_write` in its `caching.py`), so
  any number of processes may share one: a file is whole or is not there. Its index and its data are two files;
  an index that names data that are not there yet is a miss.
* Warming leaves no trace: the kernels work on tables of their own.

Refused: threads, since Numba compiles under one lock for the whole process; compiling the kernels of questions after
the start, since they take a twentieth of the time, and the first question would wait for them.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from weft_collector import warming_apart
from weft_collector.graph import stats
from weft_collector.graph.classify import Classifier
from weft_collector.graph.nodes import NodeTable
from weft_collector.graph.pairing import Pairing
from weft_collector.graph.pairing_table import ARRIVAL, ROW
from weft_collector.graph.rollup import Rollup
from weft_collector.graph.snapshot import Window
from weft_collector.query import attributes
from weft_collector.store.segment_build import warm_segments
from weft_collector.store.span_tables import Segments
from weft_collector.store.tokens import tokens_of
from weft_collector.wire import metrics
from weft_collector.wire.limits import Limits
from weft_collector.wire.otlp_protobuf import Decoder, nothing
from weft_collector.wire.strings import Strings

__all__ = ["STEPS", "Report", "Step", "warm", "warm_together"]

Report = Callable[[str], None]
"""Is told what is being done, in a few words; raises what ends the warming."""


class Step(NamedTuple):
    """Some kernels.

    Attributes:
        name: What they are for, in a word.
        prepare: Calls each of them.
    """

    name: str
    prepare: Callable[[], object]


def _decoder() -> None:
    Decoder().warm()
    metrics.sort_out(b"")


def _search() -> None:
    attributes.warm()
    tokens_of("key", "value")
    Segments().with_trace(0)


def _graph() -> None:
    classifier = Classifier(Strings(Limits()), NodeTable())
    pairing, rollup = Pairing(classifier.owners, 1), Rollup(edges=16)
    batch = classifier.classify(nothing()).batch
    for rows in chain(pairing.take(batch, 0, 0), pairing.take(np.zeros(1, ARRIVAL), 0, 0)):
        rollup.add(rows)
    for rows in chain(pairing.foretell(), pairing.settle(), pairing.flush()):
        rollup.add(rows)
    row = np.zeros(1, ROW)
    row["sign"] = 1
    for _ in range(2):  # the second is merged with the first
        rollup.add(row)
    window = Window(0, 1)
    stats.graph_table(stats.Source(window, 0, rollup.window(window), rollup.ends, NodeTable().node))


#: Every kernel of the collector; the last step is the one that another process takes.
STEPS: Final = (
    Step("decoder", _decoder),
    Step("segments", warm_segments),
    Step("search", _search),
    Step("graph", _graph),
)


def warm(report: Report, steps: Sequence[Step] = STEPS) -> None:
    """Prepare kernels, one step after the other.

    Args:
        report: Is given a line of progress before each step.
        steps: What to prepare.
    """
    for done, step in enumerate(steps):
        report(_progress(step, done, len(steps)))
        step.prepare()


def warm_together(
    report: Report,
    steps: Sequence[Step] = STEPS,
    start: Callable[[str], AbstractContextManager[warming_apart.Other | None]] = warming_apart.started,
) -> None:
    """Prepare kernels; where they have to be compiled, another process compiles those of the last step meanwhile.

    Args:
        report: Is given a line of progress before each step, and several times a second while it waits.
        steps: What to prepare.
        start: Starts the other process on a step, given by its name; there is none where it cannot help.
    """
    last, count = steps[-1], len(steps)
    with start(last.name) as other:
        for done, step in enumerate(steps):
            line = _progress(step, done, count)
            if step is last and other is not None:
                other.wait(partial(report, line))
            report(line)
            step.prepare()


def _progress(step: Step, done: int, count: int) -> str:
    return f"preparing kernels: {step.name}, {done} of {count} done"
