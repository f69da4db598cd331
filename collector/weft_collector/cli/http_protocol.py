"""HTTP/1.1 for uvicorn: httptools parses; what a collector needs beyond that stands here.

* A deadline for headers: uvicorn waits for them for ever, so a client that trickles one byte a minute would
  hold a connection. The deadline also ends a body that goes on after it was answered.
* A limit for the bytes of a request's head, trailers included; httptools has none.
* A bound for connections that keeps the door open: one too many ends the one that has been idle, or without
  whole headers, for the longest, instead of refusing the new one.
* No requests ahead of their answers: uvicorn would keep all that one read brings, some ten thousand, in
  memory. The first that comes too early is not read, and the connection closes after the answer before it;
  so RFC 9112 lets a server do, and clients that pipeline send such a request again.
* Fewer copies of bodies. All connections of a server read into one buffer (what was read is parsed before the
  next read begins), instead of a new one for each read; and the pieces that the parser makes are
  handed on as they are, instead of being gathered and copied twice.

The parser is strict: both Content-Length and Transfer-Encoding, two lengths, or a malformed chunk are answered
with 400, and the connection closes.
"""

import asyncio
from collections import deque
from typing import Any, Final, Literal, TypedDict

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

__all__ = ["HEAD_BYTES", "DeadlineProtocol", "Shared"]

HEADER_SECONDS: Final = 10.0
HEAD_BYTES: Final = 32 << 10
"""Most bytes of a request line with its headers."""
_READ: Final = (
    1 << 20
)  # a whole body of 2,048 spans in one or two reads: less than half the time of reads of 256 KiB
_HIGH_WATER: Final = 256 << 10
_HEAD_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class _Part(TypedDict):
    type: Literal["http.request"]
    body: bytes
    more_body: bool


class _Gone(TypedDict):
    type: Literal["http.disconnect"]


class Shared:
    """What the connections of a server, in one event loop, have together.

    Args:
        most: Connections at a time, as long as one of them is idle.

    Attributes:
        buffer: What they read into, one after the other.
    """

    def __init__(self, most: int) -> None:
        self.buffer = memoryview(bytearray(_READ))
        self._most = most
        self._open = 0
        self._idle: dict[DeadlineProtocol, None] = {}  # idle for the longest first

    def enter(self, connection: "DeadlineProtocol") -> None:
        """A connection was opened."""
        self._open += 1
        self._idle[connection] = None
        if self._open > self._most:
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.transport.abort()

    def leave(self, connection: "DeadlineProtocol") -> None:
        """A connection was closed."""
        self._open -= 1
        self._idle.pop(connection, None)

    def serve(self, connection: "DeadlineProtocol") -> None:
        """A connection has a request."""
        self._idle.pop(connection, None)

    def rest(self, connection: "DeadlineProtocol") -> None:
        """A connection has no request any more."""
        if not connection.transport.is_closing():
            self._idle[connection] = None


class _Body:
    """A request's body on its way from the parser to the app."""

    def __init__(self, cycle: RequestResponseCycle, flow: FlowControl) -> None:
        self._cycle = cycle
        self._flow = flow
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Take a piece in; when too much waits, reading stops."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _HIGH_WATER:
            self._flow.pause_reading()
        self._cycle.message_event.set()

    async def receive(self) -> _Part | _Gone:
        """See ASGI."""
        cycle = self._cycle
        self._continue()
        if not self._is_over and not self._pieces:
            self._flow.resume_reading()
            await cycle.message_event.wait()
        cycle.message_event.clear()
        if self._is_over:
            return {"type": "http.disconnect"}
        piece = self._pieces.popleft() if self._pieces else b""
        self._size -= len(piece)
        return {"type": "http.request", "body": piece, "more_body": cycle.more_body or bool(self._pieces)}

    @property
    def _is_over(self) -> bool:
        return self._cycle.disconnected or self._cycle.response_complete

    def _continue(self) -> None:
        cycle = self._cycle
        if cycle.waiting_for_100_continue and not cycle.transport.is_closing():
            cycle.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            cycle.waiting_for_100_continue = False


class DeadlineProtocol(HttpToolsProtocol, asyncio.BufferedProtocol):
    """A connection.

    Args:
        shared: What the connections of a server have together.
        settings: uvicorn's own.
    """

    header_seconds = HEADER_SECONDS

    def __init__(self, shared: Shared, **settings: Any) -> None:
        super().__init__(**settings)
        self._shared = shared
        self._deadline: asyncio.TimerHandle | None = None
        self._head = 0  # bytes of the head that are parsed
        self._in_head = False
        self._unfinished = 0  # bytes that came for a head that is not complete
        self._body: _Body | None = None
        self._is_ahead = False  # a request came before the answer to the one before it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """See asyncio.BaseProtocol."""
        super().connection_made(transport)
        self._shared.enter(self)
        self._start_deadline()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the buffer has its size
        """See asyncio.BufferedProtocol."""
        return self._shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """See asyncio.BufferedProtocol."""
        self.data_received(self._shared.buffer[:nbytes])

    def data_received(self, data: bytes | memoryview) -> None:
        """Parse what was read."""
        super().data_received(data)  # type: ignore[arg-type] # the parser takes any buffer
        self._unfinished = self._unfinished + len(data) if self._in_head else 0
        if self._unfinished > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("")
        if self._is_served():
            self._end_deadline()
        elif self._deadline is None:
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.BaseProtocol."""
        self._end_deadline()
        self._shared.leave(self)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """See HttpToolsProtocol: called where parsing ended. A head too large gets a status of its own."""
        if self._is_ahead:
            return  # the answer before it comes, and closes the connection
        if max(self._head, self._unfinished) <= HEAD_BYTES:
            super().send_400_response(msg)
            return
        self.transport.write(_HEAD_TOO_LARGE)
        self.transport.close()

    # ---- what the parser tells

    def on_message_begin(self) -> None:
        """See HttpToolsProtocol."""
        super().on_message_begin()
        self._head, self._in_head = 0, True

    def on_url(self, url: bytes) -> None:
        """See HttpToolsProtocol."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """See HttpToolsProtocol; called for trailers, too."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """See HttpToolsProtocol."""
        self._in_head = False
        self._is_ahead = self._is_ahead or self._is_served()
        if self._is_ahead:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            raise ValueError("a request ahead of an answer")  # ends the parsing; see send_400_response
        self._shared.serve(self)
        super().on_headers_complete()
        self._body = _Body(self.cycle, self.flow)
        self.cycle.receive = self._body.receive  # type: ignore[method-assign] # its task begins later

    def on_body(self, body: bytes) -> None:
        """See HttpToolsProtocol."""
        if self._body is not None and not self.cycle.response_complete:
            self._body.add(body)

    def on_response_complete(self) -> None:
        """See HttpToolsProtocol: the keep-alive time is the limit from here on."""
        self._end_deadline()
        self._shared.rest(self)
        super().on_response_complete()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > HEAD_BYTES:
            raise ValueError("the head is too large")  # ends the parsing; see send_400_response

    # ---- the deadline

    def _is_served(self) -> bool:
        """Whether a request's headers are complete and its answer is not."""
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison] # None before the first request

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.header_seconds, self._give_up)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.close()
