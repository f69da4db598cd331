"""Decoded columns into what pairing wants: nodes, sides, peers, outcomes.

The work per span is one pass of a kernel; the rules themselves are asked once per distinct combination of
what decides them (`memo`).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph import rules
from weft_collector.graph.histogram import buckets_of
from weft_collector.graph.memo import RowMemo
from weft_collector.graph.nodes import NodeTable, NodeType
from weft_collector.graph.outcomes import BUCKET_BITS, CLIENT_ERROR, SERVER_ERROR, of_error, of_rpc_code
from weft_collector.graph.owners import Owners
from weft_collector.graph.pairing_table import (
    ARRIVAL,
    AT_ONCE,
    CALLEE,
    CALLER,
    CHANNEL,
    CONSUMER,
    EMPTY,
    LOCAL,
    NAMED,
    NO_NODE,
    TURNED,
)
from weft_collector.graph.snapshot import MINUTE_NS
from weft_collector.kernel import inline, kernel
from weft_collector.store.identity import instance_of
from weft_collector.wire.columns import Decoded, Spans

MAX_INSTANCES = 1 << 20
OTHER_INSTANCE = MAX_INSTANCES + 1

# Columns of a combination that decides `other`.
_OWN, _ROLE, _ENTRY, _SERVICE, _NAMESPACE, _DB_SYSTEM, _DB_NAME = range(7)
_MSG_SYSTEM, _CLUSTER, _DESTINATION, _HOST, _PORT, _WIDTH = range(7, 13)

_SIDES = (LOCAL, LOCAL, CALLEE, CALLER, CALLER, CALLEE | CONSUMER)  # by OTLP kind
_SIDE = 3


def _role(kind: int, operation: int) -> int:
    """The flags of a span's role; see `pairing_table.kind_side_of`."""
    side = int(_SIDES[kind])
    if operation == rules.SETTLE and side != LOCAL:
        return int(TURNED | (CONSUMER if side & _SIDE == CALLEE else 0))
    if kind == rules.CLIENT and operation in {rules.RECEIVE, rules.PROCESS}:
        return int(CALLEE | CONSUMER | TURNED)
    return side


# By OTLP kind and operation; the decoder gives no kind beyond these.
_ROLES = np.array([[_role(kind, operation) for operation in range(8)] for kind in range(6)], np.uint16)

# What a text means, beside itself: its class as an rpc code and as the type of another error, and its operation.
_READINGS = (of_rpc_code, of_error, rules.operation)


class Texts(Protocol):
    """The texts behind string ids."""

    def text(self, id: int, /) -> str:  # noqa: A002 - the contract's word for it
        """The text of an id."""
        ...

    def __len__(self) -> int: ...


class Classified(NamedTuple):
    """A batch as the graph sees it.

    Attributes:
        batch: What pairing wants: pairing_table.ARRIVAL, one row per span.
        node: Number of each span's own node.
        instance: Number of each span's instance, 0 where it names none.
    """

    batch: NDArray[np.void]
    node: NDArray[np.int32]
    instance: NDArray[np.int32]


@inline
def _outcome(spans: Spans, i: int, meanings: NDArray[np.uint8]) -> int:
    """How a span went (docs/graph-rules.md R5.4)."""
    status = spans.http_status[i]
    error = spans.error_type[i]
    code = spans.rpc_code[i]
    if code == 0 and spans.rpc_system[i] != 0:
        code = error
    outcome = 0
    if 400 <= status <= 599:
        outcome = CLIENT_ERROR if status < 500 else SERVER_ERROR
    elif meanings[0, code] != 0:
        outcome = meanings[0, code]
    elif spans.status[i] == 2 or error != 0:
        outcome = meanings[1, error]
    return outcome


@kernel
def _describe(
    spans: Spans,
    node: NDArray[np.int32],
    meanings: NDArray[np.uint8],
    combinations: NDArray[np.int32],
    found: NDArray[np.uint16],
) -> None:
    """Each span's flags and outcome, and what decides its `other`; columns that do not matter stay 0.

    `meanings` has a row for each of `_READINGS`, by text; `found` has two, by span.
    """
    for i in range(found.shape[1]):
        kind = spans.kind[i]
        role = _ROLES[kind, meanings[2, spans.messaging_operation[i]]]
        consumes = role & (_SIDE | CONSUMER) == CALLEE | CONSUMER
        empty = consumes and spans.message_count[i] < 0
        found[0, i] = role | (EMPTY if empty else 0)
        found[1, i] = _outcome(spans, i, meanings)
        combinations[i, _OWN] = node[i]
        combinations[i, _ROLE] = np.int32(role) << 8 | kind
        if role == CALLER:
            combinations[i, _DB_SYSTEM] = spans.db_system[i]
            combinations[i, _DB_NAME] = spans.db_namespace[i]
            plain = spans.server_address[i] != 0
            combinations[i, _HOST] = spans.server_address[i] if plain else spans.peer_address[i]
            combinations[i, _PORT] = spans.server_port[i] if plain else spans.peer_port[i]
        else:
            combinations[i, _ENTRY] = spans.caller[i]
        if role == CALLER or consumes:
            template = spans.messaging_template[i]
            combinations[i, _MSG_SYSTEM] = spans.messaging_system[i]
            combinations[i, _CLUSTER] = spans.messaging_cluster[i]
            combinations[i, _DESTINATION] = template if template != 0 else spans.messaging_destination[i]
        if role != LOCAL:
            combinations[i, _SERVICE] = spans.peer_service[i]
            combinations[i, _NAMESPACE] = spans.peer_namespace[i]


