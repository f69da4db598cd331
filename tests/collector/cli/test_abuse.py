"""Clients that misbehave, over real sockets, and a good one that is answered meanwhile within a second."""

import resource
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import grpc
import httpx
import pytest

from tests.collector.api import bodies
from tests.collector.cli.process import serving
from tests.collector.http2 import PREFACE, SETTINGS, Http2, frame, message
from tests.waiting import wait_until
from weft_collector.api.grpc_methods import HEALTH, TRACES

HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
GET = b"GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n"
SECOND = 1.0
_CODE = grpc.StatusCode
RETRIED = {_CODE.OK, _CODE.CANCELLED, _CODE.UNAVAILABLE, _CODE.DEADLINE_EXCEEDED}
LIVELY = 40
"""Misbehaving clients of a kind that go on sending."""


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("abuse"), "--port", "0") as process:
        process.url = process.await_ready()
        process.http_port = int(process.url.rpartition(":")[2])
        process.grpc_port = int(process.grpc.rpartition(":")[2])
        yield process


class Abuse:
    """Connections to a port, each sending something first and then, now and then, something more."""

    def __init__(self, port, number, first, again=b""):
        self._stack = ExitStack()
        self._sockets = []
        self._again = again
        self._over = threading.Event()
        for _ in range(number):
            opened = self._stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            opened.setblocking(False)
            self._sockets.append(opened)
            self._send(opened, first)
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def _send(self, opened, content):
        with suppress(OSError):  # it was shut out, or its buffer is full
            opened.send(content)

    def _go_on(self):
        while self._again and not self._over.wait(0.02):
            for opened in self._sockets:
                self._send(opened, self._again)

    def close(self):
        self._over.set()
        self._thread.join()
        self._stack.close()


@contextmanager
def abuse(*arguments):
    made = Abuse(*arguments)
    try:
        yield
    finally:
        made.close()


def good_http(target):
    body = bodies.shop(time.time_ns())
    headers = {"content-type": "application/x-protobuf"}
    return httpx.post(f"{target.url}/v1/traces", content=body, headers=headers, timeout=5).status_code == 200


def good_grpc(target):
    with grpc.insecure_channel(target.grpc) as channel:
        return channel.unary_unary(TRACES)(bodies.shop(time.time_ns()), timeout=5) == b""


def assert_good_clients_are_answered(target, times=8):
    for good in (good_http, good_grpc) * times:
        begun = time.monotonic()
        assert good(target)
        assert time.monotonic() - begun < SECOND
    assert target.process.poll() is None


LIVELY_HTTP = {
    "headers that trickle": (HEAD, b"x: y\r\n"),
    "a header that trickles": (HEAD + b"x: ", b"y"),
    "a request line without end": (b"GET /", b"x" * 1000),
    "headers without end": (HEAD, b"x: y\r\n" * 1000),
    "empty lines": (b"", b"\r\n"),
    "a body that trickles": (HEAD + b"content-length: 100000\r\n\r\n", b"x"),
    "chunks that trickle": (CHUNKED, b"1\r\nx\r\n"),
    "a chunk's size without end": (CHUNKED, b"0" * 100),
    "a chunk's extension without end": (CHUNKED + b"1;", b"x" * 1000),
    "trailers without end": (CHUNKED + b"0\r\n", b"x: y\r\n" * 100),
    "a body without end": (CHUNKED, b"8000\r\n" + bytes(0x8000) + b"\r\n"),
    "requests ahead of answers": (GET, GET * 100),
    "a malformed chunk": (CHUNKED + b"zz\r\n", b"x"),
    "a length that is less than what comes": (HEAD + b"content-length: 1\r\n\r\n", b"x" * 100),
    "another Host": (b"GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a.b\r\n\r\n"),
    "noise": (bytes(range(256)), bytes(range(256))),
}


@pytest.mark.parametrize("sent", LIVELY_HTTP.values(), ids=LIVELY_HTTP)
def test_over_http(target, sent):
    with abuse(target.http_port, LIVELY, *sent):
        assert_good_clients_are_answered(target)


