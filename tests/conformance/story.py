"""How a case is told: spans, one call of a method each, and the edges that the rules ask for, as lines of text.

A case is a function that takes a `Story`, lets spans happen in it, and returns what is expected. Its name is its
title, its documentation says what it shows. Nothing here computes an edge: expectations are written by hand, and
only spelled out.

    @case("R2.3")
    def a_call_seen_by_both_sides_is_one_call(t):
        '''A call that both sides saw is one call.'''
        web = t.server("web")
        t.server("cart", t.client("web", web))
        return expected('''
            client -> web: 1 server_only
            web -> cart: 1 both
        ''')

Expected lines are `caller -> callee: calls by who saw them; more figures`. A bare name is a service, `client` is the
client node, anything with a colon is the id of a node. More figures are `errors 1`, `messages 5`, `resends 1`,
`adjusted 2.0`, `outcomes ok 1, 5xx 1`, `connections http 2`, and in ms `client 5 7`, `server 4`, `queueing 20`.
"""

import hashlib
import inspect
from dataclasses import dataclass, field, replace

MS = 1_000_000
BASE = 1_767_614_400_000_000_000
"""2026-01-05 12:00:00 UTC, a whole minute: when every story begins."""
KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
SIGHTS = ("both", "client_only", "server_only", "inferred")
STORIES = {}

HTTP = {"http.request.method": "GET", "http.response.status_code": 200}


@dataclass(eq=False)
class Told:
    """A span of a story; `again` makes another delivery of it."""

    kind: str
    service: str
    trace: int
    id: int
    parent: int
    start: int
    end: int | None
    name: str
    attributes: dict
    resource: dict
    error: bool = False
    state: str = ""
    links: tuple = ()
    zero_parent: bool = False  # whether it writes sixteen zeros for no parent
    events: tuple = ()
    wide: bool = True  # whether its trace id has 128 bits
    origin: "Told | None" = None  # the span that this is another delivery of

    def entry(self, service, instance=""):
        """The caller entry of a request that this span has sent, or would have."""
        return f"weft={self.id:016x};{service};{instance}"


class Story:
    """What happens in a case."""

    def __init__(self, name):
        self.bodies, self.leases, self.counts = [[]], [], []
        self.ordered = False  # whether the order of the bodies is part of what is shown
        self._trace = int(hashlib.blake2b(name.encode(), digest_size=6).hexdigest(), 16)
        self._ids = 0

    def server(self, service, parent=None, **more):
        return self.span("SERVER", service, parent, **more)

    def client(self, service, parent=None, **more):
        return self.span("CLIENT", service, parent, **more)

    def local(self, service, parent=None, **more):
        return self.span("INTERNAL", service, parent, **more)

    def kindless(self, service, parent=None, **more):
        return self.span("UNSPECIFIED", service, parent, **more)

    def producer(self, service, parent=None, **more):
        return self.span("PRODUCER", service, parent, **more)

    def consumer(self, service, parent=None, **more):
        return self.span("CONSUMER", service, parent, **more)

    def span(self, kind, service, parent=None, **more):
        """A span of `service`, or of another instance than its first: `web#2`, or of none that has a name: `web#`.

        Args:
            kind: Its kind.
            service: Its service; its instance becomes `web-1`.
            parent: A span, or None for a root.
            more: `at` and `lasts` in ms; `attributes`; `error`; fields of `Told`.
        """
        name, _, number = service.partition("#")
        instance = {"service.instance.id": f"{name}-{number or 1}"} if not service.endswith("#") else {}
        self._ids += 1
        at, lasts = more.pop("at", 10 * self._ids), more.pop("lasts", None)
        told = Told(
            kind=kind,
            service=service,
            trace=parent.trace if parent else self._trace,
            id=self._ids,
            parent=parent.id if parent else 0,
            start=BASE + int(at * MS),
            end=None if lasts is None else BASE + int((at + lasts) * MS),
            name=more.pop("name", {"SERVER": f"GET /{name}", "INTERNAL": "work"}.get(kind, kind.lower())),
            attributes=more.pop("attributes", {}),
            resource={**({"service.name": name} if name else {}), **instance, **more.pop("resource", {})},
        )
        return self.deliver(replace(told, **more))

    def missing(self, parent=None, **more):
        """A span that never comes."""
        lost = self.client("lost", parent, **more)
        self.bodies[-1].remove(lost)
        return lost

    def deliver(self, told):
        self.bodies[-1].append(told)
        return told

    def again(self, told, **changes):
        """Deliver a span once more, perhaps with other content."""
        return self.deliver(replace(told, origin=told.origin or told, **changes))

    def later(self):
        """What follows comes in another request."""
        self.bodies.append([])

    def other_trace(self):
        """What follows without a parent is of another trace."""
        self._trace += 1

    def lease(self, service, address, port, since=-60_000, until=60_000):
        """`service` (or `cart#2`) holds an address, from and to in ms of the story's time."""
        name, _, number = service.partition("#")
        times = {"startTimeUnixNano": str(BASE + since * MS), "endTimeUnixNano": str(BASE + until * MS)}
        held = {"service": name, "instance": f"{name}-{number or 1}", "address": address, "port": port}
        self.leases.append(held | times)

    def counted(self, service, calls, side="callee", start=0, **attributes):
        """An agent's own count of a minute; the same again is another delivery of it."""
        self.counts.append((service, calls, {"weft.side": side, **attributes}, start))

    def finish(self):
        """Let every span that has no end of its own outlast what happens below it."""
        spans = [span for body in self.bodies for span in body]
        open_ = [s for s in spans if s.end is None and not s.origin]
        for s in open_:
            s.end = s.start + 5 * MS
        by_id = {(s.trace, s.id): s for s in reversed(open_)}
        for s in reversed(open_):
            above = by_id.get((s.trace, s.parent))
            if above and above is not s and s.kind != "CONSUMER":
                above.end = max(above.end, s.end + MS)
        for s in spans:
            s.end = s.end or s.origin.end
        return self