def presence(seen: Classified) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Minutes and nodes that spans were seen in, each pair once."""
    pairs = np.unique((seen.batch["start"] // MINUTE_NS) << 16 | seen.node)
    return pairs >> 16, (pairs & 0xFFFF).astype(np.int32)


class Classifier:
    """Applies the rules to batches; its numbers hold for the life of `nodes`.

    Args:
        texts: The decoder's table of texts.
        nodes: Where nodes get their numbers.

    Attributes:
        owners: What the nodes and instances are called that it gave numbers to.
    """

    def __init__(self, texts: Texts, nodes: NodeTable) -> None:
        self._texts = texts
        self._nodes = nodes
        self.owners = Owners()
        self._instances: dict[tuple[int, str], int] = {}
        self._names: list[str] = []
        self._meanings = np.zeros((len(_READINGS), 0), np.uint8)
        self._owners = RowMemo(self._owner, width=6, outputs=2)
        self._others = RowMemo(self._other, width=_WIDTH, outputs=2)

    def instance(self, number: int) -> str:
        """What an instance calls itself (docs/graph-rules.md R1.3); empty for 0 and less."""
        return self._names[number - 1] if 0 < number <= len(self._names) else ""

    def classify(self, decoded: Decoded) -> Classified:
        """A batch's columns for pairing and for the head."""
        spans = decoded.spans
        owners = self._owners_of(decoded)
        node, instance = owners[:, 0].copy(), owners[:, 1].copy()
        combinations = np.zeros((len(node), _WIDTH), np.int32)
        flags, outcomes = found = np.empty((2, len(node)), np.uint16)
        _describe(spans, node, self._read_texts(), combinations, found)
        others = self._others(combinations)
        batch = np.zeros(len(node), ARRIVAL)
        batch["trace"], batch["span"], batch["parent"] = spans.trace_lo, spans.span_id, spans.parent_id
        batch["start"] = np.maximum(spans.start, 0)
        batch["node"], batch["instance"] = node, instance
        batch["other"], batch["flags"] = others[:, 0], flags | others[:, 1].astype(np.uint16)
        batch["measure"] = buckets_of(spans.end - spans.start) | outcomes << BUCKET_BITS
        return Classified(batch, node, instance)

    def _owners_of(self, decoded: Decoded) -> NDArray[np.int32]:
        """Node and instance of each span, by way of its resource."""
        r = decoded.resources
        identity = np.stack([r.service, r.namespace, r.environment, r.instance, r.host, r.pid], axis=1)
        return self._owners(identity)[decoded.spans.resource]

    def _owner(self, identity: Sequence[int]) -> tuple[int, int]:
        name, namespace, environment, instance, host, pid = identity
        home = rules.Home(self._texts.text(namespace), self._texts.text(environment))
        node = self._nodes.number(rules.service(self._texts.text(name), home))
        for known in range(self.owners.nodes, len(self._nodes)):
            self.owners.add_node(self._nodes.node(known))
        text = self._texts.text
        return node, self._instance(node, instance_of(text(instance), text(host), pid))

    def _instance(self, node: int, name: str) -> int:
        """A number per distinct instance of a service; 0 for the one without a name."""
        if not name:
            return 0
        key = (node, name)
        if key not in self._instances:
            if len(self._names) >= MAX_INSTANCES or not self.owners.add_instance(name):
                return OTHER_INSTANCE
            self._names.append(name)
            self._instances[key] = len(self._names)
        return self._instances[key]

    def _other(self, row: Sequence[int]) -> tuple[int, int]:
        """Peer of a caller side, channel of what consumes, or the caller that a span names; and flags."""
        own = self._nodes.node(row[_OWN])
        home = rules.Home(own.namespace, own.environment)
        words = rules.PeerWords(*map(self._texts.text, row[_SERVICE:_PORT]))
        role, kind = row[_ROLE] >> 8, row[_ROLE] & 0xFF
        if role == CALLER:
            peer = rules.peer(words, kind, row[_PORT], home)
            is_channel = CHANNEL if peer.node.type is NodeType.CHANNEL else 0
            return self._nodes.number(peer.node), is_channel | (AT_ONCE if peer.at_once else 0)
        channel = rules.channel(words, kind) if role & CONSUMER and role & _SIDE == CALLEE else None
        if channel:
            return self._nodes.number(channel), CHANNEL
        if row[_ENTRY]:
            return self._nodes.number(rules.named_caller(self._texts.text(row[_ENTRY]), home)), 0
        if kind == rules.SERVER and words.service:
            return self._nodes.number(rules.named_service(words, home)), NAMED
        return NO_NODE, 0

    def _read_texts(self) -> NDArray[np.uint8]:
        """For every text what it means in each of `_READINGS`."""
        known, now = self._meanings.shape[1], len(self._texts)
        if known < now:
            texts = [self._texts.text(id_) for id_ in range(known, now)]
            new = np.array([[*map(read, texts)] for read in _READINGS], np.uint8)
            self._meanings = np.concatenate([self._meanings, new], axis=1)
        return self._meanings
