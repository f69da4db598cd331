"""OTLP over gRPC, over real sockets: the server in this process, grpc's own client and one that misbehaves."""

import asyncio
import gc
import gzip
import threading
import zlib
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.collector.api import bodies
from tests.collector.http2 import Http2, message
from tests.waiting import wait_until
from weft_collector.api import grpc_server
from weft_collector.api.grpc_methods import HEALTH, TRACES, encoding_of
from weft_collector.api.grpc_server import GrpcServer
from weft_collector.api.receiving import Budget
from weft_collector.cli.listening import address_of, hold, port_of
from weft_collector.config import Config
from weft_collector.errors import StorageFailed

Code = grpc.StatusCode


@asynccontextmanager
async def listening(collector):
    """The collector's gRPC server on a free port."""
    with hold(Config.load({}, {"grpc_port": 0})) as held:
        surface = replace(collector.parts.surface, grpc=address_of(held))
        budget = Budget(surface.receiving_bytes)
        server = GrpcServer(replace(collector.parts, surface=surface), budget)
        await server.start()
        try:
            yield port_of(held)
        finally:
            await server.stop()


@pytest.fixture(autouse=True)
def no_poller_left():
    """grpc ends its thread when its last object goes."""
    yield
    wait_until(lambda: gc.collect() >= 0 and not any("_poll_" in t.name for t in threading.enumerate()))


def talk(collector, conversation):
    """Run `conversation(port)`."""

    async def main():
        async with listening(collector) as port:
            return await asyncio.wait_for(conversation(port), 30)

    return asyncio.run(main())


