"""Span tables in memory, made by plain Python from the reference parser: what every real table must equal.

    store = MemoryStore()
    store.add([body, body])     # one more table
    store.tables(), store.log

It shares nothing with the kernels: bodies are parsed by `protobuf`, attributes are looked at one by one.
"""

import hashlib
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Position, Record
from weft_collector.store.span_schema import KINDS, SCHEMA, STATUSES
from weft_collector.store.span_tables import Segments, SpanTables
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles
from weft_collector.wire.known_keys import LARGEST, RESOURCE_KEYS, SPAN_KEYS

COLUMN = {
    "service": "ServiceName", "namespace": "ServiceNamespace", "version": "ServiceVersion",
    "instance": "ServiceInstanceId", "environment": "DeploymentEnvironment", "host": "HostName",
    "pid": "ProcessPid", "peer_namespace": "PeerNamespace", "messaging_cluster": "MessagingCluster",
    "messaging_operation": "MessagingOperation", "peer_service": "PeerService", "server_address": "ServerAddress",
    "server_port": "ServerPort", "db_system": "DbSystem", "db_namespace": "DbNamespace",
    "messaging_system": "MessagingSystem", "messaging_destination": "MessagingDestination",
    "rpc_system": "RpcSystem", "error_type": "ErrorType", "http_status": "HttpStatusCode",
}  # fmt: skip
SIDES = {3: "caller", 4: "caller", 2: "callee", 5: "callee"}
TEN_DIGITS = 10


class Parsed(NamedTuple):
    """One span of a body with all that belongs to it."""

    span: Message
    resource: bytes
    resource_schema: str
    scope: bytes
    scope_schema: str
    raw: bytes
    offset: int

    @property
    def columns(self):
        attributes = promoted(self.span.attributes, SPAN_KEYS)
        resource = ExportTraceServiceRequest().resource_spans.add().resource
        resource.ParseFromString(self.resource)
        return promoted(resource.attributes, RESOURCE_KEYS) | attributes

    @property
    def identity(self):
        columns = self.columns
        side = SIDES.get(self.span.kind, "local")
        host, pid = columns["HostName"], columns["ProcessPid"]
        instance = columns["ServiceInstanceId"] or (f"{host}:{pid}" if host or pid else "")
        home = columns["DeploymentEnvironment"], columns["ServiceNamespace"]
        service = *home, columns["ServiceName"] or "unknown_service"
        return self.span.trace_id[-8:], self.span.span_id, side, service, instance


def promoted(attributes, keys):
    """The columns of some attributes: the best key with a usable value, its last one."""
    held = {}
    for pair in reversed(attributes):
        held.setdefault(pair.key, []).append(pair.value)
    found = {}
    for word, names in keys.items():
        empty = 0 if word in LARGEST else ""
        usable = (usable_value(value, word, name) for name in names for value in held.get(name, ()))
        found[COLUMN[word]] = next((value for value in usable if value), empty)
    return found


def usable_value(value, word, name):
    if name == "db.redis.database_index" and value.HasField("int_value"):
        return str(value.int_value) if 0 <= value.int_value <= 1 << 20 else ""
    if word not in LARGEST:
        return value.string_value
    text = value.string_value
    digits = text.isascii() and text.isdigit() and len(text) <= TEN_DIGITS
    number = int(text) if digits else value.int_value
    return number if 0 < number <= LARGEST[word] else 0


def parse(body):
    """The spans of a body in order; their places are searched for, one behind the other."""
    request = ExportTraceServiceRequest.FromString(body)
    behind = 0
    for group in request.resource_spans:
        resource = group.resource.SerializeToString()
        for scoped in group.scope_spans:
            scope = scoped.scope.SerializeToString()
            for span in scoped.spans:
                raw = span.SerializeToString()
                field = b"\x12" + varint(len(raw)) + raw  # the bytes alone may begin a longer span, too
                behind = body.index(field, behind) + len(field)
                offset = behind - len(raw)
                yield Parsed(span, resource, group.schema_url, scope, scoped.schema_url, raw, offset)


def varint(number):
    """A small number as protobuf writes it."""
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def tokens_of(key, value):
    """Tokens as texts and as doubles, by a hash of the standard library."""
    texts = [f"t{key}\0{value}"]
    with suppress(ValueError):
        texts.append(f"d{key}\0{float(value) + 0.0!r}")
    return np.array([token(text) for text in texts], np.uint64)


