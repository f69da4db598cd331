"""What stands at the ends of an edge: nodes, and the table that numbers them.

A node is a value; two spans that say the same about a peer mean the same node. Kernels work with small
numbers, so `NodeTable` gives each node one. The table is bounded: names come from outside, and a client
that puts an id into its service name must not fill the memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

DEFAULT_CAPACITY = 20_000


class NodeType(StrEnum):
    """What kind of thing a node is."""

    SERVICE = "service"
    DATABASE = "database"
    CHANNEL = "channel"
    EXTERNAL = "external"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Node:
    """One end of an edge.

    Attributes:
        type: Decides what the other fields mean.
        name: What a reader calls it: the service's name, the database's, the channel's destination, or
            `host:port` of an external peer. Never empty.
        namespace: A service's namespace; the host name of a database's server where it is known by name; a channel's
            cluster.
        environment: A service's deployment environment.
        system: The product behind a database or a channel (`postgresql`, `kafka`).
    """

    type: NodeType
    name: str
    namespace: str = ""
    environment: str = ""
    system: str = ""

    @cached_property
    def id(self) -> str:
        """The node's id in the API: unique, printable ASCII without spaces and without `->`."""
        return _ROLE_IDS.get((self.type, self.name)) or f"{self.type}:{self._path()}"

    def _path(self) -> str:
        """The parts that tell nodes of one type apart, percent-encoded.

        Only leading parts are left out, so the number of slashes tells which parts are there.
        """
        parts = [self.environment, self.namespace, self.name]
        if self.type is not NodeType.SERVICE:
            parts = [self.system, *filter(None, [self.namespace]), self.name]
        while len(parts) > 1 and not parts[0]:
            del parts[0]
        return "/".join(quote(part, safe=":", errors="replace") for part in parts)


CLIENT = Node(NodeType.CLIENT, "client")
"""Whoever calls from outside: a browser, a script, a load generator."""
UNKNOWN_CALLER = Node(NodeType.UNKNOWN, "unknown caller")
"""Calls a span that names a parent which never came."""
UNKNOWN_PEER = Node(NodeType.UNKNOWN, "unknown peer")
"""Is called by a span that says nothing about its peer."""
OTHER = Node(NodeType.SERVICE, "other")
"""Stands for every node beyond the table's capacity."""

FIXED_NODES = (CLIENT, UNKNOWN_CALLER, UNKNOWN_PEER, OTHER)
CLIENT_NUMBER, UNKNOWN_CALLER_NUMBER, UNKNOWN_PEER_NUMBER, OTHER_NUMBER = range(4)

_ROLE_IDS = {
    (NodeType.CLIENT, CLIENT.name): "client:",
    (NodeType.UNKNOWN, UNKNOWN_CALLER.name): "unknown:",
    (NodeType.UNKNOWN, UNKNOWN_PEER.name): "unknown:peer",
}


class NodeTable:
    """Nodes and their numbers; a number is never given to a second node.

    The first numbers belong to `FIXED_NODES`. Above `capacity` others, a new node gets the number of `OTHER`, and
    `refused` counts how often that happened. Not thread-safe: `Derived` holds its lock.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self.refused = 0
        self._capacity = capacity + len(FIXED_NODES)
        self._nodes = list(FIXED_NODES)
        self._numbers = {node: number for number, node in enumerate(FIXED_NODES)}

    def number(self, node: Node) -> int:
        """The node's number, a new one if the node is new and there is room."""
        known = self._numbers.get(node)
        if known is not None:
            return known
        if len(self._nodes) >= self._capacity:
            self.refused += 1
            return OTHER_NUMBER
        self._numbers[node] = len(self._nodes)
        self._nodes.append(node)
        return len(self._nodes) - 1

    def pairs(self, edges: Sequence[tuple[Node, Node]]) -> NDArray[np.uint32]:
        """Edges as caller << 16 | callee, by their nodes' numbers."""
        named = {id(node): node for edge in edges for node in edge}  # a node of many edges is looked up once
        number = {key: self.number(node) for key, node in named.items()}
        return np.array([number[id(a)] << 16 | number[id(b)] for a, b in edges], np.uint32)

    def node(self, number: int) -> Node:
        """The node that has this number; IndexError for a number never given."""
        return self._nodes[number]

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(tuple(self._nodes))