def call(body):
    """What opens a connection of HTTP/2 with one call that sends `body`."""

    class Recorder(Http2):
        def __init__(self):
            self.sent, self._windows, self._initial = PREFACE + frame(SETTINGS, 0, 0), {}, 65_535

        def send(self, raw):
            self.sent += raw

    recorder = Recorder()
    recorder.call(1, TRACES)
    return recorder.sent + body


LIVELY_GRPC = {
    "nothing but the preface": (PREFACE, b""),
    "a preface that trickles": (b"PRI * H", b""),
    "frames that trickle": (call(frame(0, 0, 1, message(b"", announced=60_000))), frame(0, 0, 1, b"x")),
    "a frame that trickles": (call(frame(0, 0, 1, bytes(10_000))[:20]), b"x"),
    "empty frames": (call(b""), frame(0, 0, 1) * 100),
    "settings": (PREFACE, frame(SETTINGS, 0, 0) * 100),
    "pings": (PREFACE + frame(SETTINGS, 0, 0), frame(6, 0, 0, bytes(8)) * 100),
    "headers without end": (call(b"")[:-1], frame(9, 0, 1, b"\0\1x\1y" * 100)),
    "noise": (bytes(range(256)), bytes(range(256))),
}


@pytest.mark.parametrize("sent", LIVELY_GRPC.values(), ids=LIVELY_GRPC)
def test_over_grpc(target, sent):
    with abuse(target.grpc_port, LIVELY, *sent):
        assert_good_clients_are_answered(target)


def begin_and_leave(port, over):
    """Begin calls and reset them, as fast as it goes."""
    while not over.is_set():
        with Http2(port) as client, suppress(OSError):
            for stream in range(1, 400, 2):
                client.call(stream, TRACES)
                client.send(frame(3, 0, stream, bytes(4)))


def code_of_a_good_call(target):
    try:
        return grpc.StatusCode.OK if good_grpc(target) else None
    except grpc.RpcError as error:
        return error.code()


def test_calls_that_are_begun_and_left_hurt_grpc_alone_and_only_while_they_go_on(target):
    over = threading.Event()
    threads = [threading.Thread(target=begin_and_leave, args=(target.grpc_port, over)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            begun = time.monotonic()
            assert good_http(target)
            assert time.monotonic() - begun < SECOND
            # gRPC core sheds calls at random when they come faster than they are begun with: OTLP sends those again.
            assert code_of_a_good_call(target) in RETRIED
    finally:
        over.set()
        for thread in threads:
            thread.join()
    wait_until(lambda: code_of_a_good_call(target) is grpc.StatusCode.OK, 5)
    assert_good_clients_are_answered(target)


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 8_000:
        pytest.skip("this machine allows a process too few files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (8_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_5000_idle_connections_over_http(target, many_files):
    with abuse(target.http_port, 5_000, b""):
        assert_good_clients_are_answered(target)


def test_1000_idle_connections_over_grpc(target, many_files):
    with abuse(target.grpc_port, 1_000, PREFACE + frame(SETTINGS, 0, 0)):
        assert_good_clients_are_answered(target)


def test_senders_that_close_their_half(target):
    for _ in range(50):
        for begun in (HEAD, HEAD + b"content-length: 10\r\n\r\nabc", CHUNKED + b"5\r\nab", GET):
            with socket.create_connection(("127.0.0.1", target.http_port), timeout=5) as opened:
                opened.sendall(begun)
                opened.shutdown(socket.SHUT_WR)
                opened.recv(1)
    assert_good_clients_are_answered(target, 1)


def test_afterwards_it_still_says_that_it_serves(target):
    with grpc.insecure_channel(target.grpc) as channel:
        assert channel.unary_unary(HEALTH)(b"", timeout=5) == b"\x08\x01"
    assert httpx.get(f"{target.url}/readyz").is_success
    assert "Traceback" not in target.err
