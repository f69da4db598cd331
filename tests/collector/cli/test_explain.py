"""`weft explain` against a server that answers as the collector does."""

import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.answering import Quiet, answering
from weft_collector.cli.main import main

ANSWER = {
    "window": {"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:15:00Z", "seconds": 900},
    "from": "web",
    "to": "cart",
    "edges": {},
    "counted": 40,
    "matched": 0,
    "looked_at": 1200,
    "complete": False,
    "reasons": [
        {
            "reason": "parent_missing",
            "spans": 1200,
            "side": "callee",
            "meaning": "It names a parent span that never came.",
            "next": "Instrument the caller.",
            "nodes": {"service:proxy": 3},
            "examples": [
                {"trace_id": "ab" * 16, "span_id": "cd" * 8, "service": "cart", "operation": "GET /cart"}
            ],
        }
    ],
}


class Handler(Quiet, BaseHTTPRequestHandler):
    asked: list = []  # noqa: RUF012 - emptied by the fixture

    def do_GET(self):
        url = urlsplit(self.path)
        self.asked.append((url.path, parse_qs(url.query)))
        there = {"edges": {"service:web->service:cart": 1}, "counted": 0, "reasons": [], "complete": True}
        answer = json.dumps(ANSWER | (there if "1h" in url.query else {})).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture
def url():
    Handler.asked = []
    with answering(Handler) as address:
        yield address


def test_each_reason_is_told_with_its_next_step_and_traces(url, capfd):
    assert main(["explain", "web", "cart", "--collector", url]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "web -> cart, 2026-11-23T10:00:00Z to 2026-11-23T10:15:00Z",
        "  There is no such edge.",
        "  Agents counted 40 such calls before spans were sampled or dropped.",
        "  Looked at only the newest spans of both: 1,200, of which 0 are such calls.",
        "",
        "  1,200 spans of the callee: It names a parent span that never came.",
        "      service:proxy (3)",
        "    Next: Instrument the caller.",
        f"      trace {'ab' * 16}  span {'cd' * 8}  cart 'GET /cart'",
    ]
    assert Handler.asked == [("/api/v1/graph/explain", {"from": ["web"], "to": ["cart"]})]


def test_an_edge_that_is_there_is_told(url, capfd):
    assert main(["explain", "web", "cart", "--window", "1h", "--collector", url]) == 0
    shown = capfd.readouterr().out
    assert "The edge service:web->service:cart is there: 1 call." in shown
    assert "Looked at all spans of both" in shown


def test_json_is_the_answer_as_it_is(url, capfd):
    assert main(["explain", "web", "cart", "--format", "json", "--collector", url]) == 0
    assert json.loads(capfd.readouterr().out) == ANSWER
