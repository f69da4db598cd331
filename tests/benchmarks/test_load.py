"""The load generator believes nothing: every answer is read, refusals are healed, anything else ends the load."""

import socketserver
import threading
from contextlib import contextmanager
from itertools import count

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from benchmarks import pool as pools
from benchmarks.load import Load, Options, Replays, compressed
from benchmarks.pool import Pass, Pool
from weft_collector.wire.compression import inflate

SPANS, BODIES = 50, 4
OK = (200, b"", b"")
BUSY = (503, b"retry-after: 0\r\n", b"full")


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "FOLDER", tmp_path)
    return Pool.of(SPANS, BODIES * SPANS)


class Server(socketserver.ThreadingTCPServer):
    """Answers the given answers in turn, the last one for ever; None closes the connection instead."""

    allow_reuse_address, daemon_threads = True, False

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.bodies, self.turn = answers, [], count()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline():
            headers = dict(line.split(b": ", 1) for line in iter(self.rfile.readline, b"\r\n"))
            body = self.rfile.read(int(headers[b"content-length"]))
            self.server.bodies.append((headers.get(b"content-encoding", b"").strip().decode(), body))
            answer = self.server.answers[min(next(self.server.turn), len(self.server.answers) - 1)]
            if answer is None:
                return
            status, more, content = answer
            head = b"HTTP/1.1 %d X\r\n%scontent-length: %d\r\n\r\n" % (status, more, len(content))
            self.wfile.write(head + content)


@contextmanager
def serving(*answers):
    with Server(*answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ids(body):
    message = ExportTraceServiceRequest.FromString(body)
    return {span.span_id for r in message.resource_spans for scope in r.scope_spans for span in scope.spans}


def passes(number):
    return [Pass(n, 10**18) for n in range(number)]


def test_all_bodies_of_all_passes_are_sent_once(pool):
    with serving(OK) as server:
        result = Load(server.url, Replays(pool, passes(3)), Options(3)).run()
    assert result.spans == 3 * BODIES * SPANS
    assert len(set().union(*(ids(body) for _, body in server.bodies))) == 3 * BODIES * SPANS
    assert sorted(b.replay.number for b in result.acknowledged) == sorted([0, 1, 2] * BODIES)


def test_compressed_bodies_are_fresh_too(pool):
    for encoding in ("gzip", "zstd"):
        with serving(OK) as server:
            source = compressed(pool, encoding, 2 * BODIES * SPANS)
            Load(server.url, source, Options(2, encoding=encoding)).run()
        assert {name for name, _ in server.bodies} == {encoding}
        sent = [inflate(body, name, 1 << 20) for name, body in server.bodies]
        assert len(set().union(*map(ids, sent))) == 2 * BODIES * SPANS


def test_a_refused_body_is_sent_again_as_it_was(pool):
    with serving(BUSY, BUSY, OK) as server:
        result = Load(server.url, Replays(pool, passes(1)), Options(1)).run()
    assert result.refused == {503: 2}
    assert result.spans == BODIES * SPANS
    assert len({body for _, body in server.bodies[:3]}) == 1


def test_patience_ends(pool):
    with serving(BUSY) as server, pytest.raises(RuntimeError, match="503"):
        Load(server.url, Replays(pool, passes(1)), Options(1, patience=0.1)).run()


def test_other_answers_end_the_load(pool):
    rejected = ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
    partial = ExportTraceServiceResponse(partial_success=rejected).SerializeToString()
    for answer, told in [((400, b"", b"bad body"), "bad body"), ((200, b"", partial), "2 spans rejected")]:
        with serving(answer) as server, pytest.raises(RuntimeError, match=told):
            Load(server.url, Replays(pool, passes(1)), Options(1)).run()


def test_a_broken_connection_is_an_error_unless_it_is_expected(pool):
    with serving(OK, None) as server:
        result = Load(server.url, Replays(pool, passes(1)), Options(1, may_break=True)).run()
        assert [len(result.acknowledged), len(result.unanswered)] == [1, 1]
    with serving(None) as server, pytest.raises(RuntimeError, match="closed the connection"):
        Load(server.url, Replays(pool, passes(1)), Options(1)).run()


def test_no_more_than_the_rate_is_sent(pool):
    with serving(OK) as server:
        result = Load(server.url, Replays(pool, passes(1)), Options(2, rate=BODIES * SPANS * 4)).run()
    assert result.seconds >= 0.75 * 0.25
