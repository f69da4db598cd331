"""Who called whom: sections 1 to 3 of docs/graph-rules.md by slow, plain batch computation.

Written from that text alone: it imports nothing of the collector, and holds each rule in as few lines as it takes
to say it. What a span says about itself is read by `conventions`; `sums` adds the calls up.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise

from tests.conformance.conventions import Span, at

HOPS, SHARED = 32, 8


@dataclass(frozen=True)
class Caller:
    node: str
    instance: str = ""
    side: Span | None = None  # the caller's own span of the call
    published: Span | None = None  # the span that published what came out of a channel
    hint: str = ""  # whom a stale caller entry names


@dataclass(frozen=True)
class Call:
    span: Span  # identifies the call
    caller: Caller
    callee: str
    callee_instance: str
    client: Span | None
    server: Span | None
    sight: str


class Oracle:
    def __init__(self, spans, leases=()):
        self.leases, self.refused = leases, Counter()
        self.distinct, self.by_id = [], defaultdict(list)
        for s in spans:
            self.accept(s)
        self.wrappers, self.processed = set(), set()
        for s in self.distinct:
            self.look_above(s)
        self.calls = list(self.booked())

    # ---- 1: which spans are distinct, and whose children they are

    def accept(self, s):
        others = self.by_id[s.trace, s.id]
        twin = next((o for o in others if (o.side, o.owner) == (s.side, s.owner)), None)
        if twin:
            self.refused["duplicate" if said(twin) == said(s) else "conflicting_duplicate"] += 1
        elif len(others) >= SHARED:
            self.refused["crowded_id"] += 1
        else:
            others.append(s)
            self.distinct.append(s)

    def nearest(self, child, trace, span_id, sides=("callee", "local", "caller")):
        def distance(p):
            apart = p.owner != child.owner, p.node != child.node, p.home[0] != child.home[0]
            return apart, sides.index(p.side), p.start, p.owner

        near = [p for p in self.by_id.get((trace, span_id), ()) if p is not child and p.side in sides]
        return min(near, key=distance, default=None)

    def parent(self, s):
        half = s.side == s.role == "callee"  # of a call: what settles is none
        shared = self.nearest(s, s.trace, s.id, ("caller",)) if half else None
        return shared or (self.nearest(s, s.trace, s.parent) if s.parent else None)

    def way_up(self, s, first=None):
        """The span, its parent (or `first` instead of it), and so on."""
        way = [s, *filter(None, [first])]
        while len(way) <= HOPS and (above := self.parent(way[-1])):
            way.append(above)
        return way

    def targets(self, s):
        return filter(None, (self.nearest(s, *link) for link in s.links))

    # ---- 2: who called

    def called(self, s):
        """Who called a span; None if nobody did."""
        if s.role == "local" and not self.is_entry(s):
            return None
        found, last = self.walk(s)
        if not found and last and (named := last.entry() or s.named_client):
            found = Caller(*named)
        if not found and s.consumes:
            found = next(filter(None, (self.walk(s, target)[0] for target in self.targets(s))), None)
        if s.consumes and (channel := self.channel(s)):
            return Caller(channel, published=found and (found.published or found.side))
        if found or not last or (s.consumes and not last.parent):
            return found
        stale = last.entry(stale=True)
        return Caller("unknown:", hint=stale[0] if stale else "") if last.parent else Caller("client:")

    def is_entry(self, s):
        above = self.parent(s) if s.side == "local" else None
        return above is not None and above.node != s.node

    def walk(self, s, first=None):
        """(the caller, None), (None, the span whose parent is not there) or (None, None) inside another call."""
        way = self.way_up(s, first)
        for below, p in pairwise(way):
            if p.node != s.node and below is not s:
                return self.nested(s, below), None
            if p.role == "caller":
                return self.through(p), None
            if p.node != s.node:
                return self.inside(way[way.index(p) :]), None
            if p.role == "callee":
                return self.nested(s, p), None
        return (None, way[-1]) if len(way) <= HOPS else (Caller("unknown:"), None)

    def nested(self, s, outer):
        return Caller(s.node, outer.instance) if s.owner != outer.owner else None

    def inside(self, way):
        for p in way:
            if p.node != way[0].node or p.role == "callee":
                break
            if p.role == "caller":
                return self.through(p)
        return Caller(*way[0].owner)

    def through(self, p):
        peer = self.peer(p)[0]
        return Caller(peer, published=p) if peer.startswith("channel:") else Caller(*p.owner, side=p)

    # ---- 3: calls

    def channel(self, s):
        """The channel that a consuming span reads from: its own, or that of the consuming span it lies in."""
        for p in self.way_up(s):
            if p.owner == s.owner and p.consumes and p.channel:
                return p.channel
            if p is not s and (p.owner != s.owner or p.role != "local"):
                break
        return ""

    def look_above(self, s):
        """Note what is no call of its own because of `s`: a wrapper around it, a fetch of what it processes."""
        for p in self.way_up(s)[1:]:
            if p.owner != s.owner:
                break
            if s.role == p.role == "caller":
                self.wrappers.add(p)
            if s.operation == "process" and s.consumes and p.consumes and s.channel in ("", p.channel):
                self.processed.add(p)
            if p.role != "local":
                break
        if s.operation == "send":
            created = [t for t in self.targets(s) if t.operation == "create" and t.owner == s.owner]
            self.wrappers.update([s] if created else [])
        if s.operation == "process" and s.consumes:
            fetches = (
                r for r in self.distinct if r.operation == "receive" and r.consumes and r.owner == s.owner
            )
            self.processed.update(r for r in fetches if set(r.links) & set(s.links))

    def peer(self, s):
        """(node, instance) that a caller-side span calls while no callee is known."""
        for p in self.way_up(s):
            if p.owner != s.owner or p.role == "callee":
                break
            if p.role == "caller" and p.named_peer:
                return p.named_peer, ""
        for host in (s.actual_host, s.host):
            held = [lease for lease in self.leases if host[0] and lease.covers(at(*host), s.start)]
            if held:
                latest = min(held, key=lambda lease: (-lease.start, lease.node, lease.instance))
                return latest.node, latest.instance
        return s.external, ""

    def booked(self):
        callees = defaultdict(list)
        for s in self.distinct:
            empty = s.consumes and s.messages == 0
            if s.role != "caller" and not empty and s not in self.processed and (caller := self.called(s)):
                callees[caller.side].append((s, caller))
        for side, answers in callees.items():
            answers.sort(key=lambda answer: (answer[0].start, answer[0].id, answer[0].owner))
            for n, (s, caller) in enumerate(answers):
                sight = "both" if side else "server_only"
                yield Call(s, caller, s.node, s.instance, side if n == 0 else None, s, sight)
        for s in self.distinct:
            peer, instance = self.peer(s)
            if s.role == "caller" and not callees[s] and s not in self.wrappers:
                yield Call(s, Caller(*s.owner), peer, instance, s, None, "client_only")


def said(s):
    """What a span says that the graph looks at."""
    peer = (s.named_peer, s.host, s.actual_host) if s.role == "caller" else (s.channel, s.entry())
    return s.parent, s.start, s.end, s.kind, s.name, s.outcome, s.weight, s.messages, s.links, peer
