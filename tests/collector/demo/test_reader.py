import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from weft_collector.demo.errors import DemoFailed
from weft_collector.demo.reader import Reader


def noon():
    return datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


@contextmanager
def reader(answers):
    """A reader of a server that answers from a table, and the list of what was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(urlsplit(self.path))
            status, document = answers.get(asked[-1].path, (404, {}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *args):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        reading = Reader(f"http://127.0.0.1:{server.server_port}", clock=noon)
        try:
            yield reading, asked
        finally:
            reading.close()
            server.shutdown()
            thread.join()


def test_a_graph_begins_with_the_reader_and_shows_unknown_callers():
    with reader({"/api/v1/graph": (200, {"nodes": [], "edges": []})}) as (reading, asked):
        assert reading.graph() == {"nodes": [], "edges": []}
    query = {"start": ["2026-11-23T12:00:30Z"], "end": ["2026-11-23T12:01:30Z"], "unknown": ["true"]}
    assert parse_qs(asked[0].query) == query


def test_a_trace_that_has_not_arrived_has_no_spans():
    with reader({}) as (reading, _):
        assert reading.trace("ab" * 16) == {"resourceSpans": []}


def test_an_unexpected_answer_fails_with_its_path():
    with (
        reader({"/api/v1/graph": (503, {})}) as (reading, _),
        pytest.raises(DemoFailed, match="/api/v1/graph"),
    ):
        reading.graph()


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_ready_is_what_the_collector_says(status, ready):
    with reader({"/readyz": (status, {})}) as (reading, _):
        assert reading.ready() is ready


def test_nobody_there_is_not_ready_and_no_graph():
    with reader({}) as (reading, _):
        pass
    gone = Reader(reading.url)
    assert gone.ready() is False
    with pytest.raises(DemoFailed, match="does not answer"):
        gone.graph()
    gone.close()
