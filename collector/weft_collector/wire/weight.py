"""How much memory a body of metrics or logs takes once it is objects, before it becomes any.

Two bytes of protobuf can be a message, and a byte of packed numbers a number of eight: 64 MiB of these, which
compress into nothing, would become gigabytes. Spans go through a kernel that makes no objects; other signals are
parsed by libraries, so their bodies are weighed first: 96 bytes for a message, 8 for a field and for a packed
byte, which is about what upb takes. In JSON 128 bytes for a brace and 16 for a comma are about what structs take.

Where a body is malformed the walk ends, and so will the parser's, which says what is wrong.
"""

from typing import Final

import numpy as np

from weft_collector.errors import BodyTooLarge
from weft_collector.kernel import ZERO, kernel, load64, number, store64
from weft_collector.wire.protobuf_reader import (
    DEEPEST,
    DELIMITED,
    SCRATCH_BYTES,
    read_delimited,
    read_tag,
    skip_field,
)

__all__ = ["HEAVIEST", "check_json", "check_protobuf"]

HEAVIEST: Final = 64 << 20
_MESSAGE, _FIELD, _BRACE, _COMMA = 96, 8, 128, 16

# What a length-delimited field holds: bytes or a text, packed numbers, or a message of the table.
_OPAQUE, _PACKED = 0, 1
_HELD: dict[str, dict[int, str]] = {
    "metrics": {1: "ResourceMetrics"},
    "logs": {1: "ResourceLogs"},
    "ResourceMetrics": {1: "Resource", 2: "ScopeMetrics"},
    "ScopeMetrics": {1: "Scope", 2: "Metric"},
    "Metric": {5: "Points", 7: "Points", 9: "Histogram", 10: "Exponential", 11: "Summary", 12: "KeyValue"},
    "Points": {1: "NumberPoint"},
    "NumberPoint": {5: "Exemplar", 7: "KeyValue"},
    "Histogram": {1: "HistogramPoint"},
    "HistogramPoint": {6: "packed", 7: "packed", 8: "Exemplar", 9: "KeyValue"},
    "Exponential": {1: "ExponentialPoint"},
    "ExponentialPoint": {1: "KeyValue", 8: "Buckets", 9: "Buckets", 11: "Exemplar"},
    "Buckets": {2: "packed"},
    "Summary": {1: "SummaryPoint"},
    "SummaryPoint": {6: "Leaf", 7: "KeyValue"},
    "Exemplar": {7: "KeyValue"},
    "ResourceLogs": {1: "Resource", 2: "ScopeLogs"},
    "ScopeLogs": {1: "Scope", 2: "LogRecord"},
    "LogRecord": {5: "AnyValue", 6: "KeyValue"},
    "Resource": {1: "KeyValue", 3: "EntityRef"},
    "EntityRef": {3: "Leaf", 4: "Leaf"},
    "Scope": {3: "KeyValue"},
    "KeyValue": {2: "AnyValue"},
    "AnyValue": {5: "ArrayValue", 6: "KeyValueList"},
    "ArrayValue": {1: "AnyValue"},
    "KeyValueList": {1: "KeyValue"},
    "Leaf": {},
}
_CODES = {"packed": _PACKED} | {name: code for code, name in enumerate(_HELD, start=_PACKED + 1)}
_FIELDS = 16
_HOLDS = np.zeros((len(_CODES) + 1, _FIELDS), np.int64)
for _name, _fields in _HELD.items():
    for _number, _target in _fields.items():
        _HOLDS[_CODES[_name], _number] = _CODES[_target]
_PER_MESSAGE, _PER_FIELD, _MOST = number(_MESSAGE), number(_FIELD), number(HEAVIEST)


@kernel
def _weigh(message: int, base: int, length: int, scratch: int) -> int:  # noqa: C901 - one loop over all levels
    """The weight of a body; beyond HEAVIEST, or behind what is malformed, the walk ends.

    One function, since a call for each level would need a stack. Every read stays between `p` and `end`, as
    `protobuf_reader` says; the enclosing messages wait in `scratch`.
    """
    p, end, level, weight = base, base + length, ZERO, ZERO
    while weight <= _MOST:
        while p == end:
            if level == 0:
                return weight
            level -= 1
            end = load64(scratch + 16 * level)
            message = load64(scratch + 16 * level + 8)
        tag, p = read_tag(p, end)
        if p < 0:
            return weight
        weight += _PER_FIELD
        if tag & 7 != DELIMITED:
            p = skip_field(tag, p, end, level, scratch)
            if p < 0:
                return weight
            continue
        start, p = read_delimited(p, end)
        if p < 0:
            return weight
        holds = _HOLDS[message, tag >> 3] if tag >> 3 < _FIELDS else _OPAQUE
        if holds == _PACKED:
            weight += _PER_FIELD * (p - start)
        elif holds != _OPAQUE:
            if level == DEEPEST:
                return weight
            weight += _PER_MESSAGE
            store64(scratch + 16 * level, end)
            store64(scratch + 16 * level + 8, message)
            level += 1
            message = holds
            p, end = start, p
    return weight


def check_protobuf(body: bytes, signal: str) -> None:
    """Refuse a body that would take too much memory.

    Args:
        body: An export request in protobuf.
        signal: Which: metrics or logs.

    Raises:
        BodyTooLarge: It would.
    """
    view = np.frombuffer(body or b"\0", np.uint8)
    scratch = np.zeros(SCRATCH_BYTES, np.uint8)
    _check(_weigh(_CODES[signal], view.ctypes.data, len(body), scratch.ctypes.data))


def check_json(body: bytes) -> None:
    """The same for a body in JSON."""
    _check(_BRACE * body.count(b"{") + _COMMA * body.count(b","))


def _check(weight: int) -> None:
    if weight > HEAVIEST:
        raise BodyTooLarge(
            f"The body's parts would take more than {HEAVIEST} bytes of memory; send fewer in a request."
        )
