"""The records of the log beside spans: leases of instances, and calls that agents counted themselves."""

from dataclasses import dataclass
from urllib.parse import unquote

from tests.conformance.conventions import Span, at, identity, service, values
from tests.conformance.sums import MINUTE

EDGE_COUNTS = "weft.calls"


@dataclass(frozen=True)
class Lease:
    """An instance's right to an address, from `start` until before `end`."""

    node: str
    instance: str
    address: str
    start: int
    end: int

    def covers(self, address, time):
        return self.address == address and self.start <= time < self.end


@dataclass(frozen=True)
class EdgeCount:
    """Calls that an instance has counted in a minute, on the side that was called, or towards no service."""

    owner: tuple[str, str]
    minute: int
    caller: str
    callee: str
    calls: int


def leases(records):
    return [
        Lease(
            service(r.get("environment", ""), r.get("namespace", ""), r["service"]),
            r["instance"],
            at(r["address"], r["port"]),
            int(r["startTimeUnixNano"]),
            int(r["endTimeUnixNano"]),
        )
        for r in records
    ]


def edge_counts(bodies):
    """The counts in OTLP metrics requests; a point that comes again is left out."""
    points = {}
    for body in bodies:
        for resource_metrics in body["resourceMetrics"]:
            owner = identity(resource_metrics["resource"])
            for metric in (m for scope in resource_metrics["scopeMetrics"] for m in scope["metrics"]):
                for point in metric["sum"]["dataPoints"] if metric["name"] == EDGE_COUNTS else ():
                    said = values(point["attributes"])
                    key = owner, frozenset(said.items()), point["startTimeUnixNano"], point["timeUnixNano"]
                    points.setdefault(key, (owner, said, point))
    return [count for args in points.values() if (count := edge_count(*args))]


def edge_count(identity_, said, point):
    home, node, instance = identity_
    start, calls = int(point["startTimeUnixNano"]), int(point["asInt"])
    if said["weft.side"] == "callee":
        named, _, _ = said.get("weft.caller", "").partition(";")
        caller = service(*home, unquote(named)) if named else "client:"
        return EdgeCount((node, instance), start // MINUTE, caller, node, calls)
    as_span = Span(0, 0, 0, "CLIENT", "", start, start, home, node, instance, said)
    peer = as_span.named_peer or as_span.external
    if peer.startswith("service:"):
        return None  # whoever is called counts
    return EdgeCount((node, instance), start // MINUTE, node, peer, calls)
