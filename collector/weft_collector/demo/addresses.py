"""Where the demo's services listen: ports chosen at run time, handed to every process by environment."""

import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
VARIABLE = "DEMO_ADDRESSES"

Addresses = Mapping[str, tuple[str, int]]
"""Service name to host and port."""


def choose(services: Iterable[str]) -> Addresses:
    """A free loopback port for each service. All are held until the last is found, so no two are equal."""
    with ExitStack() as held:
        return {service: _bind(held) for service in services}


def _bind(held: ExitStack) -> tuple[str, int]:
    listener = held.enter_context(socket.socket())
    listener.bind((LOOPBACK, 0))
    return LOOPBACK, int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def answers(address: tuple[str, int]) -> bool:
    """Whether somebody listens there. Only connects: no request is sent, so nothing is traced or counted."""
    try:
        with socket.create_connection(address, timeout=1.0):
            return True
    except OSError:
        return False


def to_text(addresses: Addresses) -> str:
    """The table as one line, for the environment."""
    return ",".join(f"{service}={host}:{port}" for service, (host, port) in addresses.items())


def from_environment() -> Addresses:
    """The table that the runner put into the environment; empty outside the demo."""
    entries = [entry.partition("=") for entry in os.environ.get(VARIABLE, "").split(",") if entry]
    return {name: (host, int(port)) for name, _, at in entries for host, _, port in [at.rpartition(":")]}
