"""What is asked of a loaded collector: traces by id, searches, graphs of windows; answers checked and timed.

Times are wall times of whole HTTP requests over one kept connection, parsing of the answer excluded. No
question is asked twice in the same words, so no cache of answers can help.
"""

import http.client
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import numpy as np

from benchmarks.figures import Figure
from benchmarks.load import Body
from benchmarks.pool import Pass, Pool

__all__ = ["DAY_NS", "SEARCHES", "Asker", "day", "graph_figures", "search_figures", "trace_figures"]

MINUTE_NS: Final = 60 * 10**9
DAY_NS: Final = 24 * 60 * MINUTE_NS
SHORTEST_MINUTES: Final = 5

Parameters = Sequence[tuple[str, str]]
SEARCHES: Final[Mapping[str, Parameters]] = {
    "newest of a service": [("service", "{service}")],
    "a service's operation": [("service", "cart-service"), ("operation", "GET /api/v1/cart")],
    "slow calls of a service": [("service", "{service}"), ("min_duration", "{milliseconds}ms")],
    "errors of a service": [("service", "{service}"), ("status", "error")],
    "a span attribute": [("attribute", "app.tenant.id=tenant-{tenant}")],
    "a resource attribute and errors": [("attribute", "k8s.node.name=node-{node}"), ("status", "error")],
    "two attributes that never meet": [
        ("attribute", "messaging.system=kafka"),
        ("attribute", "app.tenant.id=tenant-{tenant}"),
    ],
    "a service and an absent value": [
        ("service", "{service}"),
        ("attribute", "app.tenant.id=tenant-{absent}"),
    ],
}
"""The named queries: the last two are conjunctions with nothing to find."""
FIND_NOTHING: Final = ("two attributes that never meet", "a service and an absent value")
WORDS: Final = ("cart", "checkout", "payment", "shipping", "catalog", "search", "user", "order", "billing")


class Asked(NamedTuple):
    """An answer and how long it took."""

    status: int
    body: bytes
    seconds: float


