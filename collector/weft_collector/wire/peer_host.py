"""The host that a span calls, where no attribute names it plainly.

Older instrumentations give a URL, or what stood in the Host header; others only the address that the connection
reached. A host out of `http.host` or a URL has the port beside it, else that of the URL's scheme, else the port that
is given for itself. It is in lower case (ASCII), without brackets and without user and password.

    url       = 1*( ALPHA / DIGIT / "+" / "-" / "." ) "://" authority [ ( "/" / "?" / "#" ) anything ]
    authority = [ anything "@" ] ( host / "[" host "]" ) [ ":" *10DIGIT ]

A host has 1 to 255 bytes, none of them a space, a control character, a bracket, and outside of brackets no colon; a
port is at most 65,535. What does not fit is as if it were absent.
"""

import numpy as np

from weft_collector.kernel import ZERO, inline, load8, load32, load64, number, routine, store8, store64
from weft_collector.wire.known_keys import ASIDE, ASIDE_AT
from weft_collector.wire.protobuf_reader import SCRATCH_BYTES
from weft_collector.wire.special_values import TEXT_VALUE, digits, number_up_to
from weft_collector.wire.strings import ATTRIBUTE_RESERVE, intern

_PORT = 65_535
_LONGEST_HOST = 255

# Behind the levels of a walk: a pair of numbers for each attribute that is set aside, and a host in lower case.
_PAIRS_AT = number(SCRATCH_BYTES)
_HOST_AT = number(SCRATCH_BYTES + 16 * len(ASIDE))
#: Bytes of scratch memory that decoding takes.
DECODER_SCRATCH = SCRATCH_BYTES + 16 * len(ASIDE) + _LONGEST_HOST + 1

_HTTP_HOST, _FIRST_URL, _REACHED, _REACHED_PORT = (
    number(ASIDE.index(name))
    for name in ("http.host", "url.full", "network.peer.address", "network.peer.port")
)
_END = number(len(ASIDE))
_SLASH, _QUESTION, _HASH, _AT, _COLON, _OPEN, _CLOSE = b"/?#@:[]"
_SPACE, _DELETE = 32, 127
_UPPER_A, _UPPER_Z, _TO_LOWER = ord("A"), ord("Z"), 32
_HTTP, _LOWER = int.from_bytes(b"http", "little"), int.from_bytes(b"\x20" * 4, "little")
_S = ord("s")
_HTTP_PORT, _HTTPS_PORT = number(80), number(443)
_SCHEME_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-."
_IN_SCHEME = np.array([byte in _SCHEME_BYTES for byte in range(256)], np.int64)

Authority = tuple[int, int, int]
"""Where a host begins and ends (at the same place if there is none), and its port or 0."""


@routine
def set_aside(place: int, kind: int, value: tuple[int, int], scratch: int) -> int:
    """Remember a value; its bit in the ranks, or 0 if it cannot be read."""
    first, last = value
    if place >= _REACHED_PORT:
        first, last = number_up_to(_PORT, kind, value), ZERO
        usable = first > 0
    else:
        usable = kind == TEXT_VALUE and first < last
    if not usable:
        return ZERO
    store64(scratch + _PAIRS_AT + 16 * place, first)
    store64(scratch + _PAIRS_AT + 16 * place + 8, last)
    return 1 << (place + ASIDE_AT)


@inline
def _pair(place: int, scratch: int) -> tuple[int, int]:
    return load64(scratch + _PAIRS_AT + 16 * place), load64(scratch + _PAIRS_AT + 16 * place + 8)


@inline
def _best(first: int, count: int, ranks: int) -> int:
    """The first of some places that is set; the place behind them if none is."""
    place = first
    while place < first + count and (ranks >> (place + ASIDE_AT)) & 1 == 0:
        place += 1
    return place


