"""A load generator that is cheap enough not to disturb: a pool of bodies, sent over sockets of its own.

    python -m benchmarks.load URL [--seconds 10] [--spans N] [--rate N] [--connections 8] [--per-request 2048]

Each connection is a thread that takes the next body of the pool, gives it fresh ids and times, sends it over
HTTP/1.1 with keep-alive, and waits for the answer. Every answer is read and judged: 200 without rejected
spans is acknowledged; 429 and 503 are sent again after their Retry-After; anything else ends the load with
an error. What was acknowledged, and what was sent and never answered, is remembered by (pass, body), so that
a campaign can ask for it later (`Pool.ids`).

Compressed bodies cannot be mended, so they are compressed before the load begins, each with ids of its own;
a load of compressed bodies ends when they are used up. The client costs about 80 ns a span for mending and
as much again for the kernel's copying; `Result.cpu` says what it was.
"""

import itertools
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import numpy as np
import zstandard
from isal import igzip
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from benchmarks.figures import parser_of
from benchmarks.pool import Pass, Pool

__all__ = ["Answer", "Body", "Connection", "Load", "Options", "Replays", "Result", "compressed"]

COMPRESS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda data: igzip.compress(data, 1),
    "zstd": zstandard.ZstdCompressor(level=1).compress,
}
_READ: Final = 1 << 16
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY_AFTER: Final = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)
_AGAIN: Final = (429, 503)


class Body(NamedTuple):
    """What one request carries.

    Attributes:
        replay: The pass it belongs to.
        number: The body of the pool.
        spans: How many spans it has.
    """

    replay: Pass
    number: int
    spans: int


class Answer(NamedTuple):
    """What the collector said."""

    status: int
    retry_after: float
    body: bytes


class Source(Protocol):
    """Where bodies come from; called by several threads."""

    def take(self) -> Body | None:
        """The next body to send; None at the end."""
        ...

    def data(self, body: Body) -> memoryview | bytes:
        """Its bytes; valid until `done`."""
        ...

    def done(self, body: Body) -> None:
        """Its bytes are needed no longer."""
        ...


class Replays:
    """The pool, pass after pass, with fresh ids; `data` holds the pool's body until `done`.

    Args:
        pool: The bodies.
        passes: The passes to replay, in order.
    """

    def __init__(self, pool: Pool, passes: Iterable[Pass]) -> None:
        self.pool = pool
        self._next = self._bodies(passes)
        self._taking = threading.Lock()
        self._held = [threading.Lock() for _ in range(pool.bodies)]

    @classmethod
    def now(cls, pool: Pool, first: int = 0) -> "Replays":
        """Pass after pass without end, each about as old as it is long."""
        passes = (Pass(n, time.time_ns() - pool.span_ns - 10**9) for n in itertools.count(first))
        return cls(pool, passes)

    def _bodies(self, passes: Iterable[Pass]) -> Iterator[Body]:
        for replay in passes:
            for number in range(self.pool.bodies):
                yield Body(replay, number, self.pool.spans_of(number))

    def take(self) -> Body | None:
        """See Source."""
        with self._taking:
            return next(self._next, None)

    def data(self, body: Body) -> memoryview:
        """See Source."""
        self._held[body.number].acquire()
        return self.pool.mended(body.number, body.replay)

    def done(self, body: Body) -> None:
        """See Source."""
        self._held[body.number].release()


class Prepared:
    """Bodies that are ready to be sent, each once."""

    def __init__(self, ready: Iterable[tuple[Body, bytes]]) -> None:
        self._ready = dict(ready)
        self._next = iter(list(self._ready))
        self._taking = threading.Lock()

    def take(self) -> Body | None:
        """See Source."""
        with self._taking:
            return next(self._next, None)

    def data(self, body: Body) -> bytes:
        """See Source."""
        return self._ready[body]

    def done(self, body: Body) -> None:
        """See Source."""


def compressed(pool: Pool, encoding: str, spans: int) -> Prepared:
    """So many spans of the pool with fresh ids, compressed now."""
    source, compress = Replays.now(pool), COMPRESS[encoding]

    def ready() -> Iterator[tuple[Body, bytes]]:
        left = spans
        while left > 0 and (body := source.take()):
            yield body, compress(source.data(body))
            source.done(body)
            left -= body.spans

    return Prepared(ready())


