"""A small HTTP server that answers as a handler says, for as long as a block runs."""

import threading
from contextlib import contextmanager
from http.server import HTTPServer

__all__ = ["Quiet", "answering"]


class Quiet:
    """For handlers that write no log; stands before BaseHTTPRequestHandler."""

    def log_message(self, *_args):
        pass


@contextmanager
def answering(handler):
    """The server's address."""
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
