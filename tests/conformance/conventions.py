"""What a span says about itself: OTLP JSON into plain values, by sections 0, 1, 4 and 5 of docs/graph-rules.md.

Nothing here looks at a second span; `oracle` does that, and knows no attribute by name.
"""

import ipaddress
import json
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
SIDES = {"CLIENT": "caller", "PRODUCER": "caller", "SERVER": "callee", "CONSUMER": "callee"}
CODES_BY_NUMBER = """OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED
RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS
UNAUTHENTICATED"""  # gRPC's
CODES = CODES_BY_NUMBER.split()
SERVERS_FAULT = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
FAILED = {"5xx", "timeout", "refused", "exception"} | SERVERS_FAULT
OPERATIONS = {"publish": "send", "deliver": "process"}
RENAMED = {
    "mssql": "microsoft.sql_server",
    "oracle": "oracle.db",
    "dynamodb": "aws.dynamodb",
    "cosmosdb": "azure.cosmosdb",
    "db2": "ibm.db2",
    "spanner": "gcp.spanner",
    "hanadb": "sap.hana",
    "redshift": "aws.redshift",
    "h2": "h2database",
}
TEMPORARY = (
    "messaging.destination.temporary",
    "messaging.destination.anonymous",
    "messaging.temp_destination",
)
URL = re.compile("([a-zA-Z0-9+.-]+)://(.*)", re.DOTALL)
HOST = r"\[([^][/?#@\x00- \x7f]+)\]|([^][/?#@:\x00- \x7f]+)"
AUTHORITY = re.compile(rf"(?:[^/?#]*@)?(?:{HOST})(?::([0-9]{{0,10}}))?(?:[/?#].*)?", re.DOTALL)
UNIT, MOST = (
    1 << 20,
    1 << 20,
)  # a weight is a multiple of 1/UNIT, at most MOST; a batch has at most MOST messages


