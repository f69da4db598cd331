"""The collector's own graph in process: bodies in, an answer out."""

import json
from dataclasses import asdict

from tests.collector.derived import derived_over
from tests.conformance.measured import Measured
from tests.conformance.story import BASE
from weft_collector.errors import NotFound
from weft_collector.graph.snapshot import MINUTE_NS, Window
from weft_collector.store.ports import Position, Transport
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles
from weft_collector.transcoding import to_protobuf
from weft_collector.wire.otlp_protobuf import Decoder

COUNTERS = {
    ("pairing_duplicates", "same"): "duplicate",
    ("pairing_duplicates", "conflicting"): "conflicting_duplicate",
    ("pairing_unresolved", "crowded_id"): "crowded_id",
}
DECODER = Decoder()
"""One for all: its table of texts is the dearest part."""


class MemoryLog:
    """Bodies by position."""

    def __init__(self):
        self.bodies = {}

    def append(self, content):
        position = Position(1, len(self.bodies), 0)
        self.bodies[position] = content
        return position

    def read(self, position, offset, length):
        if position not in self.bodies:
            raise NotFound("gone")
        return self.bodies[position][offset : offset + length]


ARRIVED = BASE + 120 * MINUTE_NS
EVER = Window(BASE // MINUTE_NS - 180, BASE // MINUTE_NS + 180)


def answer(case, bodies, *, settle_between=False):
    """What the graph says after all bodies; also, if asked, had all waiting ended after each of them."""
    log, telemetry = MemoryLog(), Telemetry()
    derived = derived_over(log, ForgetfulFiles(), DECODER, telemetry)
    try:
        for body in bodies:
            content = to_protobuf(json.dumps(body).encode(), Transport.HTTP_JSON)
            decoded = DECODER.decode(content, ARRIVED)
            derived.apply(decoded, log.append(content), ARRIVED)
            if settle_between:
                derived.settle()
        derived.settle()
        return asked(derived, case.expected) | {"refused": refused(telemetry)}
    finally:
        derived.stop()


def asked(derived, expected):
    """The answer to one question for all of the time, and to one for each minute that is expected."""
    graph = derived.snapshot(EVER, unknown=True)
    minutes = {row[2] for row in expected.get("minutes", ())}
    return {
        "edges": {(e.caller.id, e.callee.id): figures(e) for e in graph.edges},
        "nodes": sorted(n.node.id for n in graph.nodes),
        "totals": [graph.totals()["calls"], graph.totals()["errors"]],
        "minutes": sorted(
            [edge.caller.id, edge.callee.id, minute, edge.calls]
            for minute in minutes
            for edge in derived.snapshot(Window(minute, minute + 1), unknown=True).edges
        ),
    }


def figures(edge):
    sides = {"client": edge.client, "server": edge.server}
    measured = {side: Measured(latency and asdict(latency)) for side, latency in sides.items()}
    return {"calls": edge.calls, "errors": edge.errors, "outcomes": dict(edge.outcomes)} | {
        "completeness": asdict(edge.completeness),
        **measured,
    }


def refused(telemetry):
    counts = {word: telemetry.value(*counter) for counter, word in COUNTERS.items()}
    return {word: count for word, count in counts.items() if count}
