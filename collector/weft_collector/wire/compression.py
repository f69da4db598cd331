"""Content encodings: a body as sent to a body as meant, never larger than a limit.

Each codec inflates in steps, and the size is checked after each. A step is so small that what it can yield, and
its copy while that grows, fit into the room that is left, down to steps that yield 1 MiB. What becomes
large is inflated twice: first only to see how large, since a bomb is not worth the memory up to the limit.
So a bomb costs 16 MiB beside the body, and a zstd frame its window beside that, of 8 MiB at most.

A body may consist of several members (gzip) or frames (zstd), as both formats allow, but not of very many:
each costs work that its size does not show.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import zstandard
from isal import isal_zlib

from weft_collector.errors import BodyTooLarge, MalformedBody, UnsupportedEncoding

#: Most members or frames of a body.
MEMBERS = 1024

# What RFC 8878 asks every decoder to support. Larger ones are made by `--ultra` and `--long` only, and would cost
# their size in memory beside the content.
_WINDOW = 8 << 20
# A body that is larger than this inflated is inflated twice.
_SMALL = 16 << 20


class _Inflater(Protocol):
    """One member or frame being inflated."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


class _ZstdFrame:
    """A zstd frame; the length of its output is bounded by the length of the input alone."""

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data

    def decompress(self, data: bytes, /, max_length: int) -> bytes:
        del max_length
        return self._frame.decompress(data)


class _Codec(NamedTuple):
    start: Callable[[], _Inflater]
    growth: int  # most bytes that a byte of body becomes
    least: int  # fewest bytes of body inflated at once: they yield 1 MiB at most
    most: int  # most bytes of body inflated at once
    members: int  # most members that may follow each other

    def step(self, room: int) -> int:
        """How many bytes of body are inflated at once."""
        return min(self.most, max(self.least, room // (2 * self.growth)))


def _gzip() -> _Inflater:
    return isal_zlib.decompressobj(wbits=31)


def _zlib() -> _Inflater:
    return isal_zlib.decompressobj(wbits=15)


_CODECS = {
    "gzip": _Codec(_gzip, growth=1032, least=1016, most=65_536, members=MEMBERS),
    "x-gzip": _Codec(_gzip, growth=1032, least=1016, most=65_536, members=MEMBERS),
    "deflate": _Codec(_zlib, growth=1032, least=1016, most=65_536, members=1),
    "zstd": _Codec(_ZstdFrame, growth=32_768, least=32, most=512, members=MEMBERS),  # a block has 4 bytes
}
_IDENTITY = ("", "identity")

#: What a client may send as content-encoding.
ENCODINGS = ("identity", *_CODECS)


def inflate(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Undo the content encoding of a body.

    Args:
        body: the bytes as sent.
        encoding: the value of the content-encoding header, if any.
        limit: most bytes of the result.

    Raises:
        UnsupportedEncoding: the encoding is unknown, or there is more than one.
        BodyTooLarge: the result would exceed `limit`.
        MalformedBody: the bytes are not what the encoding says: corrupt, cut short, or followed by others.
    """
    name = (encoding or "").strip().lower()
    if name in _IDENTITY:
        if len(body) > limit:
            raise _too_large(limit)
        return body
    if "," in name:
        raise UnsupportedEncoding(f"One content-encoding at a time, not {encoding!r}.")
    if name not in _CODECS:
        raise UnsupportedEncoding(f"Unknown content-encoding {encoding!r}; known are {', '.join(ENCODINGS)}.")
    try:
        return _Inflation(body, name, min(limit, _SMALL)).run()
    except BodyTooLarge:
        if limit <= _SMALL:
            raise
    _Inflation(body, name, limit, keep=False).run()
    return _Inflation(body, name, limit).run()


class _Inflation:
    """The state of inflating one body; without `keep` to see whether it can be done, and stays below the limit."""

    def __init__(self, body: bytes, name: str, limit: int, *, keep: bool = True) -> None:
        self._body, self._name, self._limit = body, name, limit
        self._codec = _CODECS[name]
        self._pieces: list[bytes] = []
        self._keep = keep
        self._position = 0
        self._room = limit

    def run(self) -> bytes:
        for _ in range(self._codec.members):
            self._inflate_member(self._codec.start())
            if self._position == len(self._body):
                return b"".join(self._pieces)
        raise self._malformed("goes on behind its end")

    def _inflate_member(self, inflater: _Inflater) -> None:
        while not inflater.eof:
            step = self._body[self._position : self._position + self._codec.step(self._room)]
            if not step:
                raise self._malformed("ends too early")
            self._add(self._inflate_step(inflater, step))
            self._position += len(step)
        self._position -= len(inflater.unused_data)

    def _inflate_step(self, inflater: _Inflater, step: bytes) -> bytes:
        try:
            return inflater.decompress(step, max_length=self._room + 1)
        except (isal_zlib.error, zstandard.ZstdError) as error:
            if "too much memory" in str(error):
                raise BodyTooLarge(
                    f"The zstd body needs a window of more than {_WINDOW} bytes; compress it at a lower level."
                ) from error
            raise self._malformed(f"is damaged ({error})") from error

    def _add(self, piece: bytes) -> None:
        self._room -= len(piece)
        if self._room < 0:
            raise _too_large(self._limit)
        if self._keep:
            self._pieces.append(piece)

    def _malformed(self, what: str) -> MalformedBody:
        return MalformedBody(f"The {self._name} body {what}, near byte {self._position} as sent.")


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body has more than {limit} bytes inflated; send fewer spans at once.")
