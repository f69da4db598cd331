"""A collector of a few lines: takes OTLP over real HTTP, decodes it with protobuf, and misbehaves."""

import contextlib
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def decode(body: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    return request


def plain(value):
    """The Python value of an AnyValue."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)


def attributes(pairs) -> dict:
    return {pair.key: plain(pair.value) for pair in pairs}


def spans(request: ExportTraceServiceRequest) -> Iterator[tuple[dict, Span]]:
    """Each span with its resource's attributes."""
    for resource_spans in request.resource_spans:
        resource = attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield resource, span


class Collector(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.status = 200
        self.hanging: threading.Event | None = None

    def handle_error(self, request, client_address):
        """A client that hangs up in the middle of an answer is what some tests are about."""

    @property
    def spans(self) -> list[tuple[dict, Span]]:
        return [pair for request in self.requests for pair in spans(request)]

    def names(self) -> list[str]:
        return [span.name for _, span in self.spans]


class Handler(BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.server.paths.append(self.path)
        if self.server.hanging is not None:
            self.server.hanging.wait(30)
            self.close_connection = True
            return
        status, headers, answer = (
            self.server.answers.pop(0) if self.server.answers else (self.server.status, {}, b"")
        )
        if status == 200:
            body = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
            self.server.requests.append(decode(body))
        self.send_response(status)
        for name, value in {"content-length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        if server.hanging is not None:
            server.hanging.set()
        server.shutdown()
        thread.join()
        server.server_close()
