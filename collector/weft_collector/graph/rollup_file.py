"""Rollup cells as a Parquet file: one row for each counter, edges by number, nodes as texts in the metadata."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from weft_collector.graph import cells as ce
from weft_collector.graph.nodes import Node, NodeType

__all__ = ["NOTHING", "VERSION", "Kept", "joined", "kept_of", "read_cells", "write_cells"]

VERSION: Final = 3  # with classes of outcomes
_EDGES: Final = b"weft.edges"


class Kept(NamedTuple):
    """Cells that do not depend on a process.

    Attributes:
        cells: Their edges are places in `edges`.
        edges: Caller and callee.
    """

    cells: ce.Cells
    edges: list[tuple[Node, Node]]


def kept_of(
    cells: ce.Cells, ends: Callable[[NDArray[np.int64]], tuple[Any, Any]], node: Callable[[int], Node]
) -> Kept:
    """Cells of this process, with their edges numbered anew and named.

    Args:
        cells: Codes with minute, edge and cell.
        ends: Node numbers of the callers and callees of edge numbers.
        node: A node by its number.
    """
    edge = (cells.code >> ce.CELL_BITS) & (ce.MAX_EDGES - 1)
    used, place = np.unique(edge, return_inverse=True)
    code = cells.code + ((place.reshape(-1) - edge) << ce.CELL_BITS)
    callers, callees = ends(used)
    pairs = zip(callers.tolist(), callees.tolist(), strict=True)
    return Kept(ce.total([ce.Cells(code, cells.value)]), [(node(a), node(b)) for a, b in pairs])


def joined(parts: Sequence[Kept]) -> Kept:
    """The sum of cells of several files."""
    places: dict[object, int] = {}
    edges = [place for part in parts for place in part.edges if places.setdefault(place, len(places)) >= 0]
    cells = [ce.renumbered(part.cells, [places[edge] for edge in part.edges]) for part in parts]
    return Kept(ce.total(cells), list(dict.fromkeys(edges)))


def write_cells(kept: Kept) -> bytes:
    """The bytes of the file."""
    code = kept.cells.code
    table = pa.table(
        {
            "Minute": pa.array((code >> ce.MINUTE_SHIFT).astype(np.int32)),
            "Edge": pa.array(((code >> ce.CELL_BITS) & (ce.MAX_EDGES - 1)).astype(np.int32)),
            "Cell": pa.array((code & (ce.CELLS - 1)).astype(np.int16)),
            "Count": pa.array(kept.cells.value),
        }
    )
    edges = json.dumps([[asdict(caller), asdict(callee)] for caller, callee in kept.edges])
    sink = pa.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata({_EDGES: edges}), sink, compression="ZSTD")
    return sink.getvalue().to_pybytes()


def read_cells(data: memoryview) -> Kept:
    """What `write_cells` wrote."""
    table = parquet.read_table(pa.BufferReader(pa.py_buffer(data)))
    minute, edge, cell = (table[name].to_numpy().astype(np.int64) for name in ("Minute", "Edge", "Cell"))
    code = (minute << ce.EDGE_BITS | edge) << ce.CELL_BITS | cell
    pairs = json.loads(table.schema.metadata[_EDGES])
    return Kept(ce.Cells(code, table["Count"].to_numpy()), [(_node(a), _node(b)) for a, b in pairs])


def _node(fields: dict[str, Any]) -> Node:
    return Node(**{**fields, "type": NodeType(fields["type"])})


NOTHING: Final = Kept(ce.total([]), [])
"""What a log file without spans adds."""