@dataclass(frozen=True, eq=False)
class Span:
    trace: int
    id: int
    parent: int
    kind: str
    name: str
    start: int
    end: int
    home: tuple[str, str]  # environment, namespace
    node: str
    instance: str
    attributes: dict
    failed_status: bool = False
    state: str = ""
    links: tuple[tuple[int, int], ...] = ()

    @property
    def side(self):
        return SIDES.get(self.kind, "local")

    @property
    def operation(self):
        said = self.text("messaging.operation.type", "messaging.operation")
        return OPERATIONS.get(said, said) or {"PRODUCER": "send", "CONSUMER": "process"}.get(self.kind, "")

    @property
    def consumes(self):
        fetched = self.kind == "CLIENT" and self.operation in ("receive", "process")
        return self.operation != "settle" and (self.kind == "CONSUMER" or fetched)

    @property
    def role(self):
        return "local" if self.operation == "settle" else "callee" if self.consumes else self.side

    @property
    def owner(self):
        return self.node, self.instance

    # ---- attributes

    def text(self, *keys):
        return text(self.attributes, *keys)

    def number(self, *keys, largest=MOST):
        return number(self.attributes, *keys, largest=largest)

    # ---- nodes

    @property
    def channel(self):
        """The channel that it publishes to or reads from."""
        if self.kind not in ("CLIENT", "PRODUCER", "CONSUMER"):
            return ""
        name = self.text("messaging.destination.template")
        if not name and True in map(self.attributes.get, TEMPORARY):
            name = "(temporary)"
        name = name or self.text("messaging.destination.name", "messaging.destination")
        if not name and self.kind != "CLIENT":
            name = self.text("service.peer.name", "peer.service")  # Zipkin knows brokers only
        parts = [self.text("messaging.system"), self.text("messaging.kafka.cluster.id"), name]
        return "channel:" + path(filter(None, parts)) if name else ""

    @property
    def peer_service(self):
        name, namespace = self.text("service.peer.name", "peer.service"), self.text("service.peer.namespace")
        return service(self.home[0], namespace or self.home[1], name) if name else ""

    @property
    def named_client(self):
        """The caller that a SERVER span names: (node, instance), or None."""
        named = self.kind == "SERVER" and self.peer_service and not self.entry()
        return (self.peer_service, "") if named else None

    @property
    def named_peer(self):
        """The service, database or channel that a caller-side span names."""
        if self.channel and not self.text("db.system.name", "db.system"):
            return self.channel
        if self.peer_service:
            return self.peer_service
        if system := self.text("db.system.name", "db.system"):
            system = RENAMED.get(system, system)
            host = "" if is_address(self.host[0]) else self.host[0]
            name = self.text("db.namespace", "db.name", "db.redis.database_index") or self.database_index
            return "database:" + path(filter(None, [system, host, name or host or system]))
        return ""

    @property
    def database_index(self):
        index = self.attributes.get("db.redis.database_index")
        return str(index) if type(index) is int and 0 <= index <= MOST else ""

    @property
    def host(self):
        """Host and port that a caller-side span names, or ("", 0)."""
        port = self.number("server.port", "net.peer.port", largest=65_535)
        if name := self.text("server.address", "net.peer.name"):
            return name, port
        urls = (url(self.text(key)) for key in ("url.full", "http.url"))
        scheme, *asked = next((found for found in urls if found[1]), ("", "", 0))
        name, own = max(authority(self.text("http.host")), tuple(asked), key=lambda found: found[0] != "")
        return (name, own or {"http": 80, "https": 443}.get(scheme, port)) if name else self.actual_host

    @property
    def actual_host(self):
        port = self.number("network.peer.port", "net.sock.peer.port", "net.peer.port", largest=65_535)
        return self.text("network.peer.address", "net.sock.peer.addr", "net.peer.ip"), port

    @property
    def external(self):
        return "external:" + path([at(*self.host)]) if self.host[0] else "unknown:peer"

    # ---- figures

    @property
    def outcome(self):
        http = self.number("http.response.status_code", "http.status_code", largest=999)
        if 400 <= http <= 599:
            return "4xx" if http < 500 else "5xx"
        said = self.text("rpc.response.status_code", "rpc.status_code", "rpc.connect_rpc.error_code")
        grpc, error = self.number("rpc.grpc.status_code"), self.text("error.type")
        is_rpc = self.text("rpc.system.name", "rpc.system")
        of_rpc = CODES[grpc] if 0 < grpc < len(CODES) else said or (error if is_rpc else "")
        if of_rpc.isascii() and of_rpc.upper() in CODES[1:]:
            return of_rpc.upper()
        if not (error or self.failed_status):
            return "ok"
        flat = re.sub("[^a-z]", "", error.lower())
        if any(word in flat for word in ("timeout", "timedout", "deadlineexceeded")):
            return "timeout"
        return "refused" if "refused" in flat else "exception"

    @property
    def connection(self):
        for type_, keys in {
            "messaging": ("messaging.system", "messaging.destination.name", "messaging.destination"),
            "database": ("db.system.name", "db.system"),
            "rpc": ("rpc.system.name", "rpc.system"),
            "http": ("http.request.method", "http.method", "url.full", "http.url"),
        }.items():
            if self.text(*keys):
                return type_
        return "http" if self.number("http.response.status_code", "http.status_code") else "other"

    @property
    def messages(self):
        said = str(self.attributes.get("messaging.batch.message_count", ""))
        return min(int(said), MOST) if re.fullmatch("[0-9]{1,10}", said) else 1

    @property
    def weight(self):
        """How many calls it stands for, in units of 1/UNIT."""
        said = dict(field.split(":", 1) for field in self.member("ot").split(";") if ":" in field)
        threshold, random = said.get("th", ""), said.get("rv", "")
        if not re.fullmatch("[0-9a-f]{1,14}", threshold):
            return UNIT
        rejected = int(threshold.ljust(14, "0"), 16)
        if re.fullmatch("[0-9a-f]{14}", random) and int(random, 16) < rejected:
            return UNIT  # it says itself that it should not be here
        return min((UNIT << 56) // ((1 << 56) - rejected), UNIT * MOST)

    # ---- what came with the request

    def member(self, key):
        members = (member.strip(" \t").partition("=") for member in self.state.split(","))
        return next((value for name, _, value in members if name == key), "")

    def entry(self, *, stale=False):
        """The caller that a valid (or stale) caller entry names: (node, instance), or None."""
        names = re.fullmatch(r"([0-9a-f]{16});([\w.%-]+);([\w.%-]*)", self.member("weft"), re.ASCII)
        if not names or len(names[0]) > 256 or (int(names[1], 16) == self.parent != 0) == stale:
            return None
        return service(*self.home, unquote(names[2])), unquote(names[3])


def text(attributes, *keys):
    return next((v for v in map(attributes.get, keys) if isinstance(v, str) and v), "")


def number(attributes, *keys, largest):
    for value in map(attributes.get, keys):
        if re.fullmatch("[0-9]{1,10}", str(value)) and 0 < int(value) <= largest:
            return int(value)
    return 0


def path(parts):
    return "/".join(quote(part, safe=":") for part in parts)


def service(environment, namespace, name):
    parts = [environment, namespace, name or "unknown_service"]
    while not parts[0]:
        del parts[0]
    return "service:" + path(parts)


def is_address(host):
    try:
        return bool(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return False


def at(host, port):
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown


def authority(said):
    """(host, port) out of the authority at the front of a text; empty where it cannot be read."""
    found = AUTHORITY.fullmatch(said)
    host, port = (found[1] or found[2], int(found[3] or 0)) if found else ("", 0)
    return (lower(host), port) if port <= 65_535 and len(host.encode()) <= 255 else ("", 0)


def url(said):
    """(scheme, host, port) of a URL; empty where it cannot be read."""
    found = URL.fullmatch(said)
    return (lower(found[1]), *authority(found[2])) if found else ("", "", 0)


def lower(name):
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), name)


