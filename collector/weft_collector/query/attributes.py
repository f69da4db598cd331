"""Attributes out of exact bytes: one key of many spans, or all keys of one message.

Values are compared as text, so that a user need not know how an agent typed a number:

* a string is its own text, an integer is written in decimal, a boolean is `true` or `false`;
* a double is compared by value: `0.5`, `5e-1` and `.50` all mean one half;
* a list is matched by each of its elements that is one of these;
* bytes, maps and lists in lists have a text to be shown (base64, JSON), and no condition ever matches them.

Of the same key twice the last one counts.
"""

import json
import math
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from weft_collector.errors import CorruptLog
from weft_collector.query.attribute_kernel import (
    ABSENT,
    BOOL,
    DOUBLE,
    INT,
    OTHER,
    TEXT,
    Asked,
    find_values,
)
from weft_collector.wire.protobuf_reader import SCRATCH_BYTES

__all__ = [
    "Messages",
    "Values",
    "Wanted",
    "double_of",
    "resource_attributes",
    "span_attributes",
    "text_of",
    "warm",
]

M = TypeVar("M", Span, Resource)
_SPAN_TAG: Final = 9 << 3 | 2
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_DOUBLE: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_SPECIAL: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_BOOLS: Final = {"true": 1, "false": 0}


class Messages(NamedTuple):
    """Span messages inside one run of bytes.

    Attributes:
        buffer: the bytes.
        offsets: where each message begins.
        lengths: its length in bytes; -1 where its log file is gone.
    """

    buffer: bytes
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def message(self, row: int) -> bytes:
        """One message; empty if it is not there."""
        start, length = int(self.offsets[row]), int(self.lengths[row])
        return self.buffer[start : start + length] if length > 0 else b""


class Wanted:
    """A value as a condition names it.

    Args:
        text: The value as text.
    """

    def __init__(self, text: str) -> None:
        self.bytes = text.encode()
        number = int(text) if _INTEGER.fullmatch(text) else None
        self.integer = number if number is not None and -(2**63) <= number < 2**63 else None
        self.double = double_of(text)
        self.bool = _BOOLS.get(text)

    def is_value(self, value: AnyValue) -> bool:
        """Whether a value is the one that is wanted."""
        if value.HasField("array_value"):
            return any(map(self._is_scalar, value.array_value.values))
        return self._is_scalar(value)

    def _is_scalar(self, value: AnyValue) -> bool:
        match value.WhichOneof("value"):
            case "string_value":
                return value.string_value.encode() == self.bytes
            case "int_value":
                return value.int_value == self.integer
            case "bool_value":
                return value.bool_value == self.bool
            case "double_value":
                return _same_double(value.double_value, self.double)
            case _:
                return False


def double_of(text: str) -> float | None:
    """The double that a text spells, or None."""
    if text in _SPECIAL:
        return _SPECIAL[text]
    return float(text) if _DOUBLE.fullmatch(text) else None


def _same_double(value: float, wanted: float | None) -> bool:
    return wanted is not None and (value == wanted or (math.isnan(value) and math.isnan(wanted)))


class Values:
    """The values of one key in many spans.

    Args:
        messages: The spans.
        key: The key.
    """

    def __init__(self, messages: Messages, key: str) -> None:
        self._messages = messages
        self._key = key
        self.kinds, self._first, self._last = _found(messages, key.encode())

    def __len__(self) -> int:
        return len(self.kinds)

    def matches(self, wanted: Wanted) -> NDArray[np.bool_]:
        """Which spans have the value that is wanted."""
        matched = self._scalars(wanted)
        length = len(wanted.bytes)
        buffer = self._messages.buffer
        for row in np.flatnonzero((self.kinds == TEXT) & (self._last - self._first == length)):
            start = int(self._first[row])
            matched[row] = buffer[start : start + length] == wanted.bytes
        for row in np.flatnonzero(self.kinds == OTHER):
            matched[row] = wanted.is_value(self._parsed(int(row)))
        return matched

    def _scalars(self, wanted: Wanted) -> NDArray[np.bool_]:
        matched = np.zeros(len(self.kinds), np.bool_)
        if wanted.integer is not None:
            matched |= (self.kinds == INT) & (self._first == wanted.integer)
        if wanted.bool is not None:
            matched |= (self.kinds == BOOL) & ((self._first != 0) == bool(wanted.bool))
        if wanted.double is not None:
            doubles = self._first.view(np.float64)
            same = np.isnan(doubles) if math.isnan(wanted.double) else doubles == wanted.double
            matched |= (self.kinds == DOUBLE) & same
        return matched

    def texts(self) -> list[str | None]:
        """Each span's value as text; None where it has none."""
        return [self._text(row, kind) for row, kind in enumerate(self.kinds.tolist())]

    def _text(self, row: int, kind: int) -> str | None:
        if kind == ABSENT:
            return None
        if kind == TEXT:
            return self._messages.buffer[int(self._first[row]) : int(self._last[row])].decode()
        if kind == INT:
            return str(int(self._first[row]))
        if kind == BOOL:
            return "true" if self._first[row] else "false"
        if kind == DOUBLE:
            return _double_text(float(self._first[row : row + 1].view(np.float64)[0]))
        return text_of(self._parsed(row)) if kind == OTHER else ""

    def _parsed(self, row: int) -> AnyValue:
        span = _parse(Span, self._messages.message(row))
        return next((pair.value for pair in reversed(span.attributes) if pair.key == self._key), AnyValue())