async def call(port, body, path=TRACES, **options):
    """One call with grpc's client: (code, answer or error)."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            return Code.OK, await channel.unary_unary(path)(body, timeout=20, **options)
        except grpc.aio.AioRpcError as error:
            return error.code(), error


def ask(collector, body, path=TRACES, **options):
    return talk(collector, lambda port: call(port, body, path, **options))


def misbehave(collector, how):
    """Run `how(port)` in a thread."""
    return talk(collector, lambda port: asyncio.to_thread(how, port))


def status_of(error):
    """The google.rpc.Status in the trailers, or None."""
    found = [value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin"]
    return Status.FromString(found[0]) if found else None


def retry_seconds(error):
    """When to try again, by the RetryInfo; None without one."""
    status = status_of(error)
    if status is None:
        return None
    (detail,) = status.details
    info = RetryInfo()
    assert detail.Unpack(info)
    assert status.code == error.code().value[0]
    return info.retry_delay.seconds + info.retry_delay.nanos / 1e9


def refused(collector, reason):
    return collector.parts.telemetry.value("bodies_refused", reason)


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_spans_come_in_and_the_answer_is_an_empty_otlp_response(collector, compression):
    body = bodies.shop(collector.clock() - 60_000_000_000)
    assert ask(collector, body, compression=compression) == (Code.OK, b"")
    assert len(collector.get("/api/v1/graph").json()["edges"]) == 3
    assert collector.parts.telemetry.value("spans_accepted", "grpc") == 19
    sent = collector.parts.telemetry.value("bytes_received")
    assert (sent == len(body)) is (compression is None)


def test_rejected_spans_are_a_partial_success(collector):
    request = bodies.ExportTraceServiceRequest.FromString(bodies.shop(collector.clock()))
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = bytes(16)
    code, answer = ask(collector, request.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (code, partial.rejected_spans) == (Code.OK, 1)
    assert partial.error_message


def test_an_empty_message_is_fine(collector):
    assert ask(collector, b"") == (Code.OK, b"")


@pytest.mark.parametrize("body", [b"\xff" * 40, b"hello", gzip.compress(b"a" * 99)[:-4], b"\x78\x9c\x00"])
def test_a_malformed_message_is_an_invalid_argument_and_not_to_be_sent_again(collector, body):
    code, error = ask(collector, body)
    assert code is Code.INVALID_ARGUMENT
    assert status_of(error) is None
    assert len(error.details().split()) > 4
    assert refused(collector, "malformed") == 1


def test_a_message_beyond_the_limit_is_exhausting_and_not_to_be_sent_again(make_collector):
    collector = make_collector(body_bytes=2048)
    code, error = ask(collector, bytes(2049))
    assert code is Code.RESOURCE_EXHAUSTED
    assert status_of(error) is None
    assert refused(collector, "too_large") == 1


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_message_that_inflates_beyond_the_limit_is_exhausting(make_collector, pack):
    collector = make_collector(inflated_bytes=1 << 16)
    code, error = ask(collector, pack(bytes(1 << 20)))
    assert code is Code.RESOURCE_EXHAUSTED
    assert status_of(error) is None
    assert refused(collector, "too_large") == 1


def test_a_collector_that_is_not_ready_says_when_to_try_again(make_collector):
    collector = make_collector(start=False)
    code, error = ask(collector, b"")
    assert code is Code.UNAVAILABLE
    assert retry_seconds(error) == 2.0
    assert "starting" in error.details()


def test_a_full_intake_says_when_to_try_again(make_collector):
    collector = make_collector(body_bytes=4096, in_flight_bytes=4096)
    code, error = ask(collector, bytes(4096))
    assert code is Code.UNAVAILABLE
    assert retry_seconds(error) == 1.0
    assert refused(collector, "full") == 1


def test_a_storage_that_fails_says_when_to_try_again(collector, monkeypatch):
    def fail():
        raise StorageFailed("The disk is full.", 2.5)

    monkeypatch.setattr(collector.parts.log, "sync", fail)
    code, error = ask(collector, bodies.shop(collector.clock()))
    assert code is Code.UNAVAILABLE
    assert retry_seconds(error) == 2.5


def test_a_defect_tells_nothing_of_the_inside(collector, monkeypatch, caplog):
    async def submit(*_arguments):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(collector.parts.intake, "submit", submit)
    code, error = ask(collector, b"")
    assert code is Code.INTERNAL
    assert "secret" not in error.details()
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()  # the traceback's frames hold the server


def test_an_unknown_path_is_unimplemented(collector):
    code, _ = ask(collector, b"", "/opentelemetry.proto.collector.trace.v1.TraceService/Import")
    assert code is Code.UNIMPLEMENTED
    assert refused(collector, "method") == 1


@pytest.mark.parametrize(
    "request_bytes", [b"", b"\n\0", b"\n\x33opentelemetry.proto.collector.trace.v1.TraceService"]
)
def test_the_health_check_says_whether_spans_are_taken(make_collector, request_bytes):
    ready = make_collector()
    assert ask(ready, request_bytes, HEALTH) == (Code.OK, b"\x08\x01")
    ready.parts.lifecycle.stopping()
    assert ask(ready, request_bytes, HEALTH) == (Code.OK, b"\x08\x02")


def test_the_health_of_an_unknown_service_is_not_found(collector):
    code, _ = ask(collector, b"\n\x04cart", HEALTH)
    assert code is Code.NOT_FOUND


def test_many_senders_at_a_time_are_all_counted(collector):
    async def conversation(port):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            export = channel.unary_unary(TRACES)
            calls = [bodies.Call("web", "cart", n, collector.clock()) for n in range(100)]
            return await asyncio.gather(*(export(bodies.body(one)) for one in calls))

    assert talk(collector, conversation) == [b""] * 100
    (edge,) = collector.get("/api/v1/graph").json()["edges"]
    assert edge["calls"] == 100


def test_a_message_that_trickles_is_given_up(make_collector):
    collector = make_collector(body_seconds=0.2)

    def trickle(port):
        with Http2(port) as client:
            client.call(1, TRACES)
            client.data(1, message(b"", announced=100))
            return client.await_end(1)

    assert b"grpc-status\x014" in misbehave(collector, trickle)
    assert refused(collector, "too_slow") == 1


def test_trickling_messages_make_room_for_one_that_comes(collector, monkeypatch):
    monkeypatch.setattr(grpc_server, "PLACES", 4)

    async def conversation(port):
        clients = [await asyncio.to_thread(Http2, port) for _ in range(2)]
        try:
            for client in clients:
                for stream in (1, 3, 5, 7):
                    await asyncio.to_thread(client.call, stream, TRACES)
                    await asyncio.to_thread(client.data, stream, message(b"x", announced=100))
            ended = await asyncio.to_thread(clients[0].await_end, 1)
            return ended, await call(port, bodies.shop(collector.clock()))
        finally:
            for client in clients:
                client.close()

    ended, answer = talk(collector, conversation)
    assert b"grpc-status\x0214" in ended
    assert answer == (Code.OK, b"")
    assert refused(collector, "full") >= 1


def test_a_sender_that_goes_away_is_counted(collector):
    def leave(port):
        with Http2(port) as client:
            client.call(1, TRACES)
            client.data(1, message(b"x", announced=100))
            client.read()

    async def conversation(port):
        while not collector.parts.telemetry.value("bodies_abandoned", "incomplete"):
            await asyncio.to_thread(leave, port)  # maybe before its call was begun with
        return await call(port, b"")

    assert talk(collector, conversation) == (Code.OK, b"")


def test_a_message_announced_as_gigabytes_ends_its_call(collector):
    def lie(port):
        with Http2(port) as client:
            client.call(1, TRACES)
            client.data(1, message(bytes(1000), announced=(1 << 32) - 1))
            return client.await_end(1)

    assert b"grpc-status\x018" in misbehave(collector, lie)


@pytest.mark.parametrize("encoding", ["zstd", "br", "identity"])
def test_a_compression_that_is_not_known_is_refused_before_anything_is_inflated(collector, encoding):
    def send(port):
        with Http2(port) as client:
            client.call(1, TRACES, ("grpc-encoding", encoding))
            client.data(1, message(b"x" * 100, compressed=True), end=True)
            return client.await_end(1)

    assert b"grpc-status\x0213" in misbehave(collector, send)
    assert collector.parts.telemetry.value("bodies_accepted") == 0


def test_headers_beyond_the_limit_are_refused(collector):
    def send(port):
        with Http2(port) as client:
            client.read()
            client.call(1, TRACES, *[("x", "y" * 10)] * 450)
            return client.await_end(1)

    assert b"grpc-status\x018" in misbehave(collector, send)


def test_calls_beyond_the_limit_of_a_connection_are_not_served(collector):
    def send(port):
        with Http2(port) as client:
            client.read()
            for stream in range(1, 2 * grpc_server.STREAMS + 3, 2):
                client.call(stream, TRACES)
            client.await_end(2 * grpc_server.STREAMS + 1)
            return client.got[-1]

    kind, _, stream, _ = misbehave(collector, send)
    assert (kind, stream) == (3, 2 * grpc_server.STREAMS + 1)


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\xff" * 100])
def test_what_is_not_http2_is_ended(collector, junk):
    async def conversation(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(junk)
        await reader.read()
        writer.close()
        return await call(port, b"")

    assert talk(collector, conversation) == (Code.OK, b"")


def test_a_stop_lets_what_was_taken_end_and_gives_up_what_still_comes(collector):
    async def main():
        async with listening(collector) as port:
            client = await asyncio.to_thread(Http2, port)
            client.call(1, TRACES)
            client.data(1, message(b"x", announced=100))
            assert await call(port, b"") == (Code.OK, b"")
            begun = asyncio.get_running_loop().time()
        seconds = asyncio.get_running_loop().time() - begun
        client.close()
        return seconds

    assert asyncio.run(main()) < grpc_server.STOP_SECONDS + 2


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zlib.compress(data, 1), zlib.compress])
def test_the_encoding_is_told_by_the_first_bytes(pack):
    plain = bodies.shop(1)
    assert encoding_of(pack(plain)) in {"gzip", "deflate"}
    assert encoding_of(plain) is None
    assert encoding_of(b"") is None
