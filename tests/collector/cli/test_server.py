"""The HTTP servers with our deadlines and limits, over real sockets and in one event loop."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress

import pytest

from weft_collector.cli import granian_server, http_protocol, server
from weft_collector.cli.granian_server import granian_for
from weft_collector.cli.server import Hooks, server_for

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n"


async def app(scope, receive, send):
    """Answers at once, whatever of the body has come."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


MADE_BY = {"uvicorn": server_for, "granian": granian_for}
SERVER = {"chosen": "uvicorn"}
"""The one that is tested."""


@pytest.fixture(autouse=True)
def short_deadline(monkeypatch):
    monkeypatch.setattr(http_protocol.DeadlineProtocol, "header_seconds", 0.3)
    monkeypatch.setattr(granian_server, "IDLE_SECONDS", 0.3)


@pytest.fixture(params=MADE_BY)
def each_server(request, monkeypatch):
    """Lets a test run with each of the servers."""
    monkeypatch.setitem(SERVER, "chosen", request.param)


@asynccontextmanager
async def running(hooks, served=app):
    opened = socket.create_server(("127.0.0.1", 0))
    accepting = asyncio.Event()

    def started():
        hooks.started()
        accepting.set()

    made = MADE_BY[SERVER["chosen"]](served, Hooks(started, hooks.stopping))
    task = asyncio.create_task(made.serve(sockets=[opened]))
    await asyncio.wait_for(accepting.wait(), 10)
    try:
        yield opened.getsockname()[1]
    finally:
        made.stop()
        await task
        opened.close()


def talk(conversation, hooks=None, served=app):
    async def main():
        async with running(hooks or Hooks(lambda: None, lambda: None), served) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                return await asyncio.wait_for(conversation(reader, writer), 10)
            finally:
                writer.close()

    return asyncio.run(main())


@pytest.mark.parametrize("begun", [b"", b"GET / HT", GET[:-2]])
@pytest.mark.usefixtures("each_server")
def test_headers_that_do_not_end_are_given_up(begun):
    async def conversation(reader, writer):
        writer.write(begun)
        return await reader.read()

    assert talk(conversation) == b""


@pytest.mark.usefixtures("each_server")
def test_headers_that_trickle_are_given_up_however_lively_they_are():
    async def conversation(reader, writer):
        async def trickle():
            while True:
                writer.write(b"x: y\r\n")
                await asyncio.sleep(0.02)

        writer.write(GET[:-2])
        trickling = asyncio.create_task(trickle())
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            trickling.cancel()

    assert talk(conversation) == b""


async def answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(2)
    return head.split()[1]


@pytest.mark.usefixtures("each_server")
def test_a_connection_serves_request_after_request_beyond_the_deadline():
    async def conversation(reader, writer):
        codes = []
        for _ in range(4):
            writer.write(GET)
            codes.append(await answer(reader))
            await asyncio.sleep(0.15)
        return codes

    assert talk(conversation) == [b"200"] * 4


@pytest.mark.usefixtures("each_server")
def test_second_headers_that_do_not_end_are_given_up_too():
    async def conversation(reader, writer):
        writer.write(GET)
        await answer(reader)
        writer.write(GET[:10])
        return await reader.read()

    assert talk(conversation) == b""


@pytest.mark.usefixtures("each_server")
def test_a_body_that_goes_on_after_the_answer_is_given_up():
    async def conversation(reader, writer):
        writer.write(POST)
        await answer(reader)
        writer.write(b"x")
        return await reader.read()

    assert talk(conversation) == b""


@pytest.mark.usefixtures("each_server")
def test_the_hooks_are_told_of_start_and_stop():
    told = []

    async def conversation(reader, writer):
        writer.write(GET)
        await answer(reader)
        return list(told)

    during = talk(conversation, Hooks(lambda: told.append("started"), lambda: told.append("stopping")))
    assert during == ["started"]
    assert told == ["started", "stopping"]


REFUSED = {
    "two kinds of length": b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"content-length: 4\r\ncontent-length: 5\r\n\r\nabcde",
    "a length that is no number": b"content-length: -1\r\n\r\n",
    "a length with a sign": b"content-length: +4\r\n\r\nabcd",
    "a chunk's size that is no number": b"transfer-encoding: chunked\r\n\r\nxyz\r\n",
    "a chunk's size beyond 64 bits": b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "a chunk longer than it says": b"transfer-encoding: chunked\r\n\r\n1\r\nabcdef\r\n0\r\n\r\n",
    "chunked, and something after it": b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a header without a name": b": x\r\n\r\n",
    "a space before the colon": b"content-length : 4\r\n\r\nabcd",
    "a zero byte": b"x: a\0b\r\n\r\n",
    "a bare carriage return": b"x: a\rb: c\r\n\r\n",
}


async def echo(scope, receive, send):
    """Answers with the size of the body, after all of it has come."""
    if scope["type"] == "lifespan":
        await app(scope, receive, send)
        return
    size, parts, more = 0, 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, parts, more = size + len(message["body"]), parts + 1, message["more_body"]
    body = f"{size:8d}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
    await send({"type": "http.response.body", "body": body})


