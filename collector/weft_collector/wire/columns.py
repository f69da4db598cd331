"""What a decoded body is: columns.

The row of a span, resource or scope means nothing beyond its batch. Texts are ids into the decoder's
`Strings`: 0 is the empty (absent) text, 1 stands for every text that came after the table was full.
All arrays are owned by the caller: no later `decode` touches them. Columns of one kind share a block of
memory, so keeping one column keeps its whole batch alive; copy a column that is to live long.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]
Nanoseconds = NDArray[np.int64]
Numbers = NDArray[np.int32]
Codes = NDArray[np.uint8]


class Resources(NamedTuple):
    """One row per ResourceSpans that holds a kept span; arrays of length r.

    Attributes:
        service: text id of `service.name`, like the others up to `host`.
        instance: `service.instance.id`, else `k8s.pod.uid`.
        namespace: `service.namespace`.
        environment: `deployment.environment.name`, else `deployment.environment`.
        version: `service.version`.
        host: `host.name`.
        pid: `process.pid` as a number, 0 when absent.
        offset: where the Resource message begins in the body. Where a body gives the Resource in several
            pieces, the texts are those of the merged message and the bytes are those of the last piece.
        length: its length in bytes, 0 when the body has none.
        schema: text id of the schema URL of the ResourceSpans.
    """

    service: Numbers
    instance: Numbers
    namespace: Numbers
    environment: Numbers
    version: Numbers
    host: Numbers
    pid: Numbers
    offset: Numbers
    length: Numbers
    schema: Numbers


class Scopes(NamedTuple):
    """One row per ScopeSpans that holds a kept span: its InstrumentationScope (the last piece, if several).

    Attributes:
        offset: where the message begins in the body.
        length: its length in bytes, 0 when the body has none.
        schema: text id of the schema URL of the ScopeSpans.
    """

    offset: Numbers
    length: Numbers
    schema: Numbers


class Spans(NamedTuple):
    """One row per kept span, in the order of the body; arrays of length n.

    Attributes:
        trace_hi: first 8 bytes of the trace id as a big-endian number.
        trace_lo: last 8 bytes of the trace id as a big-endian number.
        span_id: the span id as a big-endian number, never 0.
        parent_id: the parent's span id, 0 for a root.
        start: nanoseconds since the epoch.
        end: nanoseconds since the epoch; 2**63 - 1 stands for anything later.
        kind: OTLP SpanKind, 0 (unspecified) for numbers that OTLP does not define.
        status: OTLP StatusCode, 0 (unset) for numbers that OTLP does not define.
        resource: row in `Resources`.
        scope: row in `Scopes`.
        name: text id of the span's name; the columns up to `peer_address` are text ids too.
        peer_service: `service.peer.name`, else `peer.service`.
        server_address: `server.address`, else `net.peer.name`.
        db_system: `db.system.name`, else `db.system`.
        db_namespace: `db.namespace`, else `db.name`, else `db.redis.database_index` in digits.
        messaging_system: `messaging.system`.
        messaging_destination: `messaging.destination.name`, else `messaging.destination`.
        rpc_system: `rpc.system.name`, else `rpc.system`.
        error_type: `error.type`.
        peer_namespace: `service.peer.namespace`.
        messaging_cluster: `messaging.kafka.cluster.id`.
        messaging_template: `messaging.destination.template`, else `(temporary)` if the destination is said to be
            temporary or anonymous.
        messaging_operation: `messaging.operation.type`, else `messaging.operation`.
        rpc_code: the name of the code in `rpc.grpc.status_code` unless that is OK, else `rpc.response.status_code`, else
            `rpc.status_code`, else `rpc.connect_rpc.error_code`.
        peer_address: of a CLIENT or PRODUCER span without `server_address`: the host in `http.host`, `url.full` or
            `http.url`, else the address that was reached.
        server_port: `server.port`, else `net.peer.port`, 1 to 65535; 0 when absent.
        http_status: `http.response.status_code`, else `http.status_code`, 1 to 999; 0 when absent.
        peer_port: that of `peer_address`; 0 when absent.
        message_count: `messaging.batch.message_count`, cut at 2**20; 0 when absent, -1 if it says that there are none.
        caller: text id of `service;instance` (still percent-encoded) out of a valid caller entry, else 0.
        caller_stale: 1 if a caller entry was there that does not name this span's parent.
        offset: where the Span message begins in the body.
        length: its length in bytes.
    """

    trace_hi: Ids
    trace_lo: Ids
    span_id: Ids
    parent_id: Ids
    start: Nanoseconds
    end: Nanoseconds
    kind: Codes
    status: Codes
    resource: Numbers
    scope: Numbers
    name: Numbers
    peer_service: Numbers
    server_address: Numbers
    db_system: Numbers
    db_namespace: Numbers
    messaging_system: Numbers
    messaging_destination: Numbers
    rpc_system: Numbers
    error_type: Numbers
    peer_namespace: Numbers
    messaging_cluster: Numbers
    messaging_template: Numbers
    messaging_operation: Numbers
    rpc_code: Numbers
    peer_address: Numbers
    server_port: Numbers
    http_status: Numbers
    peer_port: Numbers
    message_count: Numbers
    caller: Numbers
    caller_stale: Codes
    offset: Numbers
    length: Numbers


class Decoded(NamedTuple):
    """One body.

    Attributes:
        spans: the kept spans.
        resources: the resources of the kept spans.
        scopes: the instrumentation scopes of the kept spans.
        rejected: reason and number of the spans that were refused one by one.
    """

    spans: Spans
    resources: Resources
    scopes: Scopes
    rejected: tuple[tuple[str, int], ...]
