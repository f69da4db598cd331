"""What a span says about itself and its peer: sections 4 and 5 of docs/graph-rules.md as pure functions.

Nothing here knows of columns, numbers or memory; `classify` asks these functions once per distinct
combination.
"""

import ipaddress
from typing import NamedTuple
from urllib.parse import unquote

from weft_collector.graph.nodes import UNKNOWN_PEER, Node, NodeType
from weft_collector.store.identity import UNNAMED_SERVICE

# OTLP span kinds.
UNSPECIFIED, INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(6)

CREATE, SEND, RECEIVE, PROCESS, SETTLE = range(1, 6)
_OPERATIONS = {
    "create": CREATE,
    "send": SEND,
    "publish": SEND,
    "receive": RECEIVE,
    "process": PROCESS,
    "deliver": PROCESS,
    "settle": SETTLE,
}

_NEW_PRODUCTS = {
    "mssql": "microsoft.sql_server",
    "oracle": "oracle.db",
    "dynamodb": "aws.dynamodb",
    "cosmosdb": "azure.cosmosdb",
    "db2": "ibm.db2",
    "spanner": "gcp.spanner",
    "hanadb": "sap.hana",
    "redshift": "aws.redshift",
    "h2": "h2database",
}


class Home(NamedTuple):
    """Where a bare service name is looked for: the namespace and environment of the span that says it."""

    namespace: str
    environment: str


class Peer(NamedTuple):
    """What a caller-side span calls.

    Attributes:
        node: Its node while no callee is known.
        at_once: Whether that is certain enough not to wait for a callee.
    """

    node: Node
    at_once: bool


class PeerWords(NamedTuple):
    """The attributes that name a peer, empty where absent."""

    service: str = ""
    namespace: str = ""
    db_system: str = ""
    db_namespace: str = ""
    messaging_system: str = ""
    cluster: str = ""
    destination: str = ""
    host: str = ""


def service(name: str, home: Home) -> Node:
    """The node of a service."""
    return Node(NodeType.SERVICE, name or UNNAMED_SERVICE, home.namespace, home.environment)


def named_caller(entry: str, home: Home) -> Node:
    """The service that a caller entry `service;instance`, percent-encoded, names."""
    return service(unquote(entry.partition(";")[0]), home)


def named_service(words: PeerWords, home: Home) -> Node:
    """The peer service that a span names, which may have a namespace of its own."""
    return service(words.service, Home(words.namespace or home.namespace, home.environment))


def channel(words: PeerWords, kind: int) -> Node | None:
    """The channel that a span publishes to or reads from, if it names one.

    Without a destination the peer of a PRODUCER or CONSUMER is the broker as a whole.
    """
    name = words.destination or (words.service if kind in {PRODUCER, CONSUMER} else "")
    if not name:
        return None
    known = [part for part in (words.messaging_system, words.cluster) if part]
    system, cluster = (*known, "", "")[:2]
    return Node(NodeType.CHANNEL, name, namespace=cluster, system=system)


def database(words: PeerWords) -> Node:
    """A database by product, host and name; a host given as an address tells nothing lasting."""
    system = _NEW_PRODUCTS.get(words.db_system, words.db_system)
    host = "" if is_address(words.host) else words.host
    name = words.db_namespace or host or system
    return Node(NodeType.DATABASE, name, namespace=host, system=system)


def external(host: str, port: int) -> Node:
    """A peer of which only the address is known; port 0 is none."""
    shown = f"[{host}]" if ":" in host else host
    return Node(NodeType.EXTERNAL, f"{shown}:{port}" if port else shown)


def peer(words: PeerWords, kind: int, port: int, home: Home) -> Peer:
    """What a caller-side span calls: the first of channel, service, database, host that it names.

    A span that names a database and a destination calls the database.
    """
    target = channel(words, kind)
    if target and not words.db_system:
        return Peer(target, at_once=True)
    if words.service:
        return Peer(named_service(words, home), at_once=True)
    if words.db_system:
        return Peer(database(words), at_once=True)
    return Peer(external(words.host, port) if words.host else UNKNOWN_PEER, at_once=False)


def is_address(host: str) -> bool:
    """Whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def operation(text: str) -> int:
    """What a span of messaging does, in new words or old; 0 for a word that means none of it."""
    return _OPERATIONS.get(text, 0)
