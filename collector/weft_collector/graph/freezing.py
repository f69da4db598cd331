"""What log files that are gone have added to the graph, in one file that does not grow for good.

The files are added up in rollups of their own, which let minutes and hours go as those of the collector do. What they
then hold is written: minutes, and before them hours, and before them days, each call once. Nobody can derive it
again, so it is read and written as it is.
"""

from collections.abc import Iterable

from weft_collector.graph.nodes import NodeTable
from weft_collector.graph.rollup import Bounds, Rollup
from weft_collector.graph.rollup_file import Coarse, Kept

__all__ = ["frozen"]


def frozen(parts: Iterable[Kept], bounds: Bounds) -> Kept:
    """The sum of files, within bounds."""
    nodes, rollup = NodeTable(), Rollup(bounds)
    for part in parts:
        rollup.load(part.cells, nodes.pairs(part.edges), part.coarse)
    (_, cells), *coarse = rollup.held()
    callers, callees = rollup.all_ends
    edges = [(nodes.node(a), nodes.node(b)) for a, b in zip(callers.tolist(), callees.tolist(), strict=True)]
    return Kept(cells, edges, tuple(Coarse(*part) for part in coarse))
