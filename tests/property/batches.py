"""Plain spans into the columns that the decoder would give, and the whole graph machinery around them."""

from collections import Counter
from itertools import chain

import numpy as np

from weft_collector.graph.classify import Classifier
from weft_collector.graph.nodes import NodeTable
from weft_collector.graph.pairing import Pairing
from weft_collector.graph.pairing_table import WAITING_SIGHT
from weft_collector.graph.rollup import Rollup
from weft_collector.wire.columns import Decoded, Resources, Scopes, Spans

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
HALF = (1 << 64) - 1
SECOND = 1_000_000_000


class Texts:
    """The decoder's string table in plain Python."""

    def __init__(self):
        self._ids = {"": 0, "other": 1}

    def __call__(self, text):
        return self._ids.setdefault(text, len(self._ids))

    def text(self, id):
        return next(text for text, number in self._ids.items() if number == id)

    def __len__(self):
        return len(self._ids)


def decoded(spans, texts):
    """One body with these spans, each with a resource of its own."""

    def column(dtype, values):
        return np.fromiter(values, dtype, len(spans))

    def words(attribute):
        return column(np.int32, (texts(getattr(s, attribute)) for s in spans))

    def numbers(attribute):
        return column(np.int32, (getattr(s, attribute) for s in spans))

    nothing = np.zeros(len(spans), np.int32)
    resources = Resources(
        service=words("service"),
        instance=words("instance"),
        namespace=words("namespace"),
        environment=words("environment"),
        version=nothing,
        host=words("host"),
        pid=numbers("pid"),
        offset=nothing,
        length=nothing,
        schema=nothing,
    )
    columns = Spans(
        trace_hi=column(np.uint64, (s.trace >> 64 for s in spans)),
        trace_lo=column(np.uint64, (s.trace & HALF for s in spans)),
        span_id=column(np.uint64, (s.id for s in spans)),
        parent_id=column(np.uint64, (s.parent for s in spans)),
        start=column(np.int64, (s.start for s in spans)),
        end=column(np.int64, (s.end for s in spans)),
        kind=column(np.uint8, (KINDS.index(s.kind) for s in spans)),
        status=column(np.uint8, (2 if s.error else 0 for s in spans)),
        resource=np.arange(len(spans), dtype=np.int32),
        scope=nothing,
        name=nothing,
        peer_service=words("peer_service"),
        server_address=words("address"),
        db_system=words("db_system"),
        db_namespace=words("db_namespace"),
        messaging_system=words("messaging_system"),
        messaging_destination=words("destination"),
        rpc_system=words("rpc"),
        error_type=words("error_type"),
        peer_namespace=words("peer_namespace"),
        messaging_cluster=words("cluster"),
        messaging_template=words("template"),
        messaging_operation=words("operation"),
        rpc_code=words("rpc_code"),
        peer_address=words("peer_address"),
        server_port=numbers("port"),
        http_status=numbers("http"),
        peer_port=numbers("peer_port"),
        message_count=numbers("message_count"),
        caller=column(
            np.int32, (texts(s.entry if s.parent else "") for s in spans)
        ),  # only about a parent is it valid
        caller_stale=np.zeros(len(spans), np.uint8),
        offset=nothing,
        length=nothing,
    )
    return Decoded(columns, resources, Scopes(nothing, nothing, nothing), ())


class Machine:
    """Classifier, pairing and rollups, with every signed row counted."""

    def __init__(self, capacity=1 << 12, seed=7, rows=1 << 12):
        self.texts, self.nodes = Texts(), NodeTable()
        self.classifier = Classifier(self.texts, self.nodes)
        self.pairing = Pairing(self.classifier.owners, capacity, seed, rows)
        self.rollup = Rollup(edges=1 << 10)
        self.rows = Counter()
        self.taken = 0

    def take(self, spans, arrived_ns=0):
        """Let spans arrive in one batch; what it changes is in `rows`."""
        batch = self.classifier.classify(decoded(spans, self.texts)).batch
        self._count(self.pairing.take(batch, self.taken, arrived_ns))
        self.taken += len(spans)
        return self

    def age(self, now_ns):
        self._count(self.pairing.age(now_ns))
        return self

    def settle(self):
        self._count(self.pairing.settle())
        return self

    def _count(self, blocks):
        for block in chain(blocks, self.pairing.flush()):
            self.rollup.add(block)
            for row in block.tolist():
                minute, caller, callee, client, server, sign, sight, outcome, _ = row
                names = self.nodes.node(caller).id, self.nodes.node(callee).id
                self.rows[minute, *names, client, server, sight, outcome] += sign

    @property
    def calls(self):
        """The rows that stand: {(minute, caller, callee, client, server, sight, outcome): times}."""
        assert min(self.rows.values(), default=0) >= 0
        return {row: times for row, times in self.rows.items() if times and row[5] != WAITING_SIGHT}

    @property
    def waiting(self):
        return sum(times for row, times in self.rows.items() if row[5] == WAITING_SIGHT)

    @property
    def edges(self):
        """{(caller, callee): calls}."""
        edges = Counter()
        for row, times in self.calls.items():
            edges[row[1:3]] += times
        return dict(edges)
