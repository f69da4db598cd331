"""Finding the collector that runs, and asking it."""

import json
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import click
import httpx

from weft_collector.cli import run_file
from weft_collector.cli.exits import CollectorRefused, NotReachable
from weft_collector.config import is_loopback

__all__ = ["DEFAULT_URL", "Collector", "Found", "collector_option", "find"]

DEFAULT_URL: Final = "http://127.0.0.1:4318"
_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)

collector_option = click.option(
    "--collector",
    metavar="URL",
    help=f"Address of the collector [default: WEFT_COLLECTOR, the one that runs, {DEFAULT_URL}].",
)


@dataclass(frozen=True, slots=True)
class Found:
    """An address, and who named it."""

    url: str
    source: str


def find(option: str | None, environ: Mapping[str, str]) -> Found:
    """Where the collector is: the option, WEFT_COLLECTOR, the run file, or the default.

    Raises:
        click.UsageError: The address is none.
    """
    running = run_file.read(run_file.location(environ))
    candidates = (
        (option, "--collector"),
        (environ.get("WEFT_COLLECTOR"), "WEFT_COLLECTOR"),
        (running.url if running else None, "the run file"),
        (DEFAULT_URL, "the default"),
    )
    url, source = next((url, source) for url, source in candidates if url)
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise click.UsageError(f"{source}: {url!r} is no address; write it like {DEFAULT_URL}.")
    return Found(url.rstrip("/"), source)


class Collector:
    """A client of one collector, for one request."""

    def __init__(self, found: Found) -> None:
        self._found = found
        # A proxy for the outside world knows nothing of this machine's loopback interface.
        local = is_loopback(urlsplit(found.url).hostname or "")
        self._client = httpx.Client(base_url=found.url, timeout=_TIMEOUT, trust_env=not local)

    @classmethod
    def at(cls, option: str | None) -> "Collector":
        """The collector that `find` finds."""
        return cls(find(option, os.environ))

    def get(self, path: str, query: Mapping[str, Any]) -> bytes:
        """The body of an answer; see `stream`."""
        with self.stream(path, query) as chunks:
            return b"".join(chunks)

    @contextmanager
    def stream(self, path: str, query: Mapping[str, Any]) -> Generator[Iterator[bytes]]:
        """The chunks of an answer's body.

        Args:
            path: Path of the API.
            query: Parameters; those that are None are left out.

        Raises:
            NotReachable: Nobody answers.
            CollectorRefused: It answered with a problem, or broke off.
        """
        given = {name: value for name, value in query.items() if value is not None}
        with self._asked("GET", path, params=given) as response:
            yield response.iter_bytes()

    @contextmanager
    def post(self, path: str, body: Mapping[str, Any]) -> Generator[httpx.Response]:
        """The answer to a question that is sent as JSON; see `stream`."""
        with self._asked("POST", path, json=body) as response:
            yield response

    @contextmanager
    def _asked(self, method: str, path: str, **given: Any) -> Generator[httpx.Response]:
        """An answer that is no problem, before its body is read.

        Raises:
            NotReachable: Nobody answers.
            CollectorRefused: It answered with a problem, or broke off.
        """
        try:
            with self._client, self._client.stream(method, path, **given) as response:
                if response.is_error:
                    response.read()
                    raise CollectorRefused(self._complaint(response))
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise NotReachable(self._nobody(error)) from error
        except httpx.TransportError as error:
            raise CollectorRefused(
                f"{self._found.url} broke off: {error or type(error).__name__}."
            ) from error

    def _nobody(self, error: httpx.TransportError) -> str:
        return (
            f"No collector answers at {self._found.url} (from {self._found.source}): {error}. "
            "Start one with `weft serve`, or name its address with --collector URL."
        )

    def _complaint(self, response: httpx.Response) -> str:
        try:
            problem = json.loads(response.content)
            return f"{problem['title']}: {problem['detail']} {problem.get('help', '')}".strip()
        except (ValueError, KeyError, TypeError):
            return f"{self._found.url} answered {response.status_code}; is it a Weft collector?"
