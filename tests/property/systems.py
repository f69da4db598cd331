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
    "error_type": st.sampled_from(["", "", "NOT_FOUND", "UNAVAILABLE", "timeout", "Refused", "KeyError"]),
    "entry": st.sampled_from(["", "", "a;1", "b;2", "lost%20one;"]),
    "namespace": st.sampled_from(["", "", "", "shop"]),
    "environment": st.sampled_from(["", "", "", "prod", "prod.longer"]),
    "operation": st.sampled_from(["publish", "send", "receive", "process", "settle", "deliver", "nod"]),
    "message_count": st.sampled_from([-1, 1, 5]),
    "template": st.sampled_from(["t.{id}", "(temporary)"]),
    "cluster": st.just("east"),
    "peer_namespace": st.sampled_from(["shop", "bank"]),
    "peer_address": st.sampled_from(["api.example", "10.0.0.8"]),
    "peer_port": st.just(443),
    "rpc_code": st.sampled_from(
        ["OK", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "internal", "Unavailable", "odd"]
    ),
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
    ties = draw(st.sampled_from([1, 1, 1 << 40]))
    spans = []
    for _ in range(draw(st.integers(1, 40))):
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
            instance=draw(st.sampled_from(["", "1", "1", "2", "instance-1", "instance-1x"])),
            **draw(details()),
        )
        spans.append(replace(span, start=span.start // ties * ties))
    return spans


@st.composite
def nests(draw):
    """Caller sides inside caller sides, at most two of a place far apart: what lies in what, and who lends names."""
    count = draw(st.integers(2, 16))
    spans = []
    for number in range(count):
        kinds = ["CLIENT", "CLIENT", "PRODUCER", "INTERNAL", "SERVER", "CONSUMER"]
        spans.append(
            Span(
                trace=1,
                id=draw(st.one_of(st.just(2 * number + 1), st.integers(1, 2 * number + 1))),
                parent=draw(st.one_of(st.just(max(0, 2 * number - 1)), st.integers(0, 2 * count))),
                kind=draw(st.sampled_from(kinds)),
                service=draw(st.sampled_from("aaab")),
                instance=draw(st.sampled_from(["1", "1", "1", "2"])),
                **draw(details()) | {"start": number},
            )
        )
    longer = draw(st.integers(0, count - 1))
    chain = [
        replace(spans[longer], id=1000 + n, parent=1001 + n, kind="INTERNAL")
        for n in range(draw(st.sampled_from([0, 0, 1, 14, 15, 16, 29, 30, 31, 32])))
    ]
    if chain:
        chain[-1] = replace(chain[-1], parent=spans[longer].parent)
        spans[longer] = replace(spans[longer], parent=1000)
    return draw(st.permutations(spans + chain))


class Tree:
    """Grows the spans of one trace from its root, as real programs make them."""

    def __init__(self, draw, trace):
        self._draw, self._trace, self._ids, self.spans = draw, trace, 0, []

    def add(self, said=None, **fields):
        self._ids += 1
        said = self._draw(details()) if said is None else said
        span = Span(trace=self._trace, id=self._trace * 1000 + self._ids, **(said | fields))
        self.spans.append(span)
        return span

    def serve(self, service, parent, depth):
        """A request in a service: a server span, what it does inside, and the calls that it makes."""
        kind = self._draw(st.sampled_from(["SERVER", "SERVER", "SERVER", "INTERNAL", "CONSUMER"]))
        at = self.add(service=service, instance=f"{service}1", kind=kind, parent=parent)
        for _ in range(self._draw(st.integers(0, 3 if depth else 0))):
            self.call(service, at.id, depth - 1)

    def call(self, service, parent, depth):
        """Some local spans, a client span, often inside wrappers, and none, one or several callees."""
        where = {"service": service, "instance": f"{service}1"}
        kinds = st.sampled_from(["CLIENT", "CLIENT", "PRODUCER", "INTERNAL"])
        for _ in range(self._draw(st.sampled_from([0, 0, 0, 1, 2]))):
            parent = self.inside(parent, where)
            parent = self.add(kind=self._draw(kinds), parent=parent, **where).id
        client = self.add(kind=self._draw(kinds), parent=self.inside(parent, where), **where)
        for _ in range(self._draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
            self.serve(self._draw(st.sampled_from(SERVICES)), client.id, depth)

    def inside(self, parent, where):
        """No, some or too many local spans, alike but for their kinds; the id of the last."""
        said = self._draw(details())
        for _ in range(self._draw(st.sampled_from([0, 0, 0, 0, 0, 0, 1, 1, 3, 16, 31, 33]))):
            kind = self._draw(st.sampled_from(["INTERNAL", "UNSPECIFIED"]))
            parent = self.add(said, kind=kind, parent=parent, **where).id
        return parent


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