@routine
def read_authority(p: int, end: int) -> Authority:
    """The host and port in the authority that begins at `p`."""
    start = stop = p
    while stop < end and load8(stop) not in (_SLASH, _QUESTION, _HASH):
        stop += 1
        if load8(stop - 1) == _AT:
            start = stop
    bracketed = start < stop and load8(start) == _OPEN
    start += 1 if bracketed else 0
    behind = start
    while behind < stop and load8(behind) != (_CLOSE if bracketed else _COLON):
        byte = load8(behind)
        if byte <= _SPACE or byte in (_DELETE, _OPEN, _CLOSE):
            return p, p, ZERO
        behind += 1
    at = behind + (1 if bracketed else 0)
    if at > stop or behind - start > _LONGEST_HOST or (at < stop and load8(at) != _COLON):
        return p, p, ZERO
    port = digits(at + 1, stop) if at + 1 < stop else ZERO
    return (start, behind, port) if 0 <= port <= _PORT else (p, p, ZERO)


@inline
def _port_of_scheme(p: int, end: int) -> int:
    """80 for http, 443 for https, in letters of either case, else 0."""
    if end - p not in (4, 5) or load32(p) | _LOWER != _HTTP:
        return ZERO
    if end - p == 4:
        return _HTTP_PORT
    return _HTTPS_PORT if load8(p + 4) | _TO_LOWER == _S else ZERO


@routine
def _behind_scheme(p: int, end: int) -> tuple[int, int]:
    """Where a URL's authority begins, and the port of its scheme or 0; 0 for no URL."""
    at = p
    while at < end and load8(at) != _COLON:
        if _IN_SCHEME[load8(at)] == 0:
            return ZERO, ZERO
        at += 1
    if at == p or end - at < 3 or load8(at + 1) != _SLASH or load8(at + 2) != _SLASH:
        return ZERO, ZERO
    return at + 3, _port_of_scheme(p, at)


@routine
def _asked(ranks: int, scratch: int) -> tuple[Authority, int]:
    """What `http.host` or a URL names, and the port of the URL's scheme."""
    found, scheme = (ZERO, ZERO, ZERO), ZERO
    for place in range(_FIRST_URL, _REACHED):
        if found[0] == found[1] and (ranks >> (place + ASIDE_AT)) & 1 != 0:
            start, end = _pair(place, scratch)
            p, scheme_port = _behind_scheme(start, end)
            if p > 0:
                found = read_authority(p, end)
                scheme = scheme_port if found[0] < found[1] else ZERO
    if (ranks >> (_HTTP_HOST + ASIDE_AT)) & 1 != 0:
        start, end = _pair(_HTTP_HOST, scratch)
        host = read_authority(start, end)
        if host[0] < host[1]:
            found = host
    return found, scheme


@routine
def find_host(ranks: int, port: int, strings: int, scratch: int) -> tuple[int, int]:
    """The host and port out of what was set aside, as text id and number.

    Args:
        ranks: Which attributes are set aside.
        port: That is given for itself, or 0.
        strings: The table of texts.
        scratch: DECODER_SCRATCH bytes of memory.
    """
    (start, end, said), scheme = _asked(ranks, scratch)
    if start < end:
        host = scratch + _HOST_AT
        for at in range(end - start):
            byte = load8(start + at)
            store8(host + at, byte + _TO_LOWER if _UPPER_A <= byte <= _UPPER_Z else byte)
        word = intern(host, host + end - start, strings, ATTRIBUTE_RESERVE)
        return word, said if said > 0 else (scheme if scheme > 0 else port)
    place = _best(_REACHED, _REACHED_PORT - _REACHED, ranks)
    if place == _REACHED_PORT:
        return ZERO, ZERO
    start, end = _pair(place, scratch)
    place = _best(_REACHED_PORT, _END - _REACHED_PORT, ranks)
    reached = ZERO if place == _END else _pair(place, scratch)[0]
    return intern(start, end, strings, ATTRIBUTE_RESERVE), reached
