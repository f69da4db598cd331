"""The graph of a set of spans as it stands after settle(): docs/graph-rules.md by slow, plain batch computation."""

import ipaddress
import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

CALLERS, CALLEES = ("CLIENT", "PRODUCER"), ("SERVER", "CONSUMER")
FAILING_CODES = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
BLAME_THE_CALLER = {
    "CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNAUTHENTICATED",
}  # fmt: skip
FAILURES = {"5xx", "timeout", "refused", "exception"} | FAILING_CODES
NEW_PRODUCTS = {"mssql": "microsoft.sql_server", "redshift": "aws.redshift"}
NO_CALL = ("no call",)


@dataclass(frozen=True)
class Span:
    trace: int
    id: int
    parent: int = 0
    kind: str = "SERVER"
    service: str = "a"
    instance: str = ""
    start: int = 0
    end: int = 0
    error: bool = False
    http: int = 0
    error_type: str = ""
    rpc: str = ""
    peer_service: str = ""
    db_system: str = ""
    db_namespace: str = ""
    messaging_system: str = ""
    destination: str = ""
    address: str = ""
    port: int = 0
    entry: str = ""  # "service;instance" of a caller entry that is valid
    namespace: str = ""
    environment: str = ""
    host: str = ""
    pid: int = 0
    operation: str = ""
    message_count: int = 0  # -1: it says that there are none
    template: str = ""
    cluster: str = ""
    peer_namespace: str = ""
    peer_address: str = ""  # found elsewhere than in server.address
    peer_port: int = 0
    rpc_code: str = ""

    @property
    def side(self):
        return "caller" if self.kind in CALLERS else "callee" if self.kind in CALLEES else "local"

    @property
    def fetches(self):
        return self.kind == "CLIENT" and self.operation in ("receive", "process", "deliver")

    @property
    def consumes(self):
        return self.operation != "settle" and (self.kind == "CONSUMER" or self.fetches)

    @property
    def role(self):
        return "local" if self.operation == "settle" else "callee" if self.consumes else self.side

    @property
    def place(self):
        return self.instance or (f"{self.host}:{self.pid}" if self.host or self.pid else "")

    @property
    def node(self):
        return self.service_node(self.service or "unknown_service")

    def service_node(self, name, namespace=""):
        parts = [self.environment, namespace or self.namespace, name]
        while not parts[0] and len(parts) > 1:
            parts.pop(0)
        return "service:" + path(parts)

    @property
    def owner(self):
        return self.node, self.place

    @property
    def outcome(self):
        if 400 <= self.http <= 599:
            return "4xx" if self.http < 500 else "5xx"
        code = (self.rpc_code or (self.error_type if self.rpc else "")).upper()
        if code in BLAME_THE_CALLER | FAILING_CODES:
            return code
        if not (self.error or self.error_type):
            return "ok"
        said = "".join(letter for letter in self.error_type.lower() if "a" <= letter <= "z")
        if "timeout" in said or "timedout" in said or "deadlineexceeded" in said:
            return "timeout"
        return "refused" if "refused" in said else "exception"


@dataclass
class Edge:
    calls: int = 0
    errors: int = 0
    both: int = 0
    client_only: int = 0
    server_only: int = 0
    inferred: int = 0
    outcomes: Counter = field(default_factory=Counter)
    client: list[int] = field(default_factory=list)
    server: list[int] = field(default_factory=list)


def channel(s):
    broker = s.peer_service if s.kind in ("PRODUCER", "CONSUMER") else ""
    name = s.template or s.destination or broker
    if s.kind in ("CLIENT", "PRODUCER", "CONSUMER") and name and not (s.role == "caller" and s.db_system):
        return "channel:" + path(filter(bool, [s.messaging_system, s.cluster, name]))
    return None


def peer(s):
    if channel(s):
        return channel(s)
    if s.peer_service:
        return s.service_node(s.peer_service, s.peer_namespace)
    address, port = (s.address, s.port) if s.address else (s.peer_address, s.peer_port)
    if s.db_system:
        product = NEW_PRODUCTS.get(s.db_system, s.db_system)
        host = "" if is_address(address) else address
        return "database:" + path(filter(bool, [product, host, s.db_namespace or host or product]))
    host = f"[{address}]" if ":" in address else address
    return "external:" + path([f"{host}:{port}" if port else host]) if host else "unknown:peer"


def names_its_peer(s):
    return bool(s.peer_service or s.db_system or channel(s))


def path(parts):
    return "/".join(quote(part, safe=":") for part in parts)


