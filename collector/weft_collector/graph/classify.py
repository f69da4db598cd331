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
    LOCAL,
    NO_NODE,
)
from weft_collector.graph.snapshot import MINUTE_NS
from weft_collector.kernel import kernel
from weft_collector.wire.columns import Decoded, Spans

MAX_INSTANCES = 1 << 20
OTHER_INSTANCE = MAX_INSTANCES + 1

# By OTLP kind; the decoder gives no kind beyond these.
_FLAGS_OF_KIND = np.array([LOCAL, LOCAL, CALLEE, CALLER, CALLER, CALLEE | CONSUMER], np.uint16)
# Columns of a combination that decides `other`.
_OWN, _SIDE, _ENTRY, _SERVICE, _DB_SYSTEM, _DB_NAME = range(6)
_MSG_SYSTEM, _DESTINATION, _HOST, _PORT, _WIDTH = range(6, 11)


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


@kernel
def _describe(
    spans: Spans,
    node: NDArray[np.int32],
    classes: NDArray[np.uint8],
    combinations: NDArray[np.int32],
    found: NDArray[np.uint16],
) -> None:
    """Each span's flags and outcome, and what decides its `other`; columns that do not matter stay 0.

    `classes` has two rows by text: its class as an rpc code, and as the type of another error. `found` has two by span.
    """
    for i in range(found.shape[1]):
        own = _FLAGS_OF_KIND[spans.kind[i]]
        status = spans.http_status[i]
        error = spans.error_type[i]
        outcome = 0
        if 400 <= status < 600:
            outcome = CLIENT_ERROR if status < 500 else SERVER_ERROR
        elif spans.rpc_system[i] != 0 and classes[0, error] != 0:
            outcome = classes[0, error]
        elif spans.status[i] == 2 or error != 0:
            outcome = classes[1, error]
        found[0, i], found[1, i] = own, outcome
        combinations[i, _OWN] = node[i]
        combinations[i, _SIDE] = own
        if own == CALLER:
            combinations[i, _SERVICE] = spans.peer_service[i]
            combinations[i, _DB_SYSTEM] = spans.db_system[i]
            combinations[i, _DB_NAME] = spans.db_namespace[i]
            combinations[i, _HOST] = spans.server_address[i]
            combinations[i, _PORT] = spans.server_port[i]
        else:
            combinations[i, _ENTRY] = spans.caller[i]
        if own == CALLER or own == CALLEE | CONSUMER:
            combinations[i, _MSG_SYSTEM] = spans.messaging_system[i]
            combinations[i, _DESTINATION] = spans.messaging_destination[i]


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
        self._classes = np.zeros((2, 0), np.uint8)
        self._owners = RowMemo(self._owner, width=6, outputs=2)
        self._others = RowMemo(self._other, width=_WIDTH, outputs=2)

    def instance(self, number: int) -> str:
        """What an instance calls itself: its id, else `host:pid`; empty for 0 and less."""
        return self._names[number - 1] if 0 < number <= len(self._names) else ""

    def classify(self, decoded: Decoded) -> Classified:
        """A batch's columns for pairing and for the head."""
        spans = decoded.spans
        owners = self._owners_of(decoded)
        node, instance = owners[:, 0].copy(), owners[:, 1].copy()
        combinations = np.zeros((len(node), _WIDTH), np.int32)
        flags, outcomes = found = np.empty((2, len(node)), np.uint16)
        _describe(spans, node, self._classes_of_texts(), combinations, found)
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
        return node, self._instance(node, instance, host, pid)

    def _instance(self, node: int, instance: int, host: int, pid: int) -> int:
        """A number per distinct instance: by its id, else by host and process; 0 where neither is given."""
        if not (instance or host or pid):
            return 0
        key = node, self._texts.text(instance) or f"{self._texts.text(host)}:{pid}"
        if key not in self._instances:
            if len(self._names) >= MAX_INSTANCES or not self.owners.add_instance(key[1]):
                return OTHER_INSTANCE
            self._names.append(key[1])
            self._instances[key] = len(self._names)
        return self._instances[key]

    def _other(self, row: Sequence[int]) -> tuple[int, int]:
        """Peer of a caller side, channel of a consumer, or the caller that an entry names; and flags."""
        own = self._nodes.node(row[_OWN])
        home = rules.Home(own.namespace, own.environment)
        words = rules.PeerWords(*map(self._texts.text, row[_SERVICE:_PORT]))
        if row[_SIDE] == CALLER:
            peer = rules.peer(words, row[_PORT], home)
            kind = CHANNEL if peer.node.type is NodeType.CHANNEL else 0
            return self._nodes.number(peer.node), kind | (AT_ONCE if peer.at_once else 0)
        channel = rules.channel(words)
        if channel:
            return self._nodes.number(channel), CHANNEL
        if row[_ENTRY]:
            return self._nodes.number(rules.named_caller(self._texts.text(row[_ENTRY]), home)), 0
        return NO_NODE, 0

    def _classes_of_texts(self) -> NDArray[np.uint8]:
        """For every text its outcome as an rpc code, and as the type of another error."""
        known, now = self._classes.shape[1], len(self._texts)
        if known < now:
            texts = [self._texts.text(id_) for id_ in range(known, now)]
            new = np.array([[*map(of_rpc_code, texts)], [*map(of_error, texts)]], np.uint8)
            self._classes = np.concatenate([self._classes, new], axis=1)
        return self._classes
