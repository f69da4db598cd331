"""The attributes that are columns of their own, by the names under which they may have been sent.

A condition on any of the names is a condition on the column: old and new names mean the same, and columns of
numbers are compared as numbers. An empty text, or the number 0, in a column means that the attribute is absent.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from weft_collector.wire.known_keys import LARGEST, RESOURCE_KEYS, SPAN_KEYS

__all__ = ["COLUMNS", "NUMBERS", "column_of", "names_of", "spellings"]

_COLUMN_OF_WORD: Final = {
    "service": "ServiceName",
    "namespace": "ServiceNamespace",
    "version": "ServiceVersion",
    "instance": "ServiceInstanceId",
    "environment": "DeploymentEnvironment",
    "host": "HostName",
    "pid": "ProcessPid",
    "peer_service": "PeerService",
    "peer_namespace": "PeerNamespace",
    "server_address": "ServerAddress",
    "server_port": "ServerPort",
    "db_system": "DbSystem",
    "db_namespace": "DbNamespace",
    "messaging_system": "MessagingSystem",
    "messaging_destination": "MessagingDestination",
    "messaging_operation": "MessagingOperation",
    "messaging_cluster": "MessagingCluster",
    "rpc_system": "RpcSystem",
    "error_type": "ErrorType",
    "http_status": "HttpStatusCode",
}
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {_COLUMN_OF_WORD[word]: names for word, names in (RESOURCE_KEYS | SPAN_KEYS).items()}
)
"""Names of the attribute in each column, the best one first."""
NUMBERS: Final = frozenset(_COLUMN_OF_WORD[word] for word in LARGEST)
"""Columns of numbers."""

_BY_NAME: Final = {name: column for column, names in COLUMNS.items() for name in names}
_DIGITS: Final = 10


def column_of(key: str) -> str | None:
    """The column that holds an attribute, if it has one."""
    return _BY_NAME.get(key)


def names_of(key: str) -> tuple[str, ...]:
    """The keys under which an attribute may have been sent."""
    column = column_of(key)
    return (key,) if column is None else COLUMNS[column]


def spellings(key: str, value: str) -> list[tuple[str, str]]:
    """The attributes that may stand behind a column's value, as key and text.

    A number may have been sent as a text of up to ten digits, leading zeros included.
    """
    column = _BY_NAME[key]
    values = [value.zfill(width) for width in range(1, _DIGITS + 1)] if column in NUMBERS else [value]
    return [(name, text) for name in COLUMNS[column] for text in dict.fromkeys(values)]
