"""Reads the collector's API for the demo: what `weft graph` and the page show, over the same paths."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from weft_collector.demo.errors import DemoFailed

Graph = dict[str, Any]
"""The JSON of `/api/v1/graph`."""

TIMEOUT_SECONDS = 10.0


def now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


class Reader:
    """A client of one collector.

    Args:
        url: Its address.
        clock: Wall clock; the time of construction is where graphs begin.
    """

    def __init__(self, url: str, clock: Callable[[], datetime] = now) -> None:
        self.url = url
        self._clock = clock
        self._since = clock()
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def close(self) -> None:
        """Close the connections. Safe twice."""
        self._client.close()

    def ready(self) -> bool:
        """Whether the collector answers that it is ready."""
        try:
            return self._client.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def graph(self) -> Graph:
        """All calls from the minute of the start until now, those of unknown callers included.

        Raises:
            DemoFailed: The collector does not answer.
        """
        until = self._clock() + timedelta(minutes=1)
        query = {"start": _text(self._since), "end": _text(until), "unknown": "true"}
        return self._get("/api/v1/graph", query)

    def trace(self, trace_id: str) -> dict[str, Any]:
        """One trace as OTLP JSON, by its 32 hex digits; without a span while none has arrived.

        Raises:
            DemoFailed: The collector does not answer.
        """
        return self._get(f"/api/v1/traces/{trace_id}", {}, missing={"resourceSpans": []})

    def _get(self, path: str, query: dict[str, str], missing: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON of an answer; `missing` for a 404, if given."""
        try:
            answer = self._client.get(path, params=query)
            if missing is not None and answer.status_code == 404:
                return missing
            document: dict[str, Any] = answer.raise_for_status().json()
        except httpx.HTTPError as error:
            raise DemoFailed(f"the collector does not answer {path} as it should: {error}") from error
        return document


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
