"""What the attributes of edge counts say: who counted, who was on the other side, and what sort of calls.

The tables of docs/wire.md as code. Whatever is absent, of a wrong type or not one of the words is refused by its
reason; attributes that nobody asks for may be there.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

__all__ = ["Calls", "Peer", "Refused", "Said", "Sender", "refuse", "said", "sender_of"]

MOST_ATTRIBUTES: Final = 64
MOST_RESOURCE_ATTRIBUTES: Final = 1024
LONGEST_TEXT: Final = 1024
SIDES: Final = ("caller", "callee")
CONNECTIONS: Final = ("http", "rpc", "database", "messaging", "other")
OUTCOMES: Final = (
    "ok", "4xx", "5xx", "rpc_client", "rpc_server", "timeout", "refused", "exception",
)  # fmt: skip


class Sender(NamedTuple):
    """The instance that counted, by its resource."""

    service: str
    namespace: str
    environment: str
    instance: str


class Peer(NamedTuple):
    """The other side of the calls.

    Attributes:
        type: A word of docs/wire.md: service, database, channel, external, client or unknown.
        name: Of a service, database or channel; the host of an external peer; else empty.
        namespace: Of a service; None is the sender's own.
        environment: Likewise.
        instance: Of a service, where it is known.
        system: The product behind a database or channel.
        host: Of a database's server.
        port: Of an external peer, 0 where it is not known.
    """

    type: str
    name: str = ""
    namespace: str | None = None
    environment: str | None = None
    instance: str = ""
    system: str = ""
    host: str = ""
    port: int = 0


class Calls(NamedTuple):
    """What sort of calls a point counts."""

    operation: str
    connection: str
    protocol: str
    outcome: str


class Said(NamedTuple):
    """What the attributes of a point say.

    Attributes:
        side: Whose side of the calls the sender is: caller or callee.
        peer: The other side.
        calls: What sort of calls.
    """

    side: str
    peer: Peer
    calls: Calls


class Refused(Exception):  # noqa: N818 - it never leaves `edge_counts`
    """A point that is not taken; the text is the reason."""


def sender_of(attributes: Iterable[KeyValue]) -> Sender:
    """The instance that a resource means.

    Raises:
        Refused: It means none.
    """
    given = _by_key(attributes, MOST_RESOURCE_ATTRIBUTES)
    environment = _text(given, "deployment.environment.name", "deployment.environment")
    return Sender(
        _text(given, "service.name") or refuse("service"),
        _text(given, "service.namespace"),
        environment,
        _text(given, "service.instance.id") or refuse("instance"),
    )


def _by_key(attributes: Iterable[KeyValue], most: int) -> dict[str, AnyValue]:
    given: dict[str, AnyValue] = {}
    for number, attribute in enumerate(attributes):
        if number == most:
            refuse("too_many_attributes")
        given[attribute.key] = attribute.value
    return given


def refuse(reason: str) -> NoReturn:
    """Refuse the point at hand."""
    raise Refused(reason)


def _text(given: Mapping[str, AnyValue], *names: str) -> str:
    """The text of the first of these attributes that is there; empty if none is."""
    return _known_text(given, *names) or ""


def _known_text(given: Mapping[str, AnyValue], *names: str) -> str | None:
    value = next((given[name] for name in names if name in given), None)
    if value is None:
        return None
    if value.WhichOneof("value") != "string_value":
        refuse("attribute_type")
    text = value.string_value
    if len(text) > LONGEST_TEXT or len(text.encode()) > LONGEST_TEXT:
        refuse("text_too_long")
    return text


def _port(given: Mapping[str, AnyValue]) -> int:
    value = given.get("server.port")
    if value is None:
        return 0
    if value.WhichOneof("value") != "int_value" or not 0 <= value.int_value < 1 << 16:
        refuse("attribute_type")
    return value.int_value


def _word(given: Mapping[str, AnyValue], name: str, allowed: tuple[str, ...], reason: str) -> str:
    word = _text(given, name)
    return word if word in allowed else refuse(reason)


def _named(given: Mapping[str, AnyValue], name: str) -> str:
    return _text(given, name) or refuse("peer")


def _service(given: Mapping[str, AnyValue]) -> Peer:
    return Peer(
        "service",
        _named(given, "service.peer.name"),
        _known_text(given, "service.peer.namespace"),
        _known_text(given, "weft.peer.environment"),
        _text(given, "weft.peer.instance"),
    )


def _database(given: Mapping[str, AnyValue]) -> Peer:
    host, system = _text(given, "server.address"), _named(given, "db.system.name")
    return Peer("database", _text(given, "db.namespace"), system=system, host=host)


def _channel(given: Mapping[str, AnyValue]) -> Peer:
    name = _named(given, "messaging.destination.name")
    return Peer("channel", name, system=_text(given, "messaging.system"))


def _external(given: Mapping[str, AnyValue]) -> Peer:
    return Peer("external", _named(given, "server.address"), port=_port(given))


def _client(_given: Mapping[str, AnyValue]) -> Peer:
    return Peer("client")


def _unknown(_given: Mapping[str, AnyValue]) -> Peer:
    return Peer("unknown")


_Reader = Callable[[Mapping[str, AnyValue]], Peer]
_PEERS: Final[Mapping[tuple[str, str], _Reader]] = MappingProxyType(
    {
        ("caller", "service"): _service,
        ("caller", "database"): _database,
        ("caller", "channel"): _channel,
        ("caller", "external"): _external,
        ("caller", "unknown"): _unknown,
        ("callee", "service"): _service,
        ("callee", "channel"): _channel,
        ("callee", "client"): _client,
        ("callee", "unknown"): _unknown,
    }
)
"""By the side that counted and the type of the other: how that is named."""


def said(attributes: Iterable[KeyValue]) -> Said:
    """What the attributes of a point say.

    Raises:
        Refused: Something is missing or wrong.
    """
    given = _by_key(attributes, MOST_ATTRIBUTES)
    side = _word(given, "weft.side", SIDES, "side")
    peer = _PEERS.get((side, _text(given, "weft.peer.type"))) or _no_peer
    return Said(side, peer(given), _calls(given))


def _no_peer(_given: Mapping[str, AnyValue]) -> Peer:
    refuse("peer")


def _calls(given: Mapping[str, AnyValue]) -> Calls:
    return Calls(
        _text(given, "weft.operation") or refuse("operation"),
        _word(given, "weft.connection.type", CONNECTIONS, "connection"),
        _text(given, "network.protocol.name"),
        _word(given, "weft.outcome", OUTCOMES, "outcome"),
    )
