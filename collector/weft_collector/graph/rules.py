"""What a span says about itself and its peer: sections 4 and 5 of docs/graph-rules.md as pure functions.

Nothing here knows of columns, numbers or memory; `classify` asks these functions once per distinct
combination.
"""

import ipaddress
from typing import NamedTuple
from urllib.parse import unquote

from weft_collector.graph.nodes import UNKNOWN_PEER, Node, NodeType

UNNAMED_SERVICE = "unknown_service"
"""OpenTelemetry's own name for a service that gives none."""

# OTLP span kinds.
UNSPECIFIED, INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(6)

STATUS_ERROR = 2
"""OTLP status code of a span that failed."""


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
    db_system: str = ""
    db_namespace: str = ""
    messaging_system: str = ""
    destination: str = ""
    host: str = ""


def service(name: str, home: Home) -> Node:
    """The node of a service."""
    return Node(NodeType.SERVICE, name or UNNAMED_SERVICE, home.namespace, home.environment)


def named_caller(entry: str, home: Home) -> Node:
    """The service that a caller entry `service;instance`, percent-encoded, names."""
    return service(unquote(entry.partition(";")[0]), home)


def channel(words: PeerWords) -> Node | None:
    """The channel that a span publishes to or reads from, if it names one."""
    if not words.destination:
        return None
    return Node(NodeType.CHANNEL, words.destination, system=words.messaging_system)


def database(words: PeerWords) -> Node:
    """A database by product, host and name; a host given as an address tells nothing lasting."""
    host = "" if is_address(words.host) else words.host
    name = words.db_namespace or host or words.db_system
    return Node(NodeType.DATABASE, name, namespace=host, system=words.db_system)


def external(host: str, port: int) -> Node:
    """A peer of which only the address is known; port 0 is none."""
    shown = f"[{host}]" if ":" in host else host
    return Node(NodeType.EXTERNAL, f"{shown}:{port}" if port else shown)


def peer(words: PeerWords, port: int, home: Home) -> Peer:
    """What a caller-side span calls: the first of service, database, channel, host that it names."""
    if words.service:
        return Peer(service(words.service, home), at_once=True)
    if words.db_system:
        return Peer(database(words), at_once=True)
    target = channel(words)
    if target:
        return Peer(target, at_once=True)
    return Peer(external(words.host, port) if words.host else UNKNOWN_PEER, at_once=False)


def is_address(host: str) -> bool:
    """Whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
