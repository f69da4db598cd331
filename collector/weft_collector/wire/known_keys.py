"""The attributes that become columns, and the table by which a kernel finds them.

Each column takes one or more keys, best first: a better key wins over a lesser one wherever they stand, and
of the same key twice the last one wins. Most columns hold their attribute as it came (SPAN_KEYS, RESOURCE_KEYS).
Some hold what an attribute means (FOLDED_KEYS), and some attributes are only *set aside* until the whole span
has been read, since they count only if nothing better is there (ASIDE).

**Ranks.** While a span is read, one number remembers the best key of each column so far, four bits for each column
that has several keys, and which attributes are set aside, one bit for each.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import inline, load64, number, shift_right
from weft_collector.wire.columns import Resources, Spans
from weft_collector.wire.special_values import COUNT, GRPC_CODE, INDEX, TRUTH
from weft_collector.wire.strings import load_part

SPAN_KEYS: dict[str, tuple[str, ...]] = {
    "peer_service": ("service.peer.name", "peer.service"),
    "peer_namespace": ("service.peer.namespace",),
    "server_address": ("server.address", "net.peer.name"),
    "db_system": ("db.system.name", "db.system"),
    "db_namespace": ("db.namespace", "db.name", "db.redis.database_index"),
    "messaging_system": ("messaging.system",),
    "messaging_destination": ("messaging.destination.name", "messaging.destination"),
    "messaging_operation": ("messaging.operation.type", "messaging.operation"),
    "messaging_cluster": ("messaging.kafka.cluster.id",),
    "rpc_system": ("rpc.system.name", "rpc.system"),
    "error_type": ("error.type",),
    "server_port": ("server.port", "net.peer.port"),
    "http_status": ("http.response.status_code", "http.status_code"),
}
RESOURCE_KEYS: dict[str, tuple[str, ...]] = {
    "service": ("service.name",),
    "instance": ("service.instance.id", "k8s.pod.uid"),
    "namespace": ("service.namespace",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "version": ("service.version",),
    "host": ("host.name",),
    "pid": ("process.pid",),
}
#: Columns that hold what an attribute means rather than what it says.
FOLDED_KEYS: dict[str, tuple[str, ...]] = {
    "messaging_template": (
        "messaging.destination.template",
        "messaging.destination.temporary",
        "messaging.destination.anonymous",
        "messaging.temp_destination",
    ),
    "message_count": ("messaging.batch.message_count",),
    "rpc_code": (
        "rpc.grpc.status_code",
        "rpc.response.status_code",
        "rpc.status_code",
        "rpc.connect_rpc.error_code",
    ),
}
#: Attributes of spans that `peer_host` looks at when nothing better was there: texts, then ports.
ASIDE = (
    "http.host",
    "url.full",
    "http.url",
    "network.peer.address",
    "net.sock.peer.addr",
    "net.peer.ip",
    "network.peer.port",
    "net.sock.peer.port",
    "net.peer.port",
)
#: The largest number that a numeric column takes; all other columns take texts.
LARGEST = {"server_port": 65_535, "http_status": 999, "pid": 2**31 - 1}

#: How the values of some keys are read; all others by their column.
_READINGS = {
    "db.redis.database_index": INDEX,
    "messaging.destination.temporary": TRUTH,
    "messaging.destination.anonymous": TRUTH,
    "messaging.temp_destination": TRUTH,
    "messaging.batch.message_count": COUNT,
    "rpc.grpc.status_code": GRPC_CODE,
}

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
    while not _is_perfect(keys, pair):
        pair = (pair[0] * 0x5851F42D4C957F2D & _WORD | 1, pair[1] * 0x14057B7EF767814F & _WORD | 1)
    return pair


def _is_perfect(keys: list[bytes], multipliers: tuple[int, int]) -> bool:
    taken: set[int] = set()
    for key in keys:
        slot = _slot(key, multipliers)
        if slot in taken:
            return False
        taken.add(slot)
    return True


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


SPAN_MESSAGE, RESOURCE_MESSAGE = number(0), number(1)


_RANK_BITS = 4
#: Where in the ranks columns with a single key stand, all at one place, and where the bits of ASIDE begin.
_SINGLE_AT, ASIDE_AT = number(44), number(48)


class _Meaning(NamedTuple):
    """What a known key stands for.

    Attributes:
        message: SPAN_MESSAGE or RESOURCE_MESSAGE.
        column: Of its 32-bit columns, or -1.
        reading: How the value is read: 0 for texts, the largest number for numbers, else one of `special_values`.
        shift: Where the column's rank stands.
        rank: Higher for better keys.
        aside: Place in ASIDE, or -1.
    """

    message: int
    column: int = -1
    reading: int = 0
    shift: int = 0
    rank: int = 0
    aside: int = -1


def _meanings() -> dict[bytes, _Meaning]:
    found: dict[bytes, _Meaning] = {}
    for message, keys, words in (
        (0, SPAN_KEYS | FOLDED_KEYS, SPAN_WORDS),
        (1, RESOURCE_KEYS, RESOURCE_WORDS),
    ):
        several = [column for column, names in keys.items() if len(names) > 1]
        for column, names in keys.items():
            shift = _RANK_BITS * several.index(column) if column in several else _SINGLE_AT
            for worse, name in enumerate(names):
                reading = _READINGS.get(name, LARGEST.get(column, 0))
                found[name.encode()] = _Meaning(
                    message, words.index(column), reading, int(shift), len(names) - worse
                )
    for place, name in enumerate(ASIDE):
        meaning = found.get(name.encode(), _Meaning(0))
        found[name.encode()] = meaning._replace(aside=place)
    return found


# A perfect hash of the known keys: one row of KEYS for each slot, with the words of the key (eight bytes
# from 0, 8, 16 and from its end, 0 where it is too short), its length (0: no key) and its meaning.
_FIRST, _SECOND, _THIRD, _LAST, _LENGTH = range(5)
KEY_MESSAGE, KEY_COLUMN, KEY_READING, KEY_SHIFT, KEY_RANK, KEY_ASIDE = range(5, 11)


def _key_rows(meanings: dict[bytes, _Meaning], multipliers: tuple[int, int]) -> NDArray[np.int64]:
    rows = np.zeros((1 << _SLOT_BITS, 11), np.int64)
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
