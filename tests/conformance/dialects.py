"""How servers are asked for their graph, and how much of a case their answer can hold.

A dialect asks for all edges at once, as {(caller, callee): figures}. Weft speaks of nodes by the ids of the rules. The
others know services by their bare names, so they are held to the calls between two services, added up over
environments and namespaces; for Jaeger these are calls, for Zipkin and Prometheus calls and errors.
"""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from datetime import UTC, datetime

from tests.conformance.measured import Measured

SERVICE = re.compile(r"service:(?:[^/]*/)*([^/]+)")
TIMEOUT = 30


class RefusedError(Exception):
    """A server's answer that is no success."""


class UnreachableError(Exception):
    """Nobody answers."""


class Http:
    """Requests to a server, with headers of the user's."""

    def __init__(self, headers):
        self._headers = headers

    def post(self, url, content):
        headers = {"content-type": "application/json", **self._headers}
        return self._open(urllib.request.Request(url, json.dumps(content).encode(), headers))

    def get(self, url, **query):
        asked = f"{url}?{urllib.parse.urlencode(query)}"
        return json.loads(self._open(urllib.request.Request(asked, headers=self._headers)))

    def _open(self, request):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise RefusedError(
                f"{request.full_url}: {error.code} {error.read(300).decode(errors='replace')}"
            ) from None
        except OSError as error:
            raise UnreachableError(f"{request.full_url}: {error}") from None


class Weft:
    """`/api/v1/graph`: every edge that a case expects, with all figures that are served."""

    whole_minutes = True

    def ask(self, http, url, start_ns, end_ns):
        graph = http.get(f"{url}/api/v1/graph", start=moment(start_ns), end=moment(end_ns), unknown="true")
        edges = {(e["caller"], e["callee"]): self._figures(e) for e in graph["edges"]}
        return edges, [node["id"] for node in graph["nodes"]]

    def expected(self, renaming, expected):
        """What of a case this dialect can say, and whether it can say anything."""
        nodes = [node for node in map(renaming.node, expected.get("nodes", ())) if renaming.prefix in node]
        wanted = {"edges": renaming.edges(expected["edges"])} | ({"nodes": sorted(nodes)} if nodes else {})
        return wanted if wanted["edges"] or nodes else None

    def is_of(self, renaming, ends):
        """Whether an edge belongs to a case."""
        return any(renaming.prefix in end for end in ends)

    def _figures(self, edge):
        figures = {name: edge[name] for name in ("calls", "errors", "completeness")}
        return figures | {side: Measured(edge[side]) for side in ("client", "server")}


class Services:
    """What the others have in common: calls between services by their names."""

    whole_minutes = False
    figures = ("calls", "errors")

    def expected(self, renaming, expected):
        summed = defaultdict(Counter)
        for edge in renaming.edges(expected["edges"]):
            ends = bare_name(edge["caller"]), bare_name(edge["callee"])
            if self.is_of(renaming, ends):
                summed[ends].update({figure: edge[figure] for figure in self.figures})
        rows = [{"caller": a, "callee": b} | {f: n[f] for f in self.figures} for (a, b), n in summed.items()]
        return {"edges": rows} if rows else None

    def is_of(self, renaming, ends):
        return all(end.startswith(renaming.prefix) for end in ends)


class Jaeger(Services):
    """`/api/dependencies`."""

    figures = ("calls",)

    def ask(self, http, url, start_ns, end_ns):
        asked = http.get(f"{url}/api/dependencies", **until(start_ns, end_ns))
        return {(e["parent"], e["child"]): {"calls": e["callCount"]} for e in asked["data"] or ()}, []


class Zipkin(Services):
    """`/api/v2/dependencies`."""

    def ask(self, http, url, start_ns, end_ns):
        asked = http.get(f"{url}/api/v2/dependencies", **until(start_ns, end_ns))
        return {
            (e["parent"], e["child"]): {"calls": e["callCount"], "errors": e.get("errorCount", 0)}
            for e in asked
        }, []


class Prometheus(Services):
    """`/api/v1/query`, for the metrics of Tempo's generator and of the Collector's service graph connector."""

    def ask(self, http, url, start_ns, end_ns):
        edges = defaultdict(lambda: dict.fromkeys(self.figures, 0))
        for figure, metric in (("calls", "request_total"), ("errors", "request_failed_total")):
            asked = http.get(
                f"{url}/api/v1/query", query=f"traces_service_graph_{metric}", time=end_ns // 10**9
            )
            for series in asked["data"]["result"]:
                ends = series["metric"].get("client", ""), series["metric"].get("server", "")
                edges[ends][figure] += round(float(series["value"][1]))
        return dict(edges), []


DIALECTS = {"weft": Weft(), "jaeger": Jaeger(), "zipkin": Zipkin(), "prometheus": Prometheus()}


def bare_name(node):
    """A service's name without what stands before it; empty for other nodes."""
    found = SERVICE.fullmatch(node)
    return urllib.parse.unquote(found[1]) if found else ""


def until(start_ns, end_ns):
    return {"endTs": end_ns // 10**6, "lookback": (end_ns - start_ns) // 10**6}


def moment(ns):
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