def token(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def tokens_in(attributes):
    for pair in attributes:
        values = pair.value.array_value.values if pair.value.HasField("array_value") else [pair.value]
        for value in values:
            kind = value.WhichOneof("value")
            if kind == "double_value":
                yield token(f"d{pair.key}\0{value.double_value + 0.0!r}")
            elif kind in {"string_value", "int_value", "bool_value"}:
                plain = getattr(value, kind)
                text = str(plain).lower() if kind == "bool_value" else str(plain)
                yield token(f"t{pair.key}\0{text}")


def figures(spans):
    """Errors, longest, earliest and latest of (start, duration, failed)."""
    starts, durations, failed = zip(*spans, strict=True)
    return sum(failed), max(durations), min(starts), max(starts)


class MemoryTable:
    """See SpanTable."""

    def __init__(self, number, placed):
        order = sorted(range(len(placed)), key=lambda i: (placed[i][0].span.trace_id[-8:], i))
        self._resources = list(dict.fromkeys((p.resource, p.resource_schema) for p, _ in placed))
        self._scopes = list(dict.fromkeys((p.scope, p.scope_schema) for p, _ in placed))
        rows = [self._row(*placed[i]) for i in order]
        self._table = pa.Table.from_pylist(rows, SCHEMA)
        self._lows = [int.from_bytes(row["TraceId"][8:], "big") for row in rows]
        self._tokens, self._keys, self._own_keys = {}, set(), set()
        for parsed, position in placed:
            resource = self._parsed_resource(parsed.resource)
            found = self._tokens.setdefault(position.block, set())
            found |= {*tokens_in(parsed.span.attributes), *tokens_in(resource.attributes)}
            self._own_keys |= {pair.key for pair in parsed.span.attributes}
            attributes = (*parsed.span.attributes, *resource.attributes)
            self._keys.add(frozenset(pair.key for pair in attributes))
        self.number = number
        self.rows = len(rows)
        starts = self._starts(self._table)
        self.earliest_ns, self.latest_ns = min(starts, default=0), max(starts, default=0)

    @staticmethod
    def _parsed_resource(raw):
        resource = ExportTraceServiceRequest().resource_spans.add().resource
        resource.ParseFromString(raw)
        return resource

    @staticmethod
    def _starts(table):
        return table.column("Timestamp").cast(pa.int64()).to_pylist()

    def _row(self, parsed, position):
        span = parsed.span
        return parsed.columns | {
            "TraceId": span.trace_id,
            "SpanId": span.span_id,
            "ParentSpanId": span.parent_span_id or bytes(8),
            "Timestamp": span.start_time_unix_nano,
            "Duration": span.end_time_unix_nano - span.start_time_unix_nano,
            "SpanName": span.name,
            "SpanKind": KINDS[span.kind],
            "StatusCode": STATUSES[span.status.code],
            "CallerEntry": "",
            "PeerAddress": "",
            "PeerPort": 0,
            "MessagingTemplate": "",
            "MessageCount": 0,
            "RpcStatusCode": "",
            "Block": position.block,
            "Body": position.offset,
            "Offset": parsed.offset,
            "Length": len(parsed.raw),
            "ResourceId": self._resources.index((parsed.resource, parsed.resource_schema)),
            "ScopeId": self._scopes.index((parsed.scope, parsed.scope_schema)),
        }

    def trace_rows(self, trace_lo):
        rows = [i for i, low in enumerate(self._lows) if low == trace_lo]
        return range(rows[0], rows[-1] + 1) if rows else range(0)

    def summary(self):
        groups = {}
        for row, start in zip(
            self._table.drop(["Timestamp"]).to_pylist(), self._starts(self._table), strict=True
        ):
            key = (row["ServiceName"], row["SpanName"], row["SpanKind"])
            groups.setdefault(key, []).append((start, row["Duration"], row["StatusCode"] == "Error"))
        text, number = pa.string(), pa.int64()
        names = {"ServiceName": text, "SpanName": text, "SpanKind": text, "Spans": number, "Errors": number}
        names |= {"LongestNs": number, "EarliestNs": number, "LatestNs": number}
        rows = [(*key, len(spans), *figures(spans)) for key, spans in groups.items()]
        return pa.Table.from_pylist(
            [dict(zip(names, r, strict=True)) for r in rows], pa.schema(names.items())
        )

    def blocks_with(self, tokens):
        fitting = (
            block
            for block, held in self._tokens.items()
            if all(held.intersection(wanted.tolist()) for wanted in tokens)
        )
        return np.array(sorted(fitting), np.uint32)

    def may_meet(self, keys):
        return any(all(set(group) & held for group in keys) for held in self._keys)

    def spans_have(self, key):
        return key in self._own_keys

    def read(self, columns, rows=None):
        table = self._table.select(list(columns))
        return table if rows is None else table.slice(rows.start, len(rows))

    def take(self, columns, rows):
        return self._table.select(list(columns)).take(rows)

    def resource(self, resource_id):
        return self._resources[resource_id]

    def scope(self, scope_id):
        return self._scopes[scope_id]


class MemoryStore:
    """A real log on a disk in memory, and its spans as tables."""

    def __init__(self, block_bytes=4096):
        options = LogOptions(file_bytes=1 << 20, block_bytes=block_bytes, floor_bytes=0)
        self.files = ForgetfulFiles()
        self.log = Log(self.files, Telemetry(), options)
        self._options = options
        self._tables = []
        self._seen = set()

    def add(self, bodies, pieces=1):
        """Take bodies in, as one more log file; the (last) table of their spans."""
        self.log._give_up_file()  # the next group begins a file
        positions = self.log.append([Record(1, 0, 1, body) for body in bodies])
        self.log.sync()
        placed = []
        for body, position in zip(bodies, positions, strict=True):
            for parsed in parse(body):
                if parsed.identity not in self._seen:
                    self._seen.add(parsed.identity)
                    placed.append((parsed, position))
        number = positions[0].file if positions else len(self._tables) + 1
        assert {position.file for position in positions} <= {number}
        for piece in range(pieces):
            part = slice(len(placed) * piece // pieces, len(placed) * (piece + 1) // pieces)
            self._tables.append(MemoryTable(number, placed[part]))
        return self._tables[-1]

    def tables(self):
        return SpanTables(Segments(), list(self._tables))

    def close(self):
        self.log.close()


__all__ = [
    "MemoryStore",
    "MemoryTable",
    "Parsed",
    "Position",
    "parse",
    "promoted",
    "tokens_of",
]
