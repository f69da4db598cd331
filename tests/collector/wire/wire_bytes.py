"""Protobuf by hand: for encodings that no library writes."""


def varint(value: int, width: int = 0) -> bytes:
    """A varint, of at least `width` bytes."""
    value &= (1 << 64) - 1
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    groups += [0] * (width - len(groups))
    return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])


def tag(field: int, wire: int, width: int = 0) -> bytes:
    return varint(field << 3 | wire, width)


def number(field: int, value: int) -> bytes:
    return tag(field, 0) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    return tag(field, 1) + (value & (1 << 64) - 1).to_bytes(8, "little")


def fixed32(field: int, value: int) -> bytes:
    return tag(field, 5) + value.to_bytes(4, "little")


def message(field: int, *parts: bytes) -> bytes:
    """A length-delimited field of the joined parts."""
    payload = b"".join(parts)
    return tag(field, 2) + varint(len(payload)) + payload


def group(field: int, *parts: bytes) -> bytes:
    return tag(field, 3) + b"".join(parts) + tag(field, 4)


def text_attribute(field: int, key: str, value: str) -> bytes:
    return message(field, message(1, key.encode()), message(2, message(1, value.encode())))


IDS = message(1, b"\x01" * 16) + message(2, b"\x02" * 8)


def span_body(*fields: bytes) -> bytes:
    """A request with one span that has ids and the given fields."""
    return message(1, message(2, message(2, IDS, *fields)))
