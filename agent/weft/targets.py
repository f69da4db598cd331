"""Which hosts are told the caller's name and the baggage (`propagate_to`).

Names of one's own services are no business of a stranger's server, so the default is what is surely inside:
see `PRIVATE_SUFFIXES`, `PRIVATE_NETWORKS` and single-label names. A label that could be a number
(`2130706433`, `0x7f1`) is no name: resolvers read it as an address.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

PRIVATE_SUFFIXES: Final = (".local", ".localhost", ".internal", ".svc", ".cluster.local")
PRIVATE_NETWORKS: Final = (
    "127.0.0.0/8", "::1/128",  # loopback
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",  # private
    "169.254.0.0/16", "fe80::/10",  # link-local
)  # fmt: skip
_SINGLE_LABEL: Final = re.compile(r"(?!0x)(?=.*[a-z])[a-z0-9_-]{1,63}")
MAX_REMEMBERED: Final = 1024

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Targets:
    """The hosts that `patterns` allow; the answer for each host is remembered, for the newest 1024 hosts."""

    def __init__(self, patterns: Iterable[str]) -> None:
        names = {pattern.lower() for pattern in patterns}
        self._all = "*" in names
        self._private = "private" in names
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._networks = _networks(names)
        if self._private:
            self._suffixes += PRIVATE_SUFFIXES
            self._networks += tuple(map(ipaddress.ip_network, PRIVATE_NETWORKS))
        self._names = names
        self._known: dict[str, bool] = {}

    def allows(self, host: str) -> bool:
        """Whether `host` (a name or an address literal, in any case) may be told."""
        known = self._known.get(host)
        if known is None:
            known = self._decide(host.lower().strip("[]"))
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[host] = known
        return known

    def _decide(self, host: str) -> bool:
        if not host or self._all:
            return self._all
        address = _address(host)
        if address is not None:
            return host in self._names or any(address in network for network in self._networks)
        if self._private and _SINGLE_LABEL.fullmatch(host):
            return True
        name = host.rstrip(".")
        return name in self._names or name.endswith(self._suffixes)


def _networks(names: Iterable[str]) -> tuple[Network, ...]:
    return tuple(network for name in names if (network := _network(name)) is not None)


def _network(name: str) -> Network | None:
    try:
        return ipaddress.ip_network(name, strict=False)
    except ValueError:
        return None


def _address(host: str) -> Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
