"""The leaf that carries request bodies to a collector by httpx.

httpx's *transport* is used and not its client: a client logs each request on the service's own log and keeps
cookies. One connection is kept open. What httpx imports late, it imports when the object is made: see
`weft.forking`.
"""

import codecs
import gzip
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from weft import __version__
from weft.encode import CONTENT_TYPE
from weft.reply import Outcome, read_partial_success, retry_after

RETRYABLE: Final = frozenset({429, 502, 503, 504})
MAX_ANSWER: Final = 65_536
"""Bytes of an answer that are read; a longer one is not OTLP."""
COMPRESS_FROM: Final = 1024
"""Bytes from which a body is worth compressing."""


class HttpTransport:
    """Sends bodies to one address.

    Args:
        url: the address that takes spans, `http(s)://host:port/v1/traces`.
        headers: further headers of each request, for example a token.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = {"user-agent": f"weft/{__version__}", **headers, "content-type": CONTENT_TYPE}
        self._open: httpx.HTTPTransport | None = self._opened()

    def send(self, body: bytes, timeout: float) -> Outcome:
        """Send one body; takes about `timeout` seconds at most."""
        deadline = time.monotonic() + timeout
        try:
            with closing(self._connection().handle_request(self._request(body, timeout))) as response:
                return judge(response, _read(response, deadline))
        except httpx.TransportError as error:
            self.close()
            return Outcome(delivered=False, retryable=True, problem=f"{type(error).__name__}: {error}")

    def _request(self, body: bytes, timeout: float) -> httpx.Request:
        headers = dict(self._headers)
        if len(body) >= COMPRESS_FROM:
            body = gzip.compress(body, 1, mtime=0)
            headers["content-encoding"] = "gzip"
        times = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        return httpx.Request("POST", self._url, headers=headers, content=body, extensions={"timeout": times})

    def _connection(self) -> httpx.HTTPTransport:
        if self._open is None:
            self._open = self._opened()
        return self._open

    def _opened(self) -> httpx.HTTPTransport:
        codecs.lookup("idna")  # imported by the first connection otherwise, too late for a fork
        limits = httpx.Limits(max_connections=1, keepalive_expiry=30.0)
        return httpx.HTTPTransport(
            verify=self._url.startswith("https:"), limits=limits, proxy=proxy_for(self._url)
        )

    def close(self) -> None:
        """Close the connection. Safe twice; the next `send` opens a new one."""
        if self._open is not None:
            self._open.close()
            self._open = None


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for `url`; none for the own machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1" or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def _read(response: httpx.Response, deadline: float) -> bytes:
    """Read the answer's body until its end, its limit, or the deadline; no more is needed."""
    found = b""
    for part in response.iter_raw():
        found += part
        if len(found) > MAX_ANSWER or time.monotonic() > deadline:
            break
    return found


def judge(response: httpx.Response, body: bytes) -> Outcome:
    """Tell what an answer means for the body that was sent."""
    code = response.status_code
    if 200 <= code < 300:
        rejected, why = read_partial_success(body)
        return Outcome(delivered=True, rejected=rejected, problem=why)
    pause = retry_after(response.headers.get("retry-after"))
    problem = f"HTTP {code} {body[:200].decode(errors='replace')}".strip()
    return Outcome(delivered=False, retryable=code in RETRYABLE, retry_after=pause, problem=problem)