def is_address(host):
    try:
        return bool(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return False


class Oracle:
    def __init__(self, spans):
        self.distinct, self.by_id = [], defaultdict(list)
        for s in spans:
            halves = self.by_id[s.trace & (1 << 64) - 1, s.id]
            twins = [h for h in halves if (h.side, h.owner) == (s.side, s.owner)]
            if not twins and len(halves) < 8:
                halves.append(s)
                self.distinct.append(s)

    def halves(self, child, span_id):
        return [h for h in self.by_id.get((child.trace & (1 << 64) - 1, span_id), []) if h is not child]

    def parent(self, child):
        sides = child.side, child.role
        shared = [
            h for h in self.halves(child, child.id) if (*sides, h.side) == ("callee", "callee", "caller")
        ]
        above = self.halves(child, child.parent) if child.parent else []

        def distance(h):
            apart = h.owner != child.owner, h.node != child.node, h.environment != child.environment
            return apart, ("callee", "local", "caller").index(h.side), h.start, h.owner

        return min(shared or above, key=distance, default=None)

    def way_up(self, span):
        found = [span]
        while len(found) <= 32 and (above := self.parent(found[-1])):
            found.append(above)
        return found

    def caller(self, s):
        """(caller node, caller-side span or None), or NO_CALL."""
        if s.consumes and s.message_count < 0:
            return NO_CALL
        if s.consumes and channel(s):
            return channel(s), None
        path = self.way_up(s)
        if s.role == "local" and (s.side != "local" or len(path) == 1 or path[1].node == s.node):
            return NO_CALL
        for below, p in itertools.pairwise(path):
            if below is not s and p.node != s.node:
                return self.nested(s, below)
            if p.role == "caller":
                return self.through(p)
            if p.node != s.node:
                return self.inside(path[path.index(p) :])
            if p.role == "callee":
                return self.nested(s, p)
        return self.ended(s, path[-1]) if len(path) <= 32 else ("unknown:", None)

    def ended(self, s, top):
        """Who called where the parents end."""
        if top.parent and top.entry:
            return top.service_node(unquote(top.entry.split(";")[0])), None
        if s.kind == "SERVER" and s.peer_service and not (s.parent and s.entry):
            return s.service_node(s.peer_service, s.peer_namespace), None
        if top.parent:
            return "unknown:", None
        return NO_CALL if s.consumes else ("client:", None)

    def nested(self, s, outer):
        return NO_CALL if outer.place == s.place else (s.node, None)

    def inside(self, path):
        node = path[0].node
        for p in path:
            if p.node != node or p.role == "callee":
                break
            if p.role == "caller":
                return self.through(p)
        return node, None

    def through(self, p):
        channel_ = channel(self.named(p))
        return (channel_, None) if channel_ else (p.node, p)

    def wrappers(self, s):
        """The spans around a caller side that call, too, nearest first."""
        for p in self.way_up(s)[1:]:
            if p.owner != s.owner or p.role == "callee":
                return
            if p.role == "caller":
                yield p

    def named(self, s):
        """The span that names the peer of a caller side: itself, or a wrapper that lends its name."""
        return next(filter(names_its_peer, [s, *self.wrappers(s)]), s)

    def edges(self):
        """{(minute, caller, callee): Edge} after settle()."""
        edges, callees = defaultdict(Edge), defaultdict(list)
        for s in self.distinct:
            answer = NO_CALL if s.role == "caller" else self.caller(s)
            if answer is not NO_CALL:
                callees[id(answer[1]) if answer[1] else None].append((s, *answer))
        callers = [s for s in self.distinct if s.role == "caller"]
        wrappers = {id(p) for s in callers for p in itertools.islice(self.wrappers(s), 1)}
        for s in callers:
            if id(s) not in wrappers and not callees[id(s)]:
                book(edges, s, s.node, peer(self.named(s)), s, None)
        for answers in callees.values():
            answers.sort(key=lambda a: (a[0].start, a[0].id, a[0].owner))
            for n, (s, caller, side) in enumerate(answers):
                book(edges, s, caller, s.node, side if n == 0 else None, s, seen=side)
        return dict(edges)


def book(edges, s, caller, callee, client, server, seen=None):
    edge = edges[s.start // 60_000_000_000, caller, callee]
    edge.calls += 1
    outcomes = [side.outcome for side in (server, client) if side]
    failures = [outcome for outcome in outcomes if outcome in FAILURES]
    outcome = next((o for o in (*failures, *outcomes) if o != "ok"), "ok")
    edge.outcomes[outcome] += 1
    edge.errors += outcome in FAILURES
    edge.both += server is not None and seen is not None
    edge.server_only += server is not None and seen is None
    edge.client_only += server is None
    edge.client += [max(0, client.end - client.start)] if client else []
    edge.server += [max(0, server.end - server.start)] if server else []
