"""What edge counts a log file added, as a Parquet file: one row for each cell, and one for the key of each point.

A cell has Minute, Row, Cell and Count; a point has Minute and Key, and its Row is -1. What the numbers of rows
mean, and which minutes are incomplete, stands in the metadata.
"""

import json
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from weft_collector.graph.edge_rows import Addition, Counts, End, Row
from weft_collector.graph.nodes import Node, NodeType
from weft_collector.wire.edge_counts import Calls

__all__ = ["VERSION", "read_addition", "write_addition"]

VERSION: Final = 1
_ROWS: Final = b"weft.rows"
_INCOMPLETE: Final = b"weft.incomplete"


def write_addition(addition: Addition) -> bytes:
    """The bytes of the file; none at all if nothing was added."""
    counts, points = addition.counts, len(addition.key)
    if not (len(counts.value) or counts.incomplete):
        return b""
    no_cell, no_key = np.zeros(points, np.int64), np.zeros(len(counts.value), np.uint64)
    table = pa.table(
        {
            "Minute": pa.array(np.concatenate([counts.minute, addition.key_minute]).astype(np.int32)),
            "Row": pa.array(np.concatenate([counts.row, no_cell - 1]).astype(np.int32)),
            "Cell": pa.array(np.concatenate([counts.cell, no_cell]).astype(np.int16)),
            "Count": pa.array(np.concatenate([counts.value, no_cell])),
            "Key": pa.array(np.concatenate([no_key, addition.key])),
        }
    )
    metadata = {
        _ROWS: json.dumps([_written(row) for row in counts.rows]),
        _INCOMPLETE: json.dumps(sorted(counts.incomplete)),
    }
    sink = pa.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata(metadata), sink, compression="ZSTD")
    return sink.getvalue().to_pybytes()


def read_addition(data: memoryview) -> Addition:
    """What `write_addition` wrote."""
    table = parquet.read_table(pa.BufferReader(pa.py_buffer(data)))
    minute, row, cell, value = (
        table[name].to_numpy().astype(np.int64) for name in ("Minute", "Row", "Cell", "Count")
    )
    is_cell, key = row >= 0, table["Key"].to_numpy().astype(np.uint64)
    metadata = table.schema.metadata
    rows = tuple(map(_read, json.loads(metadata[_ROWS])))
    incomplete = frozenset(json.loads(metadata[_INCOMPLETE]))
    counts = Counts(rows, minute[is_cell], row[is_cell], cell[is_cell], value[is_cell], incomplete)
    return Addition(counts, minute[~is_cell], key[~is_cell])


def _written(row: Row) -> list[Any]:
    ends = [[asdict(end.node), end.instance] for end in (row.caller, row.callee)]
    return [row.side, *ends, list(row.calls)]


def _read(written: list[Any]) -> Row:
    side, caller, callee, calls = written
    return Row(side, _end(*caller), _end(*callee), Calls(*calls))


def _end(node: dict[str, Any], instance: str) -> End:
    return End(Node(**{**node, "type": NodeType(node["type"])}), instance)
