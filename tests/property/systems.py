"""Random systems of services and the spans of their calls, odd shapes included."""

from dataclasses import replace

from hypothesis import strategies as st

from tests.property.oracle import Span

SERVICES = ("a", "b", "c", "d")
MINUTE = 60_000_000_000
WORDS = {
    "peer_service": st.sampled_from(["", "", "b", "elsewhere"]),
    "db_system": st.sampled_from(["", "", "postgresql", "mssql"]),
    "db_namespace": st.sampled_from(["", "orders"]),
    "messaging_system": st.sampled_from(["", "kafka"]),
    "destination": st.sampled_from(["", "", "topic"]),
    "address": st.sampled_from(["", "db.internal", "10.0.0.7", "::1"]),
    "port": st.sampled_from([0, 5432]),
    "http": st.sampled_from([0, 0, 200, 404, 503]),
    "rpc": st.sampled_from(["", "grpc"]),
    "error_type": st.sampled_from(["", "", "NOT_FOUND", "UNAVAILABLE", "timeout"]),
    "entry": st.sampled_from(["", "", "a;1", "b;2", "lost%20one;"]),
    "namespace": st.sampled_from(["", "", "", "shop"]),
    "operation": st.sampled_from(["publish", "send", "receive", "process", "settle", "deliver", "nod"]),
    "message_count": st.sampled_from([-1, 1, 5]),
    "template": st.sampled_from(["t.{id}", "(temporary)"]),
    "cluster": st.just("east"),
    "peer_namespace": st.sampled_from(["shop", "bank"]),
    "peer_address": st.sampled_from(["api.example", "10.0.0.8"]),
    "peer_port": st.just(443),
    "rpc_code": st.sampled_from(["OK", "PERMISSION_DENIED", "internal", "Unavailable", "odd"]),
}


@st.composite
def details(draw):
    """What a span says about itself, apart from its place in the tree."""
    chosen = draw(st.lists(st.sampled_from(sorted(WORDS)), max_size=4, unique=True))
    start = draw(st.integers(0, 3 * MINUTE))
    end = start + draw(st.one_of(st.integers(-5, 50), st.integers(0, MINUTE)))
    return {word: draw(WORDS[word]) for word in chosen} | {
        "start": start,
        "end": end,
        "error": draw(st.booleans()),
    }


@st.composite
def tangles(draw):
    """Spans whose ids and parents are drawn from few numbers: cycles, shared ids, missing parents, deep chains."""
    ids = draw(st.sampled_from([3, 8, 40]))
    few = st.integers(1, ids)
    count = draw(st.integers(1, 40))
    spans = []
    for number in range(count):
        span = Span(
            trace=draw(st.sampled_from([1, 1, 1, (9 << 64) + 1, 2])),
            id=draw(few),
            parent=draw(st.one_of(few, st.just(0), few)),
            kind=draw(
                st.sampled_from(
                    ["SERVER", "CLIENT", "INTERNAL", "INTERNAL", "PRODUCER", "CONSUMER", "UNSPECIFIED"]
                )
            ),
            service=draw(st.sampled_from(SERVICES[:3])),
            instance=draw(st.sampled_from(["", "1", "1", "2"])),
            **draw(details()),
        )
        spans.append(replace(span, start=span.start // 64 * 64 + number))  # ties end in the order of the log
    return spans


class Tree:
    """Grows the spans of one trace from its root, as real programs make them."""

    def __init__(self, draw, trace):
        self._draw, self._trace, self._ids, self.spans = draw, trace, 0, []

    def add(self, **fields):
        self._ids += 1
        span = Span(trace=self._trace, id=self._trace * 1000 + self._ids, **(self._draw(details()) | fields))
        self.spans.append(span)
        return span

    def serve(self, service, parent, depth):
        """A request in a service: a server span, what it does inside, and the calls that it makes."""
        kind = self._draw(st.sampled_from(["SERVER", "SERVER", "SERVER", "INTERNAL", "CONSUMER"]))
        at = self.add(service=service, instance=f"{service}1", kind=kind, parent=parent)
        for _ in range(self._draw(st.integers(0, 3 if depth else 0))):
            self.call(service, at.id, depth - 1)

    def call(self, service, parent, depth):
        """Some local spans, a client span, and none, one or several callees."""
        where = {"service": service, "instance": f"{service}1"}
        for _ in range(self._draw(st.sampled_from([0, 0, 1, 3, 33]))):
            parent = self.add(
                kind=self._draw(st.sampled_from(["INTERNAL", "UNSPECIFIED"])), parent=parent, **where
            ).id
        kind = self._draw(st.sampled_from(["CLIENT", "CLIENT", "PRODUCER", "INTERNAL"]))
        client = self.add(kind=kind, parent=parent, **where)
        for _ in range(self._draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
            self.serve(self._draw(st.sampled_from(SERVICES)), client.id, depth)


@st.composite
def systems(draw):
    """A few traces of calls between services; some spans missing, some delivered twice, all in any order."""
    spans = []
    for trace in range(1, draw(st.integers(1, 3)) + 1):
        tree = Tree(draw, trace)
        tree.serve(draw(st.sampled_from(SERVICES)), draw(st.sampled_from([0, 0, 999])), depth=2)
        spans += tree.spans
    lost = draw(st.sets(st.integers(0, len(spans) - 1), max_size=3))
    spans = [span for at, span in enumerate(spans) if at not in lost]
    spans += draw(st.lists(st.sampled_from(spans), max_size=5)) if spans else []
    return draw(st.permutations(spans))


@st.composite
def batches(draw, spans):
    """The spans cut into bodies."""
    cuts = sorted(draw(st.lists(st.integers(0, len(spans)), max_size=6)))
    return [spans[a:b] for a, b in zip([0, *cuts], [*cuts, len(spans)], strict=True)]