async def whole_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split()[1]), int(await reader.readexactly(8))


@pytest.mark.parametrize("rest", REFUSED.values(), ids=REFUSED)
def test_what_two_readers_could_read_differently_is_refused(rest):
    async def conversation(reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\n" + rest)
        return await reader.read()

    answer = talk(conversation, served=echo)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 3_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x: y\r\n" * 500 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 3_000,
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"y" * 3_000,
        POST.replace(b"content-length: 100", b"transfer-encoding: chunked")
        + b"0\r\n" + b"x: y\r\n" * 500 + b"\r\n",
    ],
    ids=["target", "fields", "value", "name", "trailers"],
)  # fmt: skip
@pytest.mark.parametrize("step", [1_800, 2_300])
def test_a_head_that_is_too_large_is_refused(head, step, monkeypatch):
    monkeypatch.setattr(http_protocol, "HEAD_BYTES", 2_000)

    async def conversation(reader, writer):
        for start in range(0, 2_300, step):
            writer.write(head[start : min(start + step, 2_300)])
            await asyncio.sleep(0.02)
        return await reader.read()

    assert b"HTTP/1.1 431" in talk(conversation, served=echo)


def test_a_request_ahead_of_an_answer_ends_the_connection_after_it():
    async def conversation(reader, writer):
        writer.write(GET * 500)
        return await reader.read()

    answer = talk(conversation)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in answer


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
@pytest.mark.parametrize("step", [7_919, 1 << 20])
@pytest.mark.usefixtures("each_server")
def test_a_body_comes_whole_with_its_length_or_in_chunks(size, step):
    body = bytes(size)
    parts = [body[start : start + step] for start in range(0, size, step)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"

    async def conversation(reader, writer):
        for head, content in ((b"content-length: %d" % size, body), (b"transfer-encoding: chunked", chunks)):
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\n%b\r\n\r\n" % head + content)
            assert await whole_answer(reader) == (200, size)

    talk(conversation, served=echo)


@pytest.mark.usefixtures("each_server")
def test_a_sender_that_asks_is_told_to_go_on():
    async def conversation(reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        return await whole_answer(reader)

    assert talk(conversation, served=echo) == (200, 3)


@pytest.mark.usefixtures("each_server")
def test_a_body_that_nobody_takes_stops_the_reading():
    sent = []

    async def deaf(scope, receive, send):
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        await asyncio.sleep(0.5)
        await echo(scope, receive, send)

    async def conversation(reader, writer):
        size = 64 << 20
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
        writer.write(bytes(size))
        await asyncio.sleep(0.3)
        sent.append(size - writer.transport.get_write_buffer_size())
        return await whole_answer(reader)

    assert talk(conversation, served=deaf) == (200, 64 << 20)
    assert sent[0] < 32 << 20  # what the kernel holds, and a little


@pytest.mark.usefixtures("each_server")
def test_connections_share_what_they_read_into_and_nothing_else():
    async def main():
        async with running(Hooks(lambda: None, lambda: None), echo) as port:

            async def send(size):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                for _ in range(5):
                    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
                    for start in range(0, size, 5_003):
                        writer.write(bytes(min(5_003, size - start)))
                        await writer.drain()
                    assert await whole_answer(reader) == (200, size)
                writer.close()

            await asyncio.gather(*(send(100_000 + number) for number in range(20)))

    asyncio.run(main())


def test_one_connection_too_many_ends_the_one_that_is_idle_for_the_longest(monkeypatch):
    monkeypatch.setattr(server, "connections", lambda: 3)

    async def main():
        async with running(Hooks(lambda: None, lambda: None)) as port:
            pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            for reader, writer in pairs:
                writer.write(GET)
                await answer(reader)
            pairs[0][1].write(GET)  # no longer the oldest
            await answer(pairs[0][0])
            pairs += [await asyncio.open_connection("127.0.0.1", port)]
            with suppress(ConnectionError):
                assert await pairs[1][0].read() == b""
            for reader, writer in (pairs[0], pairs[2], pairs[3]):
                writer.write(GET)
                assert await answer(reader) == b"200"
            for _, writer in pairs:
                writer.close()

    asyncio.run(main())


@pytest.mark.parametrize("name", REFUSED)
def test_granian_refuses_the_same_or_closes(name, monkeypatch):
    monkeypatch.setitem(SERVER, "chosen", "granian")

    async def conversation(reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\n" + REFUSED[name])
        return await reader.read()

    answer = talk(conversation, served=echo)
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer or b"HTTP/1.1 500" in answer
    assert (b"HTTP/1.1 200" in answer) is (name == "two kinds of length")


def test_granian_refuses_a_head_that_is_too_large(monkeypatch):
    monkeypatch.setitem(SERVER, "chosen", "granian")

    async def conversation(reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * granian_server.HEAD_BYTES)
        return await reader.read()

    assert b"HTTP/1.1 431" in talk(conversation)


def test_a_granian_that_is_told_to_stop_before_it_runs_does_not_run():
    made = granian_for(app, Hooks(lambda: None, lambda: None))
    made.stop()
    with socket.create_server(("127.0.0.1", 0)) as opened:
        made.run([opened])
