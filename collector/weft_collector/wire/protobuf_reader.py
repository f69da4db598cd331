"""Reading protobuf without objects: the primitives below the OTLP kernels.

Positions are addresses. Every function takes the address `p` where it starts and the address `end` where
the enclosing message ends, and reads nothing outside; a function that returns a position returns either an
address in `p..end` or a *failure*: a negative number that holds the fault's code and the address where the
fault was found. So one `p < 0` test after each step is all the error handling there is.

The rules are those of upb, the parser below `protobuf` for Python, which the tests hold this file to:

* a tag has at most 5 bytes and fits 32 bits, a length at most 5 bytes and fits 31, any other varint at most
  10 bytes (bits beyond 64 are dropped); longer than needed is fine;
* field number 0 is refused (except inside an unknown group), as are wire types 6 and 7 and a group's end
  without its beginning;
* unknown fields, and known fields with another wire type, are skipped; groups are always unknown;
* messages and groups nest at most 100 levels below the request.
"""

from weft_collector.kernel import inline, load8, load64, number, routine, store64

VARINT, FIXED64, DELIMITED, GROUP, END_GROUP, FIXED32 = range(6)

FAULTS = {
    1: "the message ends in the middle of a field",
    2: "this is no tag of a field",
    3: "a length reaches beyond its message",
    4: "a text is not UTF-8",
    5: "messages are nested too deeply",
    6: "a group ends that did not begin",
}
TRUNCATED, BAD_TAG, BAD_LENGTH, BAD_TEXT, TOO_DEEP, BAD_GROUP = map(number, FAULTS)

DEEPEST = 100
#: Bytes of scratch memory for the levels of one walk: an end and a message type for each.
SCRATCH_BYTES = 16 * (DEEPEST + 2)

_CODE_SHIFT = 56
_ADDRESS_MASK = (1 << _CODE_SHIFT) - 1


@inline
def failure(code: int, p: int) -> int:
    """The negative number that says what is wrong where."""
    return -(p + (code << _CODE_SHIFT))


def explain(failed: int) -> tuple[str, int]:
    """What was wrong, and the address where it was found."""
    return FAULTS[-failed >> _CODE_SHIFT], -failed & _ADDRESS_MASK


@routine
def read_varint(p: int, end: int) -> tuple[int, int]:
    """A varint of up to 10 bytes: its value and the position behind it."""
    start = p
    value = 0
    shift = 0
    while p < end and shift < 70:
        byte = load8(p)
        p += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, p
        shift += 7
    return 0, failure(TRUNCATED, start)


@inline
def read_short_varint(p: int, end: int) -> tuple[int, int]:
    """The same, for hot loops: one and two bytes are settled here."""
    if end - p >= 2:
        byte = load8(p)
        if byte < 0x80:
            return byte, p + 1
        second = load8(p + 1)
        if second < 0x80:
            return byte & 0x7F | second << 7, p + 2
    return read_varint(p, end)


@routine
def read_any_tag(p: int, end: int) -> tuple[int, int]:
    """A tag (field number * 8 + wire type), with any field number, and the position behind it."""
    tag, behind = read_varint(p, end)
    if behind > p + 5 or tag < 0 or tag > 0xFFFFFFFF:
        return 0, failure(BAD_TAG, p)
    return tag, behind


@inline
def read_tag(p: int, end: int) -> tuple[int, int]:
    """A tag and the position behind it; the usual tag of one byte is settled here."""
    if p < end and 8 <= load8(p) < 0x80:
        return load8(p), p + 1
    tag, behind = read_any_tag(p, end)
    if behind >= 0 and tag < 8:
        behind = failure(BAD_TAG, p)
    return tag, behind


@routine
def read_delimited(p: int, end: int) -> tuple[int, int]:
    """Where the payload of a length-delimited field begins and ends; the end may be a failure."""
    length, start = read_varint(p, end)
    if start < 0:
        return 0, start
    if start > p + 5 or length < 0 or length > end - start:
        return 0, failure(BAD_LENGTH, p)
    return start, start + length


@inline
def read_short_delimited(p: int, end: int) -> tuple[int, int]:
    """The same, for hot loops: a length of one byte is settled here."""
    if p < end:
        length = load8(p)
        if length < 0x80 and length < end - p:
            return p + 1, p + 1 + length
    return read_delimited(p, end)


@routine
def skip_value(wire: int, p: int, end: int) -> int:
    """Behind a value that is neither a group nor its end."""
    if wire == VARINT:
        _, p = read_varint(p, end)
        return p
    if wire == DELIMITED:
        _, p = read_delimited(p, end)
        return p
    if wire not in (FIXED64, FIXED32):
        return failure(BAD_TAG, p)
    size = 8 if wire == FIXED64 else 4
    return p + size if size <= end - p else failure(TRUNCATED, p)


@routine
def skip_field(tag: int, p: int, end: int, level: int, scratch: int) -> int:  # noqa: C901 - a flat loop over groups
    """Behind a field that nobody reads, in a message at `level`; a group with all that is inside it."""
    if tag & 7 == END_GROUP:
        return failure(BAD_GROUP, p)
    if tag & 7 != GROUP:
        return skip_value(tag & 7, p, end)
    depth = level + 1
    while True:
        wire = tag & 7
        if wire == GROUP:
            if depth > DEEPEST:
                return failure(TOO_DEEP, p)
            store64(scratch + 16 * depth, tag >> 3)
            depth += 1
        elif wire == END_GROUP:
            depth -= 1
            if load64(scratch + 16 * depth) != tag >> 3:
                return failure(BAD_GROUP, p)
            if depth == level + 1:
                return p
        else:
            p = skip_value(wire, p, end)
        if p >= 0:
            tag, p = read_any_tag(p, end)
        if p < 0:
            return p
