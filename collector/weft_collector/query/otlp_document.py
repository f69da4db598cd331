"""OTLP messages as the plain values of OTLP JSON, ids in hex.

Protobuf's own `MessageToDict` would make most of the time of a trace's answer: it asks each field of each message
again what it is, and takes two to three times as long. Here the descriptors are asked once, and attributes, of
which most messages are made, not even that. As in protobuf's JSON, fields that are not set are left out, numbers of 64
bits and doubles that are no numbers are texts, and bytes are in base64; enums are numbers, as OTLP has it.
"""

import math
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

__all__ = ["plain"]

_Convert = Callable[[Any], Any]
_IDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
_TEXTS: Final = frozenset(
    {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64}
)  # JavaScript has no such numbers


def plain(message: Message) -> dict[str, Any]:
    """A message of OTLP traces, and all in it, as dictionaries, lists and scalars."""
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        name, convert = _FIELDS[field]
        found[name] = value if convert is None else convert(value)
    return found


def _pair(pair: KeyValue) -> dict[str, Any]:
    """A KeyValue; what is rare in it is asked for the slow way."""
    if pair.key_strindex or not (pair.key and pair.HasField("value")):
        return plain(pair)
    return {"key": pair.key, "value": _value(pair.value)}


def _value(value: AnyValue) -> dict[str, Any]:
    """An AnyValue."""
    which = value.WhichOneof("value")
    if which is None:
        return {}
    name, convert = _VALUES[which]
    held = getattr(value, which)
    return {name: held if convert is None else convert(held)}


def _double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _each(convert: _Convert) -> _Convert:
    return lambda values: [convert(value) for value in values]


def _converter(field: FieldDescriptor) -> _Convert | None:
    """What makes a field's value plain; None if it is."""
    convert: _Convert | None = None
    if field.message_type is not None:
        convert = _OFTEN.get(field.message_type.full_name, plain)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        convert = bytes.hex if field.name in _IDS else _base64
    elif field.cpp_type in _TEXTS:
        convert = str
    elif field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        convert = _double
    return _each(convert or _same) if field.is_repeated else convert


def _same(value: Any) -> Any:
    return value


def _fields(
    message: Descriptor, seen: set[str]
) -> Iterator[tuple[FieldDescriptor, tuple[str, _Convert | None]]]:
    """Each field of a message, and of all messages in it."""
    if message.full_name not in seen:
        seen.add(message.full_name)
        for field in message.fields:
            yield field, (field.json_name, _converter(field))
            if field.message_type is not None:
                yield from _fields(field.message_type, seen)


_OFTEN: Final[dict[str, _Convert]] = {
    KeyValue.DESCRIPTOR.full_name: _pair,
    AnyValue.DESCRIPTOR.full_name: _value,
}
_VALUES: Final = {field.name: (field.json_name, _converter(field)) for field in AnyValue.DESCRIPTOR.fields}
_FIELDS: Final = dict(_fields(TracesData.DESCRIPTOR, set()))
