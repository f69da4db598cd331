"""The socket that the collector listens on, opened before anything slow is loaded."""

import socket
from typing import Final

from weft_collector.cli.exits import PortTaken
from weft_collector.config import BadSetting, Config

__all__ = ["listen", "local_url", "port_of"]

BACKLOG: Final = 2048
_TRIES: Final = 200


def listen(config: Config) -> socket.socket:
    """A listening socket at the configured address.

    Raises:
        PortTaken: Another process listens there; the text names the next free port.
        BadSetting: The address is none of this machine.
    """
    try:
        return _open(config.host, config.port)
    except PermissionError as error:
        raise BadSetting(
            f"port {config.port} needs privileges; choose one above 1023: --port 4318."
        ) from error
    except socket.gaierror as error:
        raise BadSetting(f"host {config.host!r} is no address: {error.strerror}.") from error
    except OSError as error:
        free = _next_free(config)
        if free is None or config.port == 0:
            raise BadSetting(f"host {config.host!r} cannot be listened on: {error.strerror}.") from error
        raise PortTaken(
            f"Port {config.port} of {config.host} is taken by another process. The next free one is {free}: "
            f"weft serve --port {free}. (--port 0 takes any free one; is a collector running already?)"
        ) from error


def _open(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _next_free(config: Config) -> int | None:
    for port in range(config.port + 1, min(config.port + _TRIES, 65536)):
        try:
            _open(config.host, port).close()
        except OSError:
            continue
        return port
    return None


def port_of(opened: socket.socket) -> int:
    """The port that a socket got."""
    return int(opened.getsockname()[1])


def local_url(config: Config, port: int) -> str:
    """The collector's address for programs on this machine."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - looked up, not listened on
    host = config.host.strip("[]")
    host = everywhere.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
