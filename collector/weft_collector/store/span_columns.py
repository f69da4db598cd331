"""From columns of numbers in memory to the columns of a segment.

Texts leave the process's table here: each column gets a dictionary of its own with just the texts that it uses,
so a segment can be read by anyone.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weft_collector.store.span_schema import KINDS, SCHEMA, STATUSES
from weft_collector.store.unsealed import SpanRows

__all__ = ["SPAN_TEXTS", "Texts", "arrow_columns", "fixed_binary", "words_of"]

Numbers = NDArray[Any]

#: Columns of texts, by where their text ids stand: in the span's row.
SPAN_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SpanName": "name",
        "PeerService": "peer_service",
        "ServerAddress": "server_address",
        "DbSystem": "db_system",
        "DbNamespace": "db_namespace",
        "MessagingSystem": "messaging_system",
        "MessagingDestination": "messaging_destination",
        "RpcSystem": "rpc_system",
        "ErrorType": "error_type",
        "CallerEntry": "caller",
        "PeerNamespace": "peer_namespace",
        "PeerAddress": "peer_address",
        "MessagingTemplate": "messaging_template",
        "MessagingCluster": "messaging_cluster",
        "MessagingOperation": "messaging_operation",
        "RpcStatusCode": "rpc_code",
    }
)
# The same of those whose text ids stand in its run.
_RUN_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ServiceName": "service",
        "ServiceNamespace": "namespace",
        "ServiceVersion": "version",
        "ServiceInstanceId": "instance",
        "DeploymentEnvironment": "environment",
        "HostName": "host",
    }
)


class Texts(Protocol):
    """The texts behind text ids."""

    def text(self, id: int, /) -> str:  # noqa: A002 - the contract's word for it
        """The text of an id."""
        ...

    def __len__(self) -> int: ...


def arrow_columns(rows: SpanRows, ids: tuple[Numbers, Numbers], texts: Texts) -> "pa.Table":
    """The columns of SCHEMA, in the order of the rows.

    Args:
        rows: The spans.
        ids: For each run, its ResourceId and its ScopeId.
        texts: The decoder's table.
    """
    c, run = rows.columns, rows.run

    def of_run(numbers: Numbers, kind: Any) -> pa.Array:
        return pa.array(numbers.astype(kind)[run])

    columns: dict[str, pa.Array] = {
        "TraceId": fixed_binary(c["trace_hi"], c["trace_lo"]),
        "SpanId": fixed_binary(c["span_id"]),
        "ParentSpanId": fixed_binary(c["parent_id"]),
        "Timestamp": pa.array(c["start"]).cast(pa.timestamp("ns", "UTC")),
        "Duration": pa.array(c["end"] - c["start"]),
        "SpanKind": pa.DictionaryArray.from_arrays(c["kind"].astype(np.int8), list(KINDS)),
        "StatusCode": pa.DictionaryArray.from_arrays(c["status"].astype(np.int8), list(STATUSES)),
        "ProcessPid": of_run(rows.runs["pid"], np.int32),
        "ServerPort": pa.array(c["server_port"]),
        "HttpStatusCode": pa.array(c["http_status"].astype(np.int32)),
        "Block": of_run(rows.runs["block"], np.uint32),
        "Body": of_run(rows.runs["body"], np.uint32),
        "Offset": pa.array(c["offset"].astype(np.uint32)),
        "Length": pa.array(c["length"].astype(np.uint32)),
        "ResourceId": of_run(ids[0], np.uint32),
        "ScopeId": of_run(ids[1], np.uint32),
        "PeerPort": pa.array(c["peer_port"]),
        "MessageCount": pa.array(c["message_count"]),
    }
    columns |= {name: _text_column(c[word], None, texts) for name, word in SPAN_TEXTS.items()}
    columns |= {name: _text_column(rows.runs[word], run, texts) for name, word in _RUN_TEXTS.items()}
    return pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)


def fixed_binary(*words: NDArray[np.uint64]) -> "pa.Array":
    """Numbers as big-endian bytes, one value for each row."""
    together = np.stack(words, axis=1).astype(">u8")
    return pa.Array.from_buffers(pa.binary(8 * len(words)), len(together), [None, pa.py_buffer(together)])


def words_of(column: "pa.ChunkedArray", word: int = 0) -> NDArray[np.uint64]:
    """One word of each value of a column of ids; `word` counts from the front, -1 is the last."""
    array = column.combine_chunks()
    width = array.type.byte_width // 8
    data = np.frombuffer(array.buffers()[1], ">u8")[
        array.offset * width : (array.offset + len(array)) * width
    ]
    return data.reshape(-1, width)[:, word].astype(np.uint64)


def _text_column(ids: Numbers, rows: Numbers | None, texts: Texts) -> "pa.DictionaryArray":
    """A dictionary of the texts behind the ids; `rows` spreads ids of runs over rows."""
    place = np.zeros(len(texts), np.int32)
    place[ids] = 1
    used = np.flatnonzero(place)
    place[used] = np.arange(len(used), dtype=np.int32)
    codes = place[ids] if rows is None else place[ids][rows]
    text: Callable[[int], str] = texts.text
    return pa.DictionaryArray.from_arrays(codes, pa.array([text(i) for i in used.tolist()], pa.string()))
