"""The attributes that become columns, and the table by which a kernel finds them.

Each column takes one or more keys, best first: a better key wins over a lesser one wherever they stand, and
of the same key twice the last one wins.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import inline, load64, number, shift_right
from weft_collector.wire.columns import Resources, Spans
from weft_collector.wire.strings import load_part

SPAN_KEYS: dict[str, tuple[str, ...]] = {
    "peer_service": ("service.peer.name", "peer.service"),
    "server_address": ("server.address", "net.peer.name", "net.sock.peer.addr"),
    "db_system": ("db.system.name", "db.system"),
    "db_namespace": ("db.namespace", "db.name"),
    "messaging_system": ("messaging.system",),
    "messaging_destination": ("messaging.destination.name", "messaging.destination"),
    "rpc_system": ("rpc.system.name", "rpc.system"),
    "error_type": ("error.type",),
    "server_port": ("server.port", "net.peer.port"),
    "http_status": ("http.response.status_code", "http.status_code"),
}
RESOURCE_KEYS: dict[str, tuple[str, ...]] = {
    "service": ("service.name",),
    "instance": ("service.instance.id",),
    "namespace": ("service.namespace",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "version": ("service.version",),
    "host": ("host.name",),
    "pid": ("process.pid",),
}
#: The largest number that a numeric column takes; all other columns take texts.
LARGEST = {"server_port": 65_535, "http_status": 999, "pid": 2**31 - 1}

#: The 32-bit columns of `Spans` and `Resources` in the order in which the kernels store them.
SPAN_WORDS = tuple(
    name
    for name in Spans._fields
    if name not in {"trace_hi", "trace_lo", "span_id", "parent_id", "start", "end"}
    and name not in {"kind", "status", "caller_stale"}
)
RESOURCE_WORDS = Resources._fields


_SLOT_BITS = 8
_SLOT_SHIFT = number(64 - _SLOT_BITS)
_WORD = (1 << 64) - 1


def _number(part: bytes) -> int:
    return int.from_bytes(part[:8].ljust(8, b"\0"), "little")


def _part(short: bytes) -> int:
    """What `strings.load_part` makes of a key below eight bytes."""
    if len(short) >= 4:
        return int.from_bytes(short[:4], "little") | int.from_bytes(short[-4:], "little") << 32
    return short[0] | short[len(short) >> 1] << 8 | short[-1] << 16


def _ends(key: bytes) -> tuple[int, int]:
    return (_number(key), _number(key[-8:])) if len(key) >= 8 else (_part(key), 0)


def _slot(key: bytes, multipliers: tuple[int, int]) -> int:
    first, last = _ends(key)
    mixed = (first * multipliers[0] & _WORD) ^ (last * multipliers[1] & _WORD)
    return (mixed + len(key) * multipliers[0] & _WORD) >> (64 - _SLOT_BITS)


def _perfect_multipliers(keys: list[bytes]) -> tuple[int, int]:
    """The first pair of a fixed sequence that sends every key to a slot of its own."""
    pair = (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)
    while len({_slot(key, pair) for key in keys}) < len(keys):
        pair = (pair[0] * 0x5851F42D4C957F2D & _WORD | 1, pair[1] * 0x14057B7EF767814F & _WORD | 1)
    return pair


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


SPAN_MESSAGE, RESOURCE_MESSAGE = number(0), number(1)


class _Meaning(NamedTuple):
    """What a known key stands for: a column of a message, its rank there, and the column's largest number."""

    message: int
    column: int
    rank: int
    largest: int


def _meanings() -> dict[bytes, _Meaning]:
    found: dict[bytes, _Meaning] = {}
    for message, keys, words in ((0, SPAN_KEYS, SPAN_WORDS), (1, RESOURCE_KEYS, RESOURCE_WORDS)):
        for column, names in keys.items():
            for worse, name in enumerate(names):
                place, rank = words.index(column), len(names) - worse
                found[name.encode()] = _Meaning(message, place, rank, LARGEST.get(column, 0))
    return found


# A perfect hash of the known keys: one row of KEYS for each slot, with the words of the key (eight bytes
# from 0, 8, 16 and from its end, 0 where it is too short), its length (0: no key) and its meaning.
_FIRST, _SECOND, _THIRD, _LAST, _LENGTH, KEY_MESSAGE, KEY_COLUMN, KEY_RANK, KEY_LARGEST = range(9)


def _key_rows(meanings: dict[bytes, _Meaning], multipliers: tuple[int, int]) -> NDArray[np.int64]:
    rows = np.zeros((1 << _SLOT_BITS, 9), np.int64)
    for key, meaning in meanings.items():
        first, last = _ends(key)
        second = _number(key[8:16]) if len(key) > 16 else 0
        third = _number(key[16:24]) if len(key) > 24 else 0
        words = [_signed(word) for word in (first, second, third, last)]
        rows[_slot(key, multipliers)] = [*words, len(key), *meaning]
    return rows


_MULTIPLIERS = _perfect_multipliers(list(_meanings()))
KEYS = _key_rows(_meanings(), _MULTIPLIERS)
_MULTIPLIER, _LAST_MULTIPLIER = (number(_signed(word)) for word in _MULTIPLIERS)


@inline
def find_key(p: int, end: int) -> int:
    """The slot of the key at `p..end`, or -1 for an unknown one."""
    length = end - p
    if length >= 8:
        first, last = load64(p), load64(end - 8)
    else:
        first, last = load_part(p, length), 0
    mixed = (first * _MULTIPLIER ^ last * _LAST_MULTIPLIER) + length * _MULTIPLIER
    slot = shift_right(mixed, _SLOT_SHIFT)
    if KEYS[slot, _LENGTH] != length or KEYS[slot, _FIRST] != first or KEYS[slot, _LAST] != last:
        return -1
    if length > 16 and load64(p + 8) != KEYS[slot, _SECOND]:
        return -1
    if length > 24 and load64(p + 16) != KEYS[slot, _THIRD]:
        return -1
    return slot if length > 0 else -1