@dataclass
class Expected:
    edges: list
    more: dict = field(default_factory=dict)


def case(*rules):
    """Make a function a case that shows `rules` (R2.3), defects (D4) and linker cases of Zipkin (`Zipkin`)."""

    def decorate(function):
        STORIES[function.__name__] = (function, rules)
        return function

    return decorate


def expected(edges, *, inferred=None, **more):
    """What a case expects: `operations`, `instances`, `minutes` and `derived` as lines, and other things as they are."""
    lines = {
        level: numbers(more.pop(level))
        for level in ("operations", "instances", "minutes", "derived")
        if level in more
    }
    if inferred is not None:
        more["inferred"] = table(inferred)
    return Expected(table(edges), lines | more)


def lines_of(text):
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


def table(text):
    """Lines of edges, each spelled out; sorted."""
    return sorted(map(edge, lines_of(text)), key=lambda e: (e["caller"], e["callee"]))


def edge(line):
    ends, _, figures = line.partition(": ")
    sights, *others = [figure.strip() for figure in figures.split(";")]
    seen = dict.fromkeys(SIGHTS, 0) | counts(sights)
    caller, callee = map(node, ends.split(" -> "))
    found = {
        "caller": caller,
        "callee": callee,
        "calls": sum(seen.values()),
        "errors": 0,
        "completeness": seen,
    }
    for other in others:
        name, _, value = other.partition(" ")
        found[name] = FIGURES[name](value)
    return found


def counts(text):
    """`2 both, 1 client_only` or `ok 1, 5xx 2`, as a dict."""
    pairs = (
        part.rsplit(" ", 1) if part[-1].isdecimal() else reversed(part.split(" ", 1))
        for part in text.split(", ")
    )
    return {name: int(number) for name, number in pairs} if text != "0" else {}


def times(text):
    return sorted(int(float(ms) * MS) for ms in text.split())


FIGURES = {
    "errors": int,
    "messages": int,
    "resends": int,
    "adjusted": float,
    "outcomes": counts,
    "connections": counts,
    "client": times,
    "server": times,
    "queueing": times,
}


def node(name):
    return {"client": "client:", "unknown": "unknown:"}.get(name, name if ":" in name else f"service:{name}")


def numbers(text):
    """Lines `caller -> callee | what the level adds: calls`, as rows."""
    rows = []
    for line in lines_of(text):
        ends, _, calls = line.rpartition(": ")
        ends, *detail = (part.strip() for part in ends.split("|"))
        rows.append(
            [*map(node, ends.split(" -> ")), *(int(d) if d.isdecimal() else d for d in detail), int(calls)]
        )
    return sorted(rows)


def told(name):
    """(story, expected, rules, prose) of a case."""
    function, rules = STORIES[name]
    story = Story(name)
    wanted = function(story)
    return story.finish(), wanted, rules, inspect.cleandoc(function.__doc__)
