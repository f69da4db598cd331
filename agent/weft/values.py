"""Attribute values: whatever the host passes in becomes a bounded, immutable value that OTLP can carry.

The OpenTelemetry API allows str, bool, int, float, bytes, None, and sequences and mappings of them. Other
objects become their `str`. Nothing here raises: an object whose own methods raise becomes `UNREADABLE`.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final, NamedTuple, cast

from weft.guard import guarded

Value = str | bool | int | float | bytes | None | tuple["Value", ...] | dict[str, "Value"]

UNREADABLE = "<unreadable>"
"""Stands for an object that raised when it was looked at."""

LONG = 256
"""Characters up to which a string needs no look at the limits; longer ones are weighed one by one."""

MAX_DEPTH = 8
MAX_ITEMS = 1024

SCALARS: Final = frozenset({bool, int, float, type(None)})


class Limits(NamedTuple):
    """How much one span may hold. What is beyond is dropped and counted on the span."""

    attributes: int = 128
    value_length: int = 65_536
    events: int = 128
    links: int = 128


def cleaned(value: object, limits: Limits) -> Value:
    """Return `value` as an attribute value within the limits; `UNREADABLE` if looking at it raised."""
    if value is None:
        return None
    result = _cleaned(value, limits.value_length, 0)
    return UNREADABLE if result is None else result


@guarded
def _cleaned(value: object, length: int, depth: int) -> Value:
    return _clean(value, length, depth)


def _clean(value: object, length: int, depth: int) -> Value:
    if isinstance(value, str):
        return str.__str__(value)[:length]
    if isinstance(value, bytes | bytearray):
        return bytes(value[:length])
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    return _clean_collection(value, length, depth)


def _number(value: float) -> float:
    return int(value) if isinstance(value, int) else float(value)


def _clean_collection(value: object, length: int, depth: int) -> Value:
    if depth < MAX_DEPTH:
        if isinstance(value, Mapping):
            return _clean_mapping(cast("Mapping[object, object]", value), length, depth)
        if isinstance(value, Sequence | AbstractSet):
            items = islice(cast("Sequence[object]", value), MAX_ITEMS)
            return tuple([_clean(item, length, depth + 1) for item in items])
    return str(value)[:length]


def _clean_mapping(value: Mapping[object, object], length: int, depth: int) -> Value:
    pairs = islice(value.items(), MAX_ITEMS)
    return {str(key)[:LONG]: _clean(item, length, depth + 1) for key, item in pairs}


def plain(attributes: object, limit: int) -> bool:
    """Whether attributes can be copied as they are: a dict of few short texts and scalars."""
    if type(attributes) is not dict:
        return False
    pairs: dict[Any, Any] = attributes  # pyright: ignore[reportUnknownVariableType] - looked at below
    for key, value in pairs.items():
        kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
        if type(key) is not str or (len(value) >= LONG if kind is str else kind not in SCALARS):
            return False
    return len(pairs) <= limit


def items(attributes: object) -> list[tuple[str, object]]:
    """Return the pairs of a mapping that the host passed; none if it is no mapping, or cannot be read."""
    if attributes is None:
        return []
    if type(attributes) is dict:
        return list(cast("dict[str, object]", attributes).items())
    clean = cleaned(attributes, Limits())
    return list(clean.items()) if isinstance(clean, dict) else []


def bounded(attributes: object, limits: Limits) -> dict[str, Value]:
    """Return a clean copy of the attributes of an event, a link or a scope."""
    pairs = items(attributes)[: limits.attributes]
    return {key: cleaned(value, limits) for key, value in pairs if type(key) is str and key}


def text(value: object, limit: int = LONG) -> str:
    """Return `value` as text of at most `limit` characters, whatever it is."""
    if type(value) is str:
        return value[:limit]
    result = _text(value)
    return UNREADABLE if result is None else result[:limit]


@guarded
def _text(value: object) -> str:
    return str(value)


def weight(value: Value) -> int:
    """Return about how many bytes of memory a cleaned value takes."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, tuple):
        return sum(map(weight, value)) + 16 * len(value)
    if isinstance(value, dict):
        return sum(len(key) + weight(item) + 64 for key, item in value.items())
    return 16
