"""What the HTTP hooks share: method names, and addresses without their secrets."""

from typing import Final
from urllib.parse import parse_qsl

METHODS: Final = frozenset(
    {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY"},
)
OTHER: Final = "_OTHER"
"""What OpenTelemetry calls a method that is none of `METHODS`."""
DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
MAX_PARAMETERS: Final = 64


def method_name(method: str) -> str:
    """Return a method as `http.request.method` wants it."""
    return method if method in METHODS else OTHER


def span_name(method: str, route: str | None = None) -> str:
    """Return the name of a span: the method, and the route where one is known."""
    shown = "HTTP" if method == OTHER else method
    return f"{shown} {route}" if route else shown


def redacted_query(query: str) -> str:
    """Return a query string with its parameters' names and without their values."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:  # too many parameters
        return "REDACTED"
    return "&".join(f"{_plain(name)}=REDACTED" for name, _ in pairs) or "REDACTED"


def _plain(name: str) -> str:
    return name if name.isidentifier() else "_"


def exchange_failed(status: int, *, server: bool) -> bool:
    """Whether a status code makes a span an error: 5xx on both sides, 4xx only for the one who asked."""
    return status >= 500 or (status >= 400 and not server)