class Asker:
    """One connection over which questions are asked.

    Args:
        url: The collector's address.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)

    def ask(self, path: str, parameters: Parameters = ()) -> Asked:
        """One GET."""
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        begun = time.perf_counter()
        self._connection.request("GET", target)
        answer = self._connection.getresponse()
        body = answer.read()
        return Asked(answer.status, body, time.perf_counter() - begun)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def day(pool: Pool, spans: int, end_ns: int) -> list[Pass]:
    """Passes that spread so many spans evenly over the 24 h before a time."""
    count = max(1, -(-spans // pool.spans))
    step = DAY_NS // count
    stretch = step / (pool.span_ns + 1)
    return [Pass(n, end_ns - DAY_NS + n * step, stretch) for n in range(count)]


def percentiles(name: str, seconds: Sequence[float], bounds: Mapping[int, tuple[str, str]]) -> list[Figure]:
    """A figure in ms for each percentile, with its gate and goal."""
    return [
        Figure(f"{name} p{percent}", float(np.percentile(seconds, percent)) * 1e3, "ms", *gates)
        for percent, gates in bounds.items()
    ]


def trace_figures(asker: Asker, pool: Pool, bodies: Sequence[Body], count: int = 300) -> list[Figure]:
    """Traces by id, of spans that were acknowledged, and of ids that nobody sent; warm."""
    chance = random.Random(7)
    for _ in range(20):
        _known_trace(asker, pool, chance.choice(bodies), chance)
    known = [_known_trace(asker, pool, chance.choice(bodies), chance) for _ in range(count)]
    unknown = [_unknown_trace(asker, chance) for _ in range(count)]
    return [
        *percentiles("trace by id", known, {50: ("<= 10", "<= 5"), 95: ("<= 40", "<= 25")}),
        *percentiles("trace by id, unknown", unknown, {50: ("<= 1", ""), 95: ("", "")}),
    ]


def _known_trace(asker: Asker, pool: Pool, body: Body, chance: random.Random) -> float:
    traces, spans = pool.ids(body.number, body.replay)
    row = chance.randrange(len(traces))
    asked = asker.ask(f"/api/v1/traces/{bytes(traces[row]).hex()}")
    assert asked.status == 200, f"an acknowledged trace is not found: {asked.status} {asked.body[:200]!r}"
    assert bytes(spans[row]).hex().encode() in asked.body, "an acknowledged span is missing in its trace"
    return asked.seconds


def _unknown_trace(asker: Asker, chance: random.Random) -> float:
    asked = asker.ask(f"/api/v1/traces/{chance.getrandbits(128) | 1:032x}")
    assert asked.status == 404, f"a trace that nobody sent: {asked.status}"
    return asked.seconds


def search_figures(asker: Asker, end_ns: int, count: int = 12) -> list[Figure]:
    """The named queries over 24 h; no figures if the collector has no search."""
    chance = random.Random(9)
    if asker.ask("/api/v1/traces", [("limit", "1")]).status in {404, 405}:
        print("this collector has no search: /api/v1/traces is not served", file=sys.stderr)
        return []
    figures, everything = list[Figure](), list[float]()
    for name, parameters in SEARCHES.items():
        asked = [_search(asker, name, _drawn(parameters, chance), end_ns) for _ in range(count)]
        seconds = [one.seconds for one, _ in asked]
        everything += seconds
        figures += percentiles(f"search, {name},", seconds, {50: ("", ""), 95: ("<= 500", "<= 200")})
        ended = sum(not complete for _, complete in asked)
        figures += [Figure(f"search, {name}, ended at its budget", ended, "times", "<= 0")] if ended else []
    return [
        *figures,
        *percentiles("search, all named queries,", everything, {50: ("", ""), 95: ("<= 500", "<= 200")}),
    ]


def _drawn(parameters: Parameters, chance: random.Random) -> list[tuple[str, str]]:
    """The parameters with values of their own."""
    values = {
        "service": f"{chance.choice(WORDS)}-service",
        "tenant": chance.randrange(500),
        "node": chance.randrange(7),
        "milliseconds": chance.randrange(400, 900),
        "absent": chance.randrange(1000, 10**9),
    }
    return [(name, value.format(**values)) for name, value in parameters]


def _search(asker: Asker, name: str, parameters: Parameters, end_ns: int) -> tuple[Asked, bool]:
    """One search of 24 h, and whether it looked at all of them."""
    window = [("start", iso(end_ns - DAY_NS)), ("end", iso(end_ns)), ("limit", "20")]
    asked = asker.ask("/api/v1/traces", [*parameters, *window])
    assert asked.status == 200, f"search {name}: {asked.status} {asked.body[:300]!r}"
    found = json.loads(asked.body)
    traces = found.get("traces", found.get("spans", []))
    assert name not in FIND_NOTHING or not traces, f"search {name} found what is not there"
    return asked, found.get("complete", True)


def iso(ns: int) -> str:
    """A time as the API reads it, in whole minutes."""
    return datetime.fromtimestamp(ns // MINUTE_NS * 60, UTC).isoformat().replace("+00:00", "Z")


def windows(end_ns: int, count: int, chance: random.Random) -> Iterator[Parameters]:
    """Windows inside the 24 h before a time: anywhere, from minutes to the whole day, the whole day first."""
    whole = DAY_NS // MINUTE_NS
    yield [("start", iso(end_ns - DAY_NS)), ("end", iso(end_ns))]
    for _ in range(count - 1):
        minutes = int(SHORTEST_MINUTES * (whole / SHORTEST_MINUTES) ** chance.random())
        start = end_ns - DAY_NS + chance.randrange(whole - minutes + 1) * MINUTE_NS
        yield [("start", iso(start)), ("end", iso(start + minutes * MINUTE_NS))]


def graph_figures(
    asker: Asker, end_ns: int, name: str, gates: tuple[str, str], count: int = 30
) -> list[Figure]:
    """Graphs of any windows of a day; `gates` are those of the 95th percentile."""
    chance = random.Random(11)
    asked = [asker.ask("/api/v1/graph", window) for window in windows(end_ns, count, chance)]
    assert {answer.status for answer in asked} == {200}, asked[0].body[:300]
    edges = len(json.loads(asked[0].body)["edges"])
    seconds = [answer.seconds for answer in asked]
    return [
        *percentiles(f"{name}, any window,", seconds, {50: ("", ""), 95: gates}),
        Figure(f"{name}, the whole day", seconds[0] * 1e3, "ms"),
        Figure(f"{name}, edges of the whole day", edges, "edges"),
    ]
