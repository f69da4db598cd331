"""The guard in front of every path. Loopback alone is no defence: every page in a browser reaches it.

Three attacks and their answers:

* DNS rebinding: a page of `evil.example` lets its name point to 127.0.0.1 and reads as if it were its own
  server. Its requests carry `Host: evil.example`, so only known names are answered. A number cannot be
  rebound; numbers of other interfaces are answered where the collector listens beyond loopback.
* Cross-site writes: a page posts spans blindly. Browsers name the page in `Origin`, so a state-changing
  request with another Origin than our own is refused, unless that origin is listed; listed ones get the
  CORS headers, on ingest only.
* Content that turns into code: every answer forbids sniffing, framing and anything from elsewhere.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from weft_collector.api.errors import Forbidden
from weft_collector.api.problems import answer
from weft_collector.config import is_loopback

__all__ = ["INGEST_PATHS", "AccessRules", "Guard"]

INGEST_PATHS: Final = frozenset({"/v1/traces", "/v1/metrics", "/v1/logs", "/api/v2/spans"})
_Fields = tuple[tuple[bytes, bytes], ...]
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::[0-9]{1,5})?", re.ASCII)

_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
_DATA_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OF_PAGES: Final = (*_HEADERS, (b"content-security-policy", _PAGE_POLICY.encode()))
_OF_DATA: Final = (
    *_HEADERS,
    (b"content-security-policy", _DATA_POLICY.encode()),
    (b"cache-control", b"no-store"),
)


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Who is answered.

    Attributes:
        hosts: Names, beside those of the loopback interface, that a Host header may carry; lower case.
        origins: Origins of other sites that may send spans, such as `https://shop.example`.
        numbers: Whether any IP address is accepted as Host: where the collector listens beyond loopback.
    """

    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    numbers: bool = False

    @classmethod
    def of(cls, listens_on: str, hosts: Iterable[str], origins: Iterable[str]) -> "AccessRules":
        """The rules of a collector that listens on an address and is told of further names and origins."""
        names = frozenset(host.lower().rstrip(".") for host in hosts)
        return cls(names, frozenset(origin.rstrip("/") for origin in origins), not is_loopback(listens_on))

    def knows(self, host_header: str) -> bool:
        """Whether a Host header names this collector."""
        match = _HOST.fullmatch(host_header)
        if match is None:
            return False
        name = match[1].lower().rstrip(".")
        return is_loopback(name) or name.endswith(".localhost") or name in self.hosts or self._is_number(name)

    def _is_number(self, name: str) -> bool:
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return self.numbers

    def check(self, scope: Scope, headers: Headers) -> None:
        """Let a request through.

        Raises:
            Forbidden: Its Host is unknown, or it would change something from another site.
        """
        host = headers.get("host", "")
        if not self.knows(host):
            raise Forbidden(
                f"The Host header {host[:100]!r} is not a name of this collector. If it is meant to be one, "
                "list it in the setting allowed_hosts (--allowed-hosts, WEFT_ALLOWED_HOSTS)."
            )
        origin = headers.get("origin")
        if origin is not None and scope["method"] not in _SAFE_METHODS and not self._may_write(origin, host):
            raise Forbidden(
                f"A web page of {origin[:100]!r} may not send to this collector, unless it is listed in the "
                "setting allowed_origins (--allowed-origins, WEFT_ALLOWED_ORIGINS)."
            )

    def _may_write(self, origin: str, host: str) -> bool:
        return origin in self.origins or urlsplit(origin).netloc.lower() == host.lower()


class Guard:
    """ASGI middleware: the rules before the app, the protective headers after it."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer refused requests here, hand all others on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        app = self._refusal_or_app(scope, headers)
        await app(scope, receive, self._protected(scope, headers, send))

    def _refusal_or_app(self, scope: Scope, headers: Headers) -> ASGIApp:
        try:
            self._rules.check(scope, headers)
        except Forbidden as error:
            return answer(error, headers.get("content-type", ""))
        return _preflight() if self._is_preflight(scope, headers) else self._app

    def _is_preflight(self, scope: Scope, headers: Headers) -> bool:
        asks = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        return asks and bool(self._cors(scope, headers))

    def _cors(self, scope: Scope, headers: Headers) -> _Fields:
        if not self._rules.origins or scope["path"] not in INGEST_PATHS:
            return ()
        origin = headers.get("origin", "")
        listed = origin in self._rules.origins
        return ((b"access-control-allow-origin", origin.encode()), (b"vary", b"origin")) if listed else ()

    def _protected(self, scope: Scope, headers: Headers, send: Send) -> Send:
        path: str = scope["path"]
        policy = _OF_DATA if path.startswith(("/api/", "/v1/")) else _OF_PAGES
        extra = policy + self._cors(scope, headers)

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_missing(message.get("headers", ()), extra)
            await send(message)

        return send_protected


def _with_missing(fields: Iterable[tuple[bytes, bytes]], extra: _Fields) -> list[tuple[bytes, bytes]]:
    """Header fields, and those of `extra` whose names are not among them."""
    given = list(fields)
    names = {name.lower() for name, _ in given}
    return given + [field for field in extra if field[0] not in names]


def _preflight() -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "content-type, content-encoding",
            "access-control-max-age": "600",
        },
    )