def values(pairs):
    """Attributes as a dict: texts, integers and truth values; of a key that occurs twice the last one counts."""
    read = {"stringValue": str, "intValue": int, "boolValue": bool}
    typed = [(pair["key"], *item) for pair in pairs for item in pair["value"].items()]
    return {key: read[type_](value) for key, type_, value in typed if type_ in read}


def identity(resource):
    """((environment, namespace), node, instance) of a resource."""
    said = values(resource.get("attributes", ()))
    home = (
        text(said, "deployment.environment.name", "deployment.environment"),
        text(said, "service.namespace"),
    )
    host, process = text(said, "host.name"), number(said, "process.pid", largest=2**31 - 1)
    instance = text(said, "service.instance.id", "k8s.pod.uid") or (
        f"{host}:{process}" if host or process else ""
    )
    return home, service(*home, text(said, "service.name")), instance


def spans(body):
    """The spans of an OTLP JSON request, in its order."""
    for resource_spans in body["resourceSpans"]:
        home, node, instance = identity(resource_spans["resource"])
        for scope_spans in resource_spans["scopeSpans"]:
            for s in scope_spans["spans"]:
                yield Span(
                    trace=low(s["traceId"]),
                    id=int(s["spanId"], 16),
                    parent=int(s.get("parentSpanId") or "0", 16),
                    kind=KINDS[s.get("kind", 0)],
                    name=s.get("name", ""),
                    start=int(s["startTimeUnixNano"]),
                    end=int(s["endTimeUnixNano"]),
                    home=home,
                    node=node,
                    instance=instance,
                    attributes=values(s.get("attributes", ())),
                    failed_status=s.get("status", {}).get("code") == 2,
                    state=s.get("traceState", ""),
                    links=tuple(
                        (low(link["traceId"]), int(link["spanId"], 16)) for link in s.get("links", ())
                    ),
                )


def low(trace_id):
    return int(trace_id, 16) & (1 << 64) - 1


def read(file):
    return list(spans(json.loads(file.read_text())))
