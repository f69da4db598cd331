"""A start: taking up again what an earlier process has derived and sealed.

Nothing that is derived lives only in memory for long: what log files added to the rollups stands beside their
segments. So a start reads three things, each in its own way:

1. *The rollups of all sealed files*, those of files that are gone included, are added up (`load_rollups`), and so are
   their edge counts.
2. *The last sealed files of the log*, a quarter of a million spans or more, go into the pairing table without
   booking anything (`Rewarming`): their calls are in the rollups, but their partners may still come. What waited for
   its partner is in the rollups as a call to its peer (`graph/settling.py`), so at the end of this reading the table
   is settled, too: table and rollups say the same.
3. *The files behind them* are applied as if they came now, through `Derived.apply`.

**What it costs.** A span whose partner lies further back than the second step reads is judged as if the partner
had been evicted from the pairing table, until its own file is sealed. Nothing here asks the clock or the
configuration.

Refused: saving the pairing table (it would have to be written at every cut, and 4 million entries are 360 MB), and
reading the ids out of the segments instead of the log (a second way to fill the table, for half a second less).
"""

from itertools import chain
from typing import Final

from weft_collector.graph import rollup_file
from weft_collector.graph.classify import Classifier
from weft_collector.graph.edge_count_file import read_addition
from weft_collector.graph.edge_counts import EdgeCountTable
from weft_collector.graph.nodes import NodeTable
from weft_collector.graph.pairing import Pairing, let_go
from weft_collector.graph.rollup import Rollup
from weft_collector.graph.snapshot import Exactness
from weft_collector.store.catalog import Catalog
from weft_collector.store.head import Head
from weft_collector.store.manifest import Manifest
from weft_collector.wire.columns import Decoded

__all__ = ["Rewarming", "first_to_read", "last_sealed", "latest_unread", "load_counts", "load_rollups"]

_REWARMED_SPANS: Final = 1 << 18
"""Spans of sealed files that a start reads into the pairing table: it takes half a second."""


def load_rollups(catalog: Catalog, rollup: Rollup, nodes: NodeTable) -> None:
    """Add up what all log files that are sealed, or were and are gone, have added to the rollups."""
    for name in catalog.manifest.rollups:
        kept = rollup_file.read_cells(catalog.read(name))
        rollup.load(kept.cells, nodes.pairs(kept.edges), kept.coarse)


def load_counts(catalog: Catalog, counts: EdgeCountTable) -> None:
    """Likewise for edge counts."""
    for name in catalog.manifest.counts:
        counts.load(read_addition(catalog.read(name)))


def first_to_read(manifest: Manifest) -> int:
    """The log file from which on the pairing table is filled again."""
    first, spans = manifest.through + 1, 0
    for part in reversed(manifest.sealed):
        if part.gone or spans >= _REWARMED_SPANS:
            break
        first, spans = part.number, spans + part.rows
    return first


def latest_unread(manifest: Manifest, first: int) -> int:
    """The latest start of a span in the sealed files before `first`, which the pairing table does not get to know."""
    return max((part.latest_ns for part in manifest.sealed if part.number < first and part.rows), default=-1)


def last_sealed(manifest: Manifest) -> Exactness:
    """How far the graph of sealed files reaches."""
    last = max(manifest.sealed, key=lambda part: part.number, default=None)
    return Exactness(last.number, last.arrived_ns) if last else Exactness()


class Rewarming:
    """Fills head and pairing table with spans whose calls are booked already; the caller holds the lock.

    Args:
        classifier: Says which nodes they belong to.
        head: Takes their columns.
        pairing: Takes them; what it would book is let go.
    """

    def __init__(self, classifier: Classifier, head: Head, pairing: Pairing) -> None:
        self._classifier, self._head, self._pairing = classifier, head, pairing

    def take(self, decoded: Decoded, arrived_ns: int) -> None:
        """Take in a body's spans."""
        seen = self._classifier.classify(decoded)
        first = self._head.append(decoded.spans)
        let_go(self._pairing.take(seen.batch, first, arrived_ns))

    def end(self) -> None:
        """The sealed files have been read."""
        let_go(chain(self._pairing.settle(), self._pairing.flush()))
