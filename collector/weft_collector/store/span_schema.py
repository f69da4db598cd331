"""The columns of a segment: what is known of each span without reading its bytes.

Names are those of the OpenTelemetry ClickHouse exporter where they mean the same. A column is added at the end
and never renamed; readers ask for columns by name. `docs/segments.md` is the page for users.
"""

from typing import Final

import pyarrow as pa

__all__ = ["KINDS", "POINTER", "SCHEMA", "STATUSES", "VERSION"]

VERSION: Final = 2

#: SpanKind by OTLP number.
KINDS: Final = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
#: StatusCode by OTLP number.
STATUSES: Final = ("Unset", "Ok", "Error")

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_CODE: Final = pa.dictionary(pa.int8(), pa.string())

SCHEMA: Final = pa.schema(
    [
        ("TraceId", pa.binary(16)),
        ("SpanId", pa.binary(8)),
        ("ParentSpanId", pa.binary(8)),  # eight zero bytes for a root
        ("Timestamp", pa.timestamp("ns", "UTC")),  # start
        ("Duration", pa.int64()),  # ns; negative where the end stands before the start
        ("SpanName", _TEXT),
        ("SpanKind", _CODE),  # KINDS
        ("StatusCode", _CODE),  # STATUSES
        ("ServiceName", _TEXT),
        ("ServiceNamespace", _TEXT),
        ("ServiceVersion", _TEXT),
        ("ServiceInstanceId", _TEXT),
        ("DeploymentEnvironment", _TEXT),
        ("HostName", _TEXT),
        ("ProcessPid", pa.int32()),  # 0 where absent, like every number below
        ("PeerService", _TEXT),
        ("ServerAddress", _TEXT),
        ("ServerPort", pa.int32()),
        ("DbSystem", _TEXT),
        ("DbNamespace", _TEXT),
        ("MessagingSystem", _TEXT),
        ("MessagingDestination", _TEXT),
        ("RpcSystem", _TEXT),
        ("ErrorType", _TEXT),
        ("HttpStatusCode", pa.int32()),
        ("CallerEntry", _TEXT),  # `service;instance`, percent-encoded, out of a valid caller entry
        # Where the exact bytes are: the log file has the segment's number.
        ("Block", pa.uint32()),  # offset of the block in the log file
        ("Body", pa.uint32()),  # offset of the body in the inflated block
        ("Offset", pa.uint32()),  # of the Span message in the body
        ("Length", pa.uint32()),
        ("ResourceId", pa.uint32()),  # SpanTable.resource
        ("ScopeId", pa.uint32()),  # SpanTable.scope
        # What the graph asks for beside the above; see wire/columns.py.
        ("PeerNamespace", _TEXT),
        ("PeerAddress", _TEXT),
        ("PeerPort", pa.int32()),
        ("MessagingTemplate", _TEXT),
        ("MessagingCluster", _TEXT),
        ("MessagingOperation", _TEXT),
        ("MessageCount", pa.int32()),  # -1 where it is said to be 0
        ("RpcStatusCode", _TEXT),
    ]
)

#: The columns that lead to a span's bytes.
POINTER: Final = ("Block", "Body", "Offset", "Length", "ResourceId", "ScopeId")