class Connection:
    """A kept-alive HTTP/1.1 connection to a collector."""

    def __init__(self, url: str, timeout: float = 120.0) -> None:
        parts = urlsplit(url)
        self._host = parts.netloc
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, data: bytes | memoryview, encoding: str) -> Answer:
        """Send spans; OSError if the connection breaks before the answer is whole."""
        codec = "" if encoding == "identity" else f"content-encoding: {encoding}\r\n"
        head = (
            f"POST /v1/traces HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: application/x-protobuf\r\n"
            f"{codec}content-length: {len(data)}\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        self._socket.sendall(data)
        return self._answer()

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _answer(self) -> Answer:
        text = b""
        while b"\r\n\r\n" not in text:
            text += self._read()
        head, _, body = text.partition(b"\r\n\r\n")
        length = _number(_LENGTH, head)
        while len(body) < length:
            body += self._read()
        return Answer(int(head[9:12]), _number(_RETRY_AFTER, head), body)

    def _read(self) -> bytes:
        piece = self._socket.recv(_READ)
        if not piece:
            raise ConnectionResetError("the collector closed the connection")
        return piece


def _number(pattern: re.Pattern[bytes], head: bytes) -> int:
    found = pattern.search(head)
    return int(found[1]) if found else 0


class Options(NamedTuple):
    """How to load.

    Attributes:
        connections: Requests on their way at a time.
        seconds: For how long bodies are sent.
        spans: After how many spans to stop; 0 for as many as time allows.
        rate: Spans a second at most; 0 for as many as are taken.
        encoding: Content encoding of the bodies.
        patience: For how many seconds a body is sent again while it is refused.
        may_break: Whether a broken connection is expected: its thread then ends, and the body counts as unanswered.
    """

    connections: int = 8
    seconds: float = 10.0
    spans: int = 0
    rate: float = 0.0
    encoding: str = "identity"
    patience: float = 60.0
    may_break: bool = False


@dataclass
class Result:
    """What came of a load.

    Attributes:
        acknowledged: Bodies that were answered with success.
        unanswered: Bodies whose connection broke before the answer.
        spans: Acknowledged spans.
        latencies: Seconds from the sending of each acknowledged body to its answer, refusals included.
        refused: Refusals that were healed by sending again, by status.
        seconds: Wall time from the first sending to the last answer.
        cpu: CPU seconds of this process meanwhile.
        errors: Why threads ended early.
    """

    acknowledged: list[Body] = field(default_factory=list)
    unanswered: list[Body] = field(default_factory=list)
    spans: int = 0
    latencies: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu: float = 0.0
    errors: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Acknowledged spans per second."""
        return self.spans / self.seconds if self.seconds else 0.0

    def latency_ms(self, percent: float) -> float:
        """A percentile of the latencies in ms."""
        return float(np.percentile(self.latencies, percent)) * 1e3 if self.latencies else 0.0


class Load:
    """One load: runs once.

    Args:
        url: The collector's address.
        source: The bodies.
        options: How to send them.
    """

    def __init__(self, url: str, source: Source, options: Options | None = None) -> None:
        self.result = Result()
        self._url = url
        self._source = source
        self._options = options or Options()
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._begun = self._taken = 0.0

    def run(self) -> Result:
        """Load until the time is over, the spans are sent or the source is empty; the result.

        Raises:
            RuntimeError: A body was answered with something that no retry heals, or a connection broke.
        """
        threads = [threading.Thread(target=self._work) for _ in range(self._options.connections)]
        self._begun, cpu = time.perf_counter(), time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.result.seconds = time.perf_counter() - self._begun
        self.result.cpu = time.process_time() - cpu
        if self.result.errors:
            raise RuntimeError("; ".join(sorted(set(self.result.errors))))
        return self.result

    def stop(self) -> None:
        """Let the load end soon; from any thread."""
        self._ending.set()

    def _work(self) -> None:
        try:
            connection = Connection(self._url)
            try:
                while (body := self._next()) is not None:
                    self._send(connection, body)
            finally:
                connection.close()
        except (OSError, RuntimeError) as error:
            self._ending.set()
            if not (self._options.may_break and isinstance(error, OSError)):
                self.result.errors.append(f"{type(error).__name__}: {error}")

    def _next(self) -> Body | None:
        """The next body, as soon as the rate allows it."""
        options = self._options
        with self._lock:
            due = self._begun + (self._taken / options.rate if options.rate else 0.0)
            spent = options.spans and self._taken >= options.spans
            body = None if spent else self._source.take()
            self._taken += body.spans if body else 0
        now = time.perf_counter()
        if max(due, now) >= self._begun + options.seconds or self._ending.wait(max(0.0, due - now)):
            return None
        return body

    def _send(self, connection: Connection, body: Body) -> None:
        data = self._source.data(body)
        try:
            begun = time.perf_counter()
            self._post(connection, data)
            seconds = time.perf_counter() - begun
        except OSError:
            with self._lock:
                self.result.unanswered.append(body)
            raise
        finally:
            self._source.done(body)
        with self._lock:
            self.result.acknowledged.append(body)
            self.result.latencies.append(seconds)
            self.result.spans += body.spans

    def _post(self, connection: Connection, data: memoryview | bytes) -> None:
        """Send until it is taken."""
        deadline = time.perf_counter() + self._options.patience
        while (answer := connection.post(data, self._options.encoding)).status in _AGAIN:
            with self._lock:
                self.result.refused[answer.status] += 1
            if time.perf_counter() > deadline:
                break
            if self._ending.wait(max(answer.retry_after, 0.05)):
                raise OSError("the load ended before the body was taken")
        if answer.status != 200:
            raise RuntimeError(f"answered {answer.status}: {answer.body[:300]!r}")
        partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
        if partial.rejected_spans:
            raise RuntimeError(f"{partial.rejected_spans} spans rejected: {partial.error_message}")


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("url", help="address of a collector")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--spans", type=int, default=0, help="stop after so many")
    parser.add_argument("--rate", type=float, default=0.0, help="spans a second at most")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--per-request", type=int, default=2048, help="spans a request")
    given = parser.parse_args()
    pool = Pool.of(given.per_request, seed=time.time_ns())
    options = Options(given.connections, given.seconds, given.spans, given.rate)
    result = Load(given.url, Replays.now(pool), options).run()
    print(
        f"{result.spans:,} spans in {result.seconds:.1f} s: {result.rate / 1e3:.0f} k spans/s; "
        f"client {result.cpu / result.spans * 1e9:.0f} ns CPU a span; "
        f"request p50 {result.latency_ms(50):.1f}, p99 {result.latency_ms(99):.1f} ms; "
        f"refused and healed: {sum(result.refused.values())}"
    )


if __name__ == "__main__":
    main()