def _found(messages: Messages, key: bytes) -> NDArray[np.int64]:
    """The kernel's three rows."""
    count = len(messages.offsets)
    found = np.zeros((3, count), np.int64)
    view = np.frombuffer(messages.buffer or b"\0", np.uint8)
    name = np.frombuffer(key or b"\0", np.uint8)
    offsets = np.ascontiguousarray(messages.offsets, np.int64)
    lengths = np.ascontiguousarray(messages.lengths, np.int64)
    scratch = np.zeros(SCRATCH_BYTES, np.uint8)
    find_values(
        Asked(
            base=view.ctypes.data,
            size=len(messages.buffer),
            offsets=offsets.ctypes.data,
            lengths=lengths.ctypes.data,
            messages=count,
            tag=_SPAN_TAG,
            key=name.ctypes.data,
            key_length=len(key),
            found=found.ctypes.data,
            scratch=scratch.ctypes.data,
        )
    )
    return found


def warm() -> None:
    """Compile the kernel, or load it from the cache."""
    Values(Messages(b"", np.zeros(0, np.int64), np.zeros(0, np.int64)), "")


def span_attributes(message: bytes) -> dict[str, AnyValue]:
    """All attributes of a Span message by key.

    Raises:
        CorruptLog: The bytes are no Span.
    """
    return _by_key(_parse(Span, message).attributes)


def resource_attributes(message: bytes) -> dict[str, AnyValue]:
    """All attributes of a Resource message by key.

    Raises:
        CorruptLog: The bytes are no Resource.
    """
    return _by_key(_parse(Resource, message).attributes)


def _by_key(pairs: Iterable[KeyValue]) -> dict[str, AnyValue]:
    return {pair.key: pair.value for pair in pairs}


def _parse(message: type[M], data: bytes) -> M:
    try:
        return message.FromString(data)
    except DecodeError as error:
        raise CorruptLog(f"These bytes of the log are no {message.DESCRIPTOR.name}: {error}.") from error


def text_of(value: AnyValue) -> str:
    """A value as text; what is no scalar as compact JSON, bytes in base64."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "array_value" | "kvlist_value":
            return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)
        case _:
            plain = _plain(value)
            return "" if plain is None else plain if isinstance(plain, str) else json.dumps(plain)


def _double_text(value: float) -> str:
    special = (name for name, known in _SPECIAL.items() if _same_double(value, known))
    return next(special, "") or repr(value)


def _plain(value: AnyValue) -> object:
    """A value as JSON has it; numbers that JSON does not know become texts."""
    match value.WhichOneof("value"):
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return dict(_plain_pairs(value.kvlist_value.values))
        case "bytes_value":
            return b64encode(value.bytes_value).decode()
        case "double_value":
            return (
                value.double_value if math.isfinite(value.double_value) else _double_text(value.double_value)
            )
        case None:
            return None
        case name:
            scalar: object = getattr(value, name)
            return scalar


def _plain_pairs(pairs: Iterable[KeyValue]) -> Iterator[tuple[str, object]]:
    return ((pair.key, _plain(pair.value)) for pair in pairs)
