"""The sockets that the collector listens on, opened before anything slow is loaded."""

import socket
from typing import Final, NamedTuple

from weft_collector.cli.exits import PortTaken
from weft_collector.config import BadSetting, Config

__all__ = ["address_of", "hold", "listen", "local_url", "port_of"]

BACKLOG: Final = 2048
_TRIES: Final = 200
_ADVICE: Final = {
    "port": "--port 0 takes any free one",
    "grpc-port": "--grpc-port 0 takes any free one, -1 goes without gRPC",
}


def listen(config: Config) -> socket.socket:
    """A listening socket at the configured address.

    Raises:
        PortTaken: Another process listens there; the text names the next free port.
        BadSetting: The address is none of this machine.
    """
    opened = _open(_Wanted(config.host, config.port, "port"))
    opened.listen(BACKLOG)
    return opened


def hold(config: Config) -> socket.socket | None:
    """A socket that keeps the port of gRPC for this process, or None where none is wanted.

    gRPC core opens its port by itself, seconds later, and shares it with any process that shares it, too. So
    this socket takes the port for itself first, which fails if anyone is there, and allows to share it only
    then. It never listens.

    Raises:
        PortTaken: Another process listens there; the text names the next free port.
        BadSetting: The address is none of this machine.
    """
    if config.grpc_port < 0:
        return None
    held = _open(_Wanted(config.host, config.grpc_port, "grpc-port"))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return held


class _Wanted(NamedTuple):
    """An address, and the option that gave its port."""

    host: str
    port: int
    option: str


def _open(wanted: _Wanted) -> socket.socket:
    try:
        return _bind(wanted)
    except PermissionError as error:
        raise BadSetting(
            f"port {wanted.port} needs privileges; choose one above 1023 with --{wanted.option}."
        ) from error
    except socket.gaierror as error:
        raise BadSetting(f"host {wanted.host!r} is no address: {error.strerror}.") from error
    except OSError as error:
        free = _next_free(wanted)
        if free is None or wanted.port == 0:
            raise BadSetting(f"host {wanted.host!r} cannot be listened on: {error.strerror}.") from error
        raise PortTaken(
            f"Port {wanted.port} of {wanted.host} is taken by another process. The next free one is {free}: "
            f"weft serve --{wanted.option} {free}. ({_ADVICE[wanted.option]}; is a collector running already?)"
        ) from error


def _bind(wanted: _Wanted) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        wanted.host.strip("[]"), wanted.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    return opened


def _next_free(wanted: _Wanted) -> int | None:
    for port in range(wanted.port + 1, min(wanted.port + _TRIES, 65536)):
        try:
            _bind(wanted._replace(port=port)).close()
        except OSError:
            continue
        return port
    return None


def address_of(opened: socket.socket) -> str:
    """The address and port that a socket got, as gRPC writes them."""
    host, port = opened.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def port_of(opened: socket.socket) -> int:
    """The port that a socket got."""
    return int(opened.getsockname()[1])


def local_url(config: Config, port: int) -> str:
    """The collector's address for programs on this machine."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - looked up, not listened on
    host = config.host.strip("[]")
    host = everywhere.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
