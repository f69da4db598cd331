"""Rollup cells as a Parquet file: one row for each counter, edges by number, nodes as texts in the metadata.

A start reads hundreds of these files, so nodes are named once each: as two nodes for each edge, the names of a
thousand edges took ten times the room of their counters, and most of the time of reading them. Sums of files that
are gone hold hours and days beside minutes, and say in a column which row is what.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from weft_collector.graph import cells as ce
from weft_collector.graph.levels import DAY, HOUR
from weft_collector.graph.nodes import Node, NodeType

__all__ = ["NOTHING", "VERSION", "Coarse", "Kept", "joined", "kept_of", "read_cells", "write_cells"]

VERSION: Final = 3  # with classes of outcomes
_NAMES: Final = b"weft.names"
_EDGES: Final = b"weft.edges"
_TYPES: Final = {kind.value: kind for kind in NodeType}


class Coarse(NamedTuple):
    """Cells of hours or of days.

    Attributes:
        minutes: The width: HOUR or DAY.
        cells: Their codes name the first minute of each hour or day.
    """

    minutes: int
    cells: ce.Cells


class Kept(NamedTuple):
    """Cells that do not depend on a process.

    Attributes:
        cells: Those of minutes; their edges are places in `edges`.
        edges: Caller and callee.
        coarse: Calls that are in no minute of `cells`: where there are hours there are no minutes before their
            end, and no hours before the end of the days.
    """

    cells: ce.Cells
    edges: list[tuple[Node, Node]]
    coarse: tuple[Coarse, ...] = ()


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
    parts = (Coarse(1, kept.cells), *kept.coarse)
    code, count = (np.concatenate([part.cells[column] for part in parts]) for column in range(2))
    columns = {
        "Minute": pa.array((code >> ce.MINUTE_SHIFT).astype(np.int32)),
        "Edge": pa.array(((code >> ce.CELL_BITS) & (ce.MAX_EDGES - 1)).astype(np.int32)),
        "Cell": pa.array((code & (ce.CELLS - 1)).astype(np.int16)),
        "Count": pa.array(count),
    }
    if kept.coarse:
        columns["Width"] = pa.array(np.repeat([p.minutes for p in parts], [len(p.cells.code) for p in parts]))
    table = pa.table(columns).replace_schema_metadata({_NAMES: _packed(kept.edges)})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="ZSTD")
    return sink.getvalue().to_pybytes()


def read_cells(data: memoryview) -> Kept:
    """What `write_cells` wrote."""
    file = parquet.ParquetFile(pa.BufferReader(pa.py_buffer(data)))
    table = file.read()
    minute, edge, cell = (table[name].to_numpy().astype(np.int64) for name in ("Minute", "Edge", "Cell"))
    code, count = (minute << ce.EDGE_BITS | edge) << ce.CELL_BITS | cell, table["Count"].to_numpy()
    if "Width" not in table.column_names:
        return Kept(ce.Cells(code, count), _edges(table.schema.metadata))
    width = table["Width"].to_numpy()
    minutes, *coarse = (
        Coarse(minutes, ce.Cells(code[width == minutes], count[width == minutes]))
        for minutes in (1, HOUR, DAY)
    )
    return Kept(minutes.cells, _edges(table.schema.metadata), tuple(coarse))


def _packed(edges: Sequence[tuple[Node, Node]]) -> str:
    """Edges as a text for the metadata: each node once, and the places of callers and callees among them."""
    places: dict[Node, int] = {}
    ends = [places.setdefault(node, len(places)) for edge in edges for node in edge]
    nodes = [list(asdict(node).values()) for node in places]
    return b64encode(zlib.compress(json.dumps({"nodes": nodes, "ends": ends}).encode(), 1)).decode()


def _edges(metadata: Mapping[bytes, bytes]) -> list[tuple[Node, Node]]:
    if _NAMES not in metadata:  # as files were written at first
        return [(Node(**_typed(a)), Node(**_typed(b))) for a, b in json.loads(metadata[_EDGES])]
    names = json.loads(zlib.decompress(b64decode(metadata[_NAMES])))
    nodes: list[Node] = [Node(_TYPES[kind], *texts) for kind, *texts in names["nodes"]]
    places: list[int] = names["ends"]
    ends = [nodes[place] for place in places]
    return list(zip(ends[::2], ends[1::2], strict=True))


def _typed(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "type": NodeType(fields["type"])}


NOTHING: Final = Kept(ce.total([]), [])
"""What a log file without spans adds."""
