"""uvicorn with our deadlines, over real sockets and in one event loop."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from weft_collector.cli import server
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


@pytest.fixture(autouse=True)
def short_deadline(monkeypatch):
    monkeypatch.setattr(server.DeadlineProtocol, "header_seconds", 0.3)


@asynccontextmanager
async def running(hooks):
    opened = socket.create_server(("127.0.0.1", 0))
    accepting = asyncio.Event()

    def started():
        hooks.started()
        accepting.set()

    made = server_for(app, Hooks(started, hooks.stopping))
    task = asyncio.create_task(made.serve(sockets=[opened]))
    await asyncio.wait_for(accepting.wait(), 10)
    try:
        yield opened.getsockname()[1]
    finally:
        made.should_exit = True
        await task


def talk(conversation, hooks=None):
    async def main():
        async with running(hooks or Hooks(lambda: None, lambda: None)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                return await asyncio.wait_for(conversation(reader, writer), 10)
            finally:
                writer.close()

    return asyncio.run(main())


@pytest.mark.parametrize("begun", [b"", b"GET / HT", GET[:-2]])
def test_headers_that_do_not_end_are_given_up(begun):
    async def conversation(reader, writer):
        writer.write(begun)
        return await reader.read()

    assert talk(conversation) == b""


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


def test_a_connection_serves_request_after_request_beyond_the_deadline():
    async def conversation(reader, writer):
        codes = []
        for _ in range(4):
            writer.write(GET)
            codes.append(await answer(reader))
            await asyncio.sleep(0.15)
        return codes

    assert talk(conversation) == [b"200"] * 4


def test_second_headers_that_do_not_end_are_given_up_too():
    async def conversation(reader, writer):
        writer.write(GET)
        await answer(reader)
        writer.write(GET[:10])
        return await reader.read()

    assert talk(conversation) == b""


def test_a_body_that_goes_on_after_the_answer_is_given_up():
    async def conversation(reader, writer):
        writer.write(POST)
        await answer(reader)
        writer.write(b"x")
        return await reader.read()

    assert talk(conversation) == b""


def test_the_hooks_are_told_of_start_and_stop():
    told = []

    async def conversation(reader, writer):
        writer.write(GET)
        await answer(reader)
        return list(told)

    during = talk(conversation, Hooks(lambda: told.append("started"), lambda: told.append("stopping")))
    assert during == ["started"]
    assert told == ["started", "stopping"]
