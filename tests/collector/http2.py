"""An HTTP/2 client that can misbehave: frames by hand, headers uncompressed, flow control obeyed or not."""

import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
INITIAL_WINDOW, MAX_FRAME = 4, 5
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def number(value):
    """An integer of HPACK with a prefix of seven bits."""
    if value < 127:
        return bytes([value])
    out, value = [127], value - 127
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def literal(name, value):
    """A header field without indexing and without Huffman coding."""
    return b"\0" + b"".join(number(len(text)) + text for text in (name.encode(), value.encode()))


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def message(body, *, compressed=False, announced=None):
    """A length-prefixed message of gRPC."""
    return struct.pack(">BI", compressed, len(body) if announced is None else announced) + body


class Http2:
    """A connection.

    Attributes:
        got: Frames that came, as (kind, flags, stream, payload), without those of flow control.
    """

    def __init__(self, port, timeout=20):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._timeout = timeout
        self._bytes = b""
        self._windows = {0: 65_535}
        self._initial, self._frame = 65_535, 16_384
        self.got = []
        self._socket.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def call(self, stream, path, *more, end=False):
        """Send a call's headers."""
        fields = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"), *more,
        ]  # fmt: skip
        self._windows[stream] = self._initial
        block = b"".join(literal(*field) for field in fields)
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block))

    def send(self, raw):
        self._socket.sendall(raw)

    def data(self, stream, content, *, end=False):
        """Send as the windows allow; False if the call or the connection ended meanwhile."""
        position = 0
        while position < len(content):
            size = min(self._frame, self._windows[0], self._windows[stream], len(content) - position)
            if size <= 0:
                if not self.read() or self.ended(stream):
                    return False
                continue
            last = END_STREAM if end and position + size == len(content) else 0
            self.send(frame(DATA, last, stream, content[position : position + size]))
            position += size
            self._windows[0] -= size
            self._windows[stream] -= size
        return True

    def ended(self, stream):
        """Whether the server has ended the call, or the connection."""
        return any(
            kind == GOAWAY
            or (of == stream and (kind == RST_STREAM or (kind == HEADERS and flags & END_STREAM)))
            for kind, flags, of, _ in self.got
        )

    def await_end(self, stream):
        """Read until the call has ended; the payload of its last headers."""
        while not self.ended(stream) and self.read():
            pass
        return b"".join(p for kind, _, of, p in self.got if kind == HEADERS and of == stream)

    def read(self):
        """Take in what comes; False at the end of the connection."""
        received = self._socket.recv(65_536)
        self._bytes += received
        while len(self._bytes) >= 9 and len(self._bytes) >= 9 + int.from_bytes(self._bytes[:3]):
            end = 9 + int.from_bytes(self._bytes[:3])
            head, payload = self._bytes[:9], self._bytes[9:end]
            self._bytes = self._bytes[end:]
            self._take(head[3], head[4], int.from_bytes(head[5:]), payload)
        return bool(received)

    def _take(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            self._settings(payload)
        elif kind == WINDOW_UPDATE:
            self._windows[stream] = self._windows.get(stream, 0) + int.from_bytes(payload)
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        else:
            self.got.append((kind, flags, stream, payload))

    def _settings(self, payload):
        for key, value in struct.iter_unpack(">HI", payload):
            if key == INITIAL_WINDOW:
                for stream in self._windows.keys() - {0}:
                    self._windows[stream] += value - self._initial
                self._initial = value
            elif key == MAX_FRAME:
                self._frame = value
        self.send(frame(SETTINGS, ACK, 0))

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
