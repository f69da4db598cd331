"""OTLP requests for tests and benchmarks: small ones by hand, large ones that look like a real shop's.

    body = request([span("GET /cart", attributes={"http.response.status_code": 200})], service="cart")

`realistic` makes requests as an agent in front of 32 services would send them: call trees over HTTP, RPC,
databases and a queue, 8 to 12 attributes a span, the spans of a trace scattered over requests, about 430
bytes a span.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
UNSET, OK, ERROR = 0, 1, 2

NOW = 1_760_000_000_000_000_000
SECOND = 1_000_000_000


def any_value(value: Any) -> AnyValue:
    """A Python value as OTLP has it; an AnyValue stays what it is, None is an empty value."""
    if isinstance(value, AnyValue):
        return value
    found = AnyValue()
    if isinstance(value, bool):
        found.bool_value = value
    elif isinstance(value, int):
        found.int_value = value
    elif isinstance(value, float):
        found.double_value = value
    elif isinstance(value, bytes):
        found.bytes_value = value
    elif isinstance(value, str):
        found.string_value = value
    elif isinstance(value, Mapping):
        found.kvlist_value.values.extend(attributes_of(value))
    elif isinstance(value, Iterable):
        found.array_value.values.extend(any_value(item) for item in value)
    return found


def attributes_of(attributes: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[KeyValue]:
    """KeyValues of a mapping, or of pairs where a key is to occur twice."""
    pairs = attributes.items() if isinstance(attributes, Mapping) else attributes
    return [KeyValue(key=key, value=any_value(value)) for key, value in pairs]


def span(
    name: str = "GET /",
    *,
    kind: int = SERVER,
    trace: bytes | int = 1,
    id: bytes | int = 1,
    parent: bytes | int = b"",
    start: int = NOW,
    end: int | None = None,
    attributes: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    status: int = UNSET,
    trace_state: str = "",
    **more: Any,
) -> Span:
    """A span; ids may be numbers, parent 0 or b"" is a root, `more` are fields of the message."""
    return Span(
        name=name,
        kind=kind,
        trace_id=trace if isinstance(trace, bytes) else trace.to_bytes(16, "big"),
        span_id=id if isinstance(id, bytes) else id.to_bytes(8, "big"),
        parent_span_id=parent if isinstance(parent, bytes) else parent.to_bytes(8, "big") if parent else b"",
        start_time_unix_nano=start,
        end_time_unix_nano=start + 1_000_000 if end is None else end,
        attributes=attributes_of(attributes),
        status={"code": status} if status else None,
        trace_state=trace_state,
        **more,
    )


def resource_spans(
    spans: Sequence[Span],
    service: str = "cart",
    attributes: Mapping[str, Any] | None = None,
    scope: str = "tests",
) -> ResourceSpans:
    """Spans of one instance."""
    found = ResourceSpans(
        resource=Resource(attributes=attributes_of({"service.name": service} | dict(attributes or {})))
    )
    scoped = found.scope_spans.add()
    scoped.scope.name = scope
    scoped.spans.extend(spans)
    return found


def request(
    spans: Sequence[Span], service: str = "cart", attributes: Mapping[str, Any] | None = None
) -> bytes:
    """A body with the spans of one instance."""
    return body([resource_spans(spans, service, attributes)])


def body(groups: Sequence[ResourceSpans]) -> bytes:
    """A body with several groups of spans."""
    return ExportTraceServiceRequest(resource_spans=groups).SerializeToString()


# ---- requests that look real

_WORDS = [
    "frontend",
    "gateway",
    "cart",
    "checkout",
    "payment",
    "shipping",
    "catalog",
    "recommendation",
    "ad",
    "currency",
    "email",
    "fraud",
    "inventory",
    "order",
    "user",
    "auth",
    "session",
    "search",
    "review",
    "rating",
    "pricing",
    "promotion",
    "tax",
    "warehouse",
    "delivery",
    "notification",
    "billing",
    "ledger",
    "report",
    "audit",
    "feature",
    "loadgen",
]
_DATABASES = (("postgresql", 5432), ("redis", 6379), ("mysql", 3306), ("mongodb", 27017))
_TOPICS = ("orders", "payments", "notifications", "audit-events")
_ROUTES = ("/api/v1/{}/{{id}}", "/api/v1/{}", "/api/v1/{}/{{id}}/items", "/api/v2/{}/search")
_INSTANCES = 3

_Made = tuple[tuple[int, int], Span]  # (service, instance), span


class Shop:
    """Makes the traces of 32 services; the same seed makes the same traces."""

    def __init__(self, seed: int, now: int = NOW) -> None:
        self.random = random.Random(seed)
        self.now = now
        self.callees = [self.random.sample(range(2, len(_WORDS)), 4) for _ in _WORDS]
        self.spans_left = 0

    def trace(self) -> list[_Made]:
        """The spans of one more trace, about 18."""
        self.now += self.random.randrange(100_000, 2_000_000)
        self.spans_left = self.random.randrange(8, 30)
        self.trace_id = self.random.randbytes(16)
        self.made: list[_Made] = []
        self._server(
            self.random.randrange(2), b"", self.now, int(self.random.lognormvariate(17, 1)) + SECOND // 100
        )
        return self.made

    def _add(  # noqa: PLR0917 - one line of a trace, read as such
        self,
        at: tuple[int, int],
        name: str,
        kind: int,
        parent: bytes,
        times: tuple[int, int],
        attributes: dict[str, Any],
    ) -> bytes:
        self.spans_left -= 1
        chance = self.random.random()
        start, duration = times
        failed = chance < 0.01
        made = span(
            name,
            kind=kind,
            trace=self.trace_id,
            id=self.random.randbytes(8),
            parent=parent,
            start=start,
            end=start + duration,
            attributes=attributes
            | {
                "thread.id": self.random.randrange(1, 200),
                "thread.name": f"worker-{self.random.randrange(64)}",
            },
            status=ERROR if failed else UNSET,
            flags=0x101,
        )
        if chance < 0.1:
            event = made.events.add(
                time_unix_nano=start + duration, name="exception" if failed else "message"
            )
            event.attributes.extend(
                attributes_of(self._exception() if failed else {"message.id": 7, "message.type": "SENT"})
            )
        self.made.append((at, made))
        return made.span_id

    def _exception(self) -> dict[str, str]:
        frame = f"at com.example.Cart.add(Cart.java:{self.random.randrange(500)})\n"
        return {
            "exception.type": "java.net.SocketTimeoutException",
            "exception.message": f"Read timed out after {self.random.randrange(1000, 9000)} ms",
            "exception.stacktrace": frame * 6,
        }

    def _server(self, service: int, parent: bytes, start: int, duration: int) -> None:
        word, at = _WORDS[service], (service, self.random.randrange(_INSTANCES))
        route = self.random.choice(_ROUTES).format(word)
        attributes = {
            "http.request.method": "GET",
            "http.route": route,
            "url.path": route.replace("{id}", str(self.random.randrange(10**6))),
            "url.scheme": "http",
            "http.response.status_code": 200,
            "server.address": f"{word}-service",
            "server.port": 8080,
            "network.protocol.version": "1.1",
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) okhttp/4.12.0",
            "client.address": f"10.{self.random.randrange(4)}.{self.random.randrange(255)}.7",
        }
        me = self._add(at, f"GET {route}", SERVER, parent, (start, duration), attributes)
        if self.random.random() < 0.4:
            me = self._internal(at, me, (start + duration // 50, duration * 9 // 10))
        for _ in range(self.random.randrange(3)):
            self._database(at, me, (start + duration // 20, duration // 10 + 1000))
        for callee in self.callees[service][: self.random.randrange(1, 4)]:
            if self.spans_left > 1:
                begin = start + duration // 10 + self.random.randrange(duration // 2 + 1)
                self._call(at, callee, me, (begin, duration // self.random.randrange(2, 6) + 2000))

    def _internal(self, at: tuple[int, int], parent: bytes, times: tuple[int, int]) -> bytes:
        word = _WORDS[at[0]]
        attributes = {
            "code.function.name": f"com.example.{word}.{word.title()}Controller.handle",
            "code.line.number": self.random.randrange(1000),
            "app.tenant.id": f"tenant-{self.random.randrange(500)}",
            "app.user.id": f"{self.random.getrandbits(48):012x}",
            "app.region": self.random.choice(("eu-west-1", "us-east-1")),
            "app.feature.flag": self.random.random() < 0.5,
        }
        return self._add(at, f"{word.title()}Controller.handle", INTERNAL, parent, times, attributes)

    def _database(self, at: tuple[int, int], parent: bytes, times: tuple[int, int]) -> None:
        word, (system, port) = _WORDS[at[0]], _DATABASES[at[0] % 4]
        query = f"SELECT id, name, price, updated_at FROM {word}s WHERE id = ? AND tenant = ? LIMIT"
        attributes = {
            "db.system.name" if at[0] % 2 else "db.system": system,
            "db.namespace": f"{word}db",
            "db.collection.name": f"{word}s",
            "db.operation.name": "SELECT",
            "db.query.text": f"{query} {self.random.randrange(1, 100)}",
            "server.address": f"{system}-{at[0] % 5}.db.internal",
            "server.port": port,
            "db.response.returned_rows": self.random.randrange(100),
        }
        self._add(at, f"SELECT {word}s", CLIENT, parent, times, attributes)

    def _call(self, at: tuple[int, int], callee: int, parent: bytes, times: tuple[int, int]) -> None:
        word, kind_of_call = _WORDS[callee], self.random.random()
        start, duration = times
        if kind_of_call < 0.1:
            self._message(at, callee, parent, times)
            return
        attributes: dict[str, Any] = {
            "server.address": f"{word}-service",
            "network.peer.address": f"10.2.{callee}.7",
        }
        if kind_of_call < 0.5:
            name = f"shop.{word.title()}Service/Get"
            attributes |= {
                "rpc.system": "grpc",
                "rpc.service": f"shop.{word.title()}Service",
                "rpc.method": "Get",
            }
            attributes |= {"rpc.grpc.status_code": 0, "server.port": 8443, "network.transport": "tcp"}
        else:
            name = "GET"
            attributes |= {
                "http.request.method": "GET",
                "url.full": f"http://{word}-service:8080/api/v1/{word}",
            }
            attributes |= {
                "http.response.status_code": 200,
                "server.port": 8080,
                "peer.service": f"{word}-service",
            }
        me = self._add(at, name, CLIENT, parent, times, attributes)
        self._server(callee, me, start + 200_000, max(duration - 400_000, 1000))

    def _message(self, at: tuple[int, int], callee: int, parent: bytes, times: tuple[int, int]) -> None:
        topic = self.random.choice(_TOPICS)
        attributes = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.operation.name": "publish",
            "messaging.kafka.message.key": f"{self.random.getrandbits(32):08x}",
            "messaging.message.body.size": self.random.randrange(5000),
            "server.address": "kafka-0.kafka.internal",
            "server.port": 9092,
        }
        me = self._add(at, f"{topic} publish", PRODUCER, parent, times, attributes)
        attributes |= {"messaging.operation.name": "process", "messaging.consumer.group.name": _WORDS[callee]}
        other = (callee, self.random.randrange(_INSTANCES))
        self._add(other, f"{topic} process", CONSUMER, me, (sum(times) + 5_000_000, times[1]), attributes)


def _resource(at: tuple[int, int]) -> dict[str, Any]:
    service, instance = at
    draw = random.Random(7 * service + instance)
    name = f"{_WORDS[service]}-service"
    return {
        "service.namespace": "shop",
        "service.version": f"1.{service}.3",
        "service.instance.id": f"{draw.getrandbits(128):032x}",
        "deployment.environment.name": "production",
        "telemetry.sdk.language": ("java", "python", "go", "nodejs")[service % 4],
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.38.0",
        "host.name": f"ip-10-1-{service}-{instance}.ec2.internal",
        "k8s.namespace.name": "shop",
        "k8s.pod.name": f"{name}-{draw.getrandbits(32):08x}-{draw.getrandbits(20):05x}",
        "k8s.node.name": f"node-{service % 7}",
        "process.pid": draw.randrange(1, 30_000),
    }


def _grouped(made: Sequence[_Made]) -> bytes:
    groups: dict[tuple[int, int], list[Span]] = {}
    for at, one in made:
        groups.setdefault(at, []).append(one)
    found = []
    for at, spans in groups.items():
        group = resource_spans(spans[::2], f"{_WORDS[at[0]]}-service", _resource(at), "io.opentelemetry.http")
        if spans[1::2]:
            second = group.scope_spans.add()
            second.scope.name, second.scope.version = "io.opentelemetry.jdbc", "2.1.0"
            second.spans.extend(spans[1::2])
        found.append(group)
    return body(found)


def realistic(requests: int, spans: int, seed: int = 1) -> Iterator[bytes]:
    """Bodies of `spans` spans each; traces are scattered over neighbouring bodies."""
    shop, waiting = Shop(seed), list[_Made]()
    for _ in range(requests):
        while len(waiting) < 2 * spans:
            waiting.extend(shop.trace())
        near = waiting[: 2 * spans]
        shop.random.shuffle(near)
        yield _grouped(near[:spans])
        waiting = near[spans:] + waiting[2 * spans :]
