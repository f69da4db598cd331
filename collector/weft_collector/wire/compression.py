"""Content encodings: a body as sent to a body as meant, never larger than a limit.

Each codec inflates in steps, and the size is checked after each, so a bomb costs at most the limit plus what
one step can yield: nothing more for gzip and deflate, whose output is capped exactly, and 16 MiB for zstd,
where 512 bytes of body are at most 128 blocks of 128 KiB. A body may consist of several members (gzip) or
frames (zstd), as both formats allow, but not of very many: each costs work that its size does not show.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import zstandard
from isal import isal_zlib

from weft_collector.errors import BodyTooLarge, MalformedBody, UnsupportedEncoding

#: Most members or frames of a body.
MEMBERS = 1024

# What RFC 8878 asks every decoder to support, whatever the limit of the content.
_SMALLEST_WINDOW = 8 << 20


class _Inflater(Protocol):
    """One member or frame being inflated."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


class _ZstdFrame:
    """A zstd frame; the length of its output is bounded by the length of the input alone."""

    def __init__(self, limit: int) -> None:
        # A larger window than the limit is only of use to a larger body; refusing it bounds memory.
        window = max(limit, _SMALLEST_WINDOW)
        self._frame = zstandard.ZstdDecompressor(max_window_size=window).decompressobj()

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
    start: Callable[[int], _Inflater]  # given the limit
    step: int  # bytes of body inflated at once
    members: int  # most members that may follow each other


def _gzip(limit: int) -> _Inflater:
    del limit
    return isal_zlib.decompressobj(wbits=31)


def _zlib(limit: int) -> _Inflater:
    del limit
    return isal_zlib.decompressobj(wbits=15)


_CODECS = {
    "gzip": _Codec(_gzip, step=65_536, members=MEMBERS),
    "x-gzip": _Codec(_gzip, step=65_536, members=MEMBERS),
    "deflate": _Codec(_zlib, step=65_536, members=1),
    "zstd": _Codec(_ZstdFrame, step=512, members=MEMBERS),
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
    return _Inflation(body, name, limit).run()


class _Inflation:
    """The state of inflating one body."""

    def __init__(self, body: bytes, name: str, limit: int) -> None:
        self._body, self._name, self._limit = body, name, limit
        self._codec = _CODECS[name]
        self._pieces: list[bytes] = []
        self._position = 0
        self._room = limit

    def run(self) -> bytes:
        for _ in range(self._codec.members):
            self._inflate_member(self._codec.start(self._limit))
            if self._position == len(self._body):
                return b"".join(self._pieces)
        raise self._malformed("goes on behind its end")

    def _inflate_member(self, inflater: _Inflater) -> None:
        while not inflater.eof:
            step = self._body[self._position : self._position + self._codec.step]
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
                raise _too_large(self._limit) from error
            raise self._malformed(f"is damaged ({error})") from error

    def _add(self, piece: bytes) -> None:
        self._room -= len(piece)
        if self._room < 0:
            raise _too_large(self._limit)
        self._pieces.append(piece)

    def _malformed(self, what: str) -> MalformedBody:
        return MalformedBody(f"The {self._name} body {what}, near byte {self._position} as sent.")


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body has more than {limit} bytes inflated; send fewer spans at once.")
