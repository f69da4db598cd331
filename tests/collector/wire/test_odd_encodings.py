"""Encodings that no usual client writes, one by one: the same verdict as upb, and the same values."""

import pytest

from tests.collector.wire import upb_oracle
from tests.collector.wire.otlp_factory import NOW
from tests.collector.wire.wire_bytes import (
    IDS,
    fixed32,
    fixed64,
    group,
    message,
    number,
    span_body,
    tag,
    text_attribute,
    varint,
)
from weft_collector.errors import MalformedBody
from weft_collector.wire.otlp_protobuf import Decoder

KEY = message(1, b"server.address")


def in_attribute(*fields: bytes) -> bytes:
    return span_body(message(9, *fields))


def in_resource(*fields: bytes) -> bytes:
    return message(1, message(1, *fields), message(2, message(2, IDS)))


def lists(depth: int, inside: bytes = b"") -> bytes:
    """An AnyValue's payload: a list in a list in a list."""
    for _ in range(depth):
        inside = message(5, message(1, inside))
    return inside


def groups(depth: int) -> bytes:
    return tag(20, 3) * depth + tag(20, 4) * depth


BODIES = {
    # repeated fields: the last scalar wins, messages are merged
    "name twice": span_body(message(5, b"first"), message(5, b"second")),
    "kind twice": span_body(number(6, 2), number(6, 3)),
    "start twice": span_body(fixed64(7, 1), fixed64(7, 2)),
    "trace id twice, good last": span_body(message(1, b"short"), message(1, b"\x03" * 16)),
    "trace id twice, bad last": span_body(message(1, b"short")),
    "status in pieces": span_body(message(15, number(3, 2)), message(15, message(2, b"text")), message(15)),
    "status twice": span_body(message(15, number(3, 2)), message(15, number(3, 1))),
    "key twice": in_attribute(message(1, b"db.system"), KEY, message(2, message(1, b"a"))),
    "value twice": in_attribute(KEY, message(2, message(1, b"a")), message(2, message(1, b"b"))),
    "value, then nothing": in_attribute(KEY, message(2, message(1, b"a")), message(2)),
    "text, then number": in_attribute(KEY, message(2, message(1, b"a"), number(3, 5))),
    "number, then text": in_attribute(KEY, message(2, number(3, 5), message(1, b"b"))),
    "text, then bool": in_attribute(KEY, message(2, message(1, b"a"), number(2, 1))),
    "text, then double": in_attribute(KEY, message(2, message(1, b"a"), fixed64(4, 1))),
    "text, then list": in_attribute(KEY, message(2, message(1, b"a"), message(5))),
    "text, then map": in_attribute(KEY, message(2, message(1, b"a"), message(6))),
    "text, then bytes": in_attribute(KEY, message(2, message(1, b"a"), message(7, b"x"))),
    "text, then index": in_attribute(KEY, message(2, message(1, b"a"), number(8, 1))),
    "text, then unknown": in_attribute(KEY, message(2, message(1, b"a"), number(9, 1))),
    "text, then text as a number": in_attribute(KEY, message(2, message(1, b"a"), number(1, 1))),
    "value before key": in_attribute(message(2, message(1, b"a")), KEY),
    "key only": in_attribute(KEY),
    "value only": in_attribute(message(2, message(1, b"a"))),
    "resource in pieces": message(
        1,
        message(1, text_attribute(1, "service.name", "a"), text_attribute(1, "host.name", "h")),
        message(2, message(2, IDS)),
        message(1, text_attribute(1, "service.name", "b")),
    ),
    "better key in the first piece": message(
        1,
        message(1, text_attribute(1, "deployment.environment.name", "new")),
        message(1, text_attribute(1, "deployment.environment", "old")),
        message(2, message(2, IDS)),
    ),
    "resource behind the spans": message(
        1, message(2, message(2, IDS)), message(1, text_attribute(1, "service.name", "late"))
    ),
    "scope behind the spans": message(1, message(2, message(2, IDS), message(1, message(1, b"late")))),
    # numbers
    "kind of more than 32 bits": span_body(number(6, (1 << 32) | 3)),
    "kind with bits beyond 64": span_body(tag(6, 0) + b"\xff" * 9 + b"\x7f"),
    "kind of ten bytes": span_body(tag(6, 0) + varint(3, 10)),
    "kind of eleven bytes": span_body(tag(6, 0) + varint(3, 11)),
    "negative kind": span_body(number(6, -1)),
    "status of more than 32 bits": span_body(message(15, number(3, (1 << 40) | 2))),
    "port as a long varint": in_attribute(message(1, b"server.port"), message(2, tag(3, 0) + varint(80, 10))),
    "port of 2**32 and 80": in_attribute(message(1, b"server.port"), message(2, number(3, (1 << 32) + 80))),
    # tags and lengths
    "tag of five bytes": span_body(tag(5, 2, 5) + varint(1) + b"n"),
    "tag of six bytes": span_body(tag(5, 2, 6) + varint(1) + b"n"),
    "tag beyond 32 bits": span_body(varint((1 << 32) | 5 << 3 | 2) + varint(1) + b"n"),
    "largest field number": span_body(number((1 << 29) - 1, 1)),
    "length of five bytes": span_body(tag(5, 2) + varint(1, 5) + b"n"),
    "length of six bytes": span_body(tag(5, 2) + varint(1, 6) + b"n"),
    "length of 2**31": span_body(tag(5, 2) + varint(1 << 31) + b"n"),
    "length of 2**32 and 1": span_body(tag(5, 2) + varint((1 << 32) + 1) + b"n"),
    "length of -1": span_body(tag(5, 2) + varint(-1) + b"n"),
    "unknown length of 2**31": span_body(tag(50, 2) + varint(1 << 31) + b"n"),
    "field number 0": span_body(number(0, 1)),
    "field number 0, delimited": span_body(message(0, b"")),
    "field number 0 at the top": message(0, b""),
    "field number 0 in a list": in_attribute(KEY, message(2, message(5, message(0, b"")))),
    "wire type 6": span_body(tag(20, 6)),
    "wire type 7": span_body(tag(5, 7)),
    # other wire types than the schema's
    "name as a number": span_body(number(5, 5)),
    "kind as a message": span_body(message(6, b"\x02")),
    "start as a varint": span_body(number(7, 5)),
    "attribute as fixed64": span_body(fixed64(9, 5)),
    "trace id as fixed32": span_body(fixed32(1, 5)),
    "span as a group": message(1, message(2, group(2, IDS))),
    "request as a group": group(1, message(2, message(2, IDS))),
    "status as a group": span_body(group(15, number(3, 2))),
    "key as a number": in_attribute(number(1, 1), message(2, message(1, b"a"))),
    # groups
    "group": span_body(group(20, message(1, b"\xff"), fixed64(2, 1), fixed32(3, 1), number(4, 1))),
    "group in group": span_body(group(20, group(20), group(21))),
    "group ends as another": span_body(tag(20, 3) + tag(21, 4)),
    "group without end": span_body(tag(20, 3)),
    "end without group": span_body(tag(20, 4)),
    "end at the top": tag(20, 4),
    "end in a resource": in_resource(tag(1, 4)),
    "field number 0 in a group": span_body(group(20, number(0, 1))),
    "wire type 6 in a group": span_body(tag(20, 3) + tag(1, 6) + tag(20, 4)),
    "group that reaches behind its message": message(1, message(2, message(2, IDS + tag(20, 3))))
    + tag(20, 4),
    # depth
    "100 groups at the top": groups(100),
    "101 groups at the top": groups(101),
    "97 groups in a span": span_body(groups(97)),
    "98 groups in a span": span_body(groups(98)),
    "95 groups in a value": in_attribute(KEY, message(2, groups(95))),
    "96 groups in a value": in_attribute(KEY, message(2, groups(96))),
    "47 lists in a value": in_attribute(KEY, message(2, lists(47))),
    "47 lists and one more": in_attribute(KEY, message(2, lists(47, message(5)))),
    "48 lists in a value": in_attribute(KEY, message(2, lists(48))),
    "groups in lists": in_attribute(KEY, message(2, lists(46, groups(3)))),
    "one group too many in lists": in_attribute(KEY, message(2, lists(46, groups(4)))),
    "groups in an event": span_body(message(11, groups(96))),
    "one group too many in an event": span_body(message(11, groups(97))),
    "groups in a status": span_body(message(15, groups(96))),
    "one group too many in a status": span_body(message(15, groups(97))),
    "groups in a resource": in_resource(groups(98)),
    "one group too many in a resource": in_resource(groups(99)),
    "groups in a resource's attribute": in_resource(message(1, groups(97))),
    "one group too many there": in_resource(message(1, groups(98))),
    "groups in a scope": message(1, message(2, message(1, groups(97)), message(2, IDS))),
    "one group too many in a scope": message(1, message(2, message(1, groups(98)), message(2, IDS))),
    "lists in a resource": in_resource(message(1, message(2, lists(48)))),
    "lists in an event": span_body(message(11, message(3, message(2, lists(47))))),
    "one list too many in an event": span_body(message(11, message(3, message(2, lists(48))))),
    # nothing there
    "empty everything": message(1)
    + message(1, message(1), message(2))
    + message(1, message(2, message(2), message(1))),
    "empty attribute": in_attribute(),
    "two requests in one": span_body() + span_body(),
}


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


@pytest.mark.parametrize("name", BODIES)
def test_the_verdict_and_the_values_are_those_of_upb(decoder, name):
    body = BODIES[name]
    parsed = upb_oracle.parse(body)
    if parsed is None:
        with pytest.raises(MalformedBody):
            decoder.decode(body, NOW)
        return
    expected = upb_oracle.expected(parsed, NOW)
    decoded = decoder.decode(body, NOW)
    rows = upb_oracle.rows(decoded, decoder.strings, body)
    assert [_without_size(row) for row in rows] == [_without_size(row) for row in expected.spans]
    assert sum(dict(decoded.rejected).values()) == sum(expected.rejected.values())


def _without_size(row):
    return {name: value for name, value in row.items() if name != "scope"}


def test_both_verdicts_are_in_the_table():
    verdicts = [upb_oracle.parse(body) is None for body in BODIES.values()]
    assert verdicts.count(True) > 20
    assert verdicts.count(False) > 50


BAD_TEXTS = {
    "lone continuation": b"\x80",
    "cut short": b"\xc3",
    "overlong slash": b"\xc0\xaf",
    "overlong of three": b"\xe0\x80\xaf",
    "overlong of four": b"\xf0\x80\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "not a lead": b"\xff",
    "bad third byte": b"\xe2\x82\x28",
    "bad last byte": b"\xf0\x9f\x98\x28",
    "behind much ASCII": b"a" * 37 + b"\xff",
    "before much ASCII": b"\xff" + b"a" * 37,
}
TEXT_FIELDS = {
    "trace state": lambda text: span_body(message(3, text)),
    "name": lambda text: span_body(message(5, text)),
    "status message": lambda text: span_body(message(15, message(2, text))),
    "known key's value": lambda text: in_attribute(KEY, message(2, message(1, text))),
    "unknown key's value": lambda text: in_attribute(message(1, b"k"), message(2, message(1, text))),
    "key": lambda text: in_attribute(message(1, text), message(2, message(1, b"v"))),
    "text in a list": lambda text: in_attribute(
        message(1, b"k"), message(2, message(5, message(1, message(1, text))))
    ),
    "key in a map": lambda text: in_attribute(
        message(1, b"k"), message(2, message(6, message(1, message(1, text))))
    ),
    "text in a list in a map": lambda text: in_attribute(
        message(2, message(6, message(1, message(2, message(5, message(1, message(1, text)))))))
    ),
    "event name": lambda text: span_body(message(11, message(2, text))),
    "event attribute": lambda text: span_body(message(11, message(3, message(1, text)))),
    "link state": lambda text: span_body(message(13, message(3, text))),
    "link attribute": lambda text: span_body(message(13, message(4, message(2, message(1, text))))),
    "resource key": lambda text: in_resource(message(1, message(1, text))),
    "resource value": lambda text: in_resource(message(1, message(2, message(1, text)))),
    "entity schema": lambda text: in_resource(message(3, message(1, text))),
    "entity type": lambda text: in_resource(message(3, message(2, text))),
    "entity key": lambda text: in_resource(message(3, message(3, text))),
    "entity description": lambda text: in_resource(message(3, message(4, text))),
    "resource schema": lambda text: message(1, message(2, message(2, IDS)), message(3, text)),
    "scope schema": lambda text: message(1, message(2, message(2, IDS), message(3, text))),
    "scope name": lambda text: message(1, message(2, message(1, message(1, text)), message(2, IDS))),
    "scope version": lambda text: message(1, message(2, message(1, message(2, text)), message(2, IDS))),
    "scope attribute": lambda text: message(1, message(2, message(1, message(3, message(1, text))))),
    "name of a short span": lambda text: message(1, message(2, message(2, message(5, text)))),
    "resource without spans": lambda text: message(1, message(1, message(1, message(1, text)))),
    "schema without spans": lambda text: message(1, message(3, text)),
}


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_a_text_that_is_no_utf8_is_refused_in_every_field(decoder, field):
    for text in BAD_TEXTS.values():
        body = TEXT_FIELDS[field](text)
        assert upb_oracle.parse(body) is None
        with pytest.raises(MalformedBody, match="UTF-8"):
            decoder.decode(body, NOW)


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_good_texts_are_taken_in_every_field(decoder, field):
    for text in ("", "é", "\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff", "a" * 9 + "ß", "\0"):
        body = TEXT_FIELDS[field](text.encode())
        assert upb_oracle.parse(body) is not None
        decoder.decode(body, NOW)


def test_bytes_fields_need_not_be_texts(decoder):
    body = span_body(message(9, KEY, message(2, message(7, b"\xff"))), message(13, message(1, b"\xff")))
    assert len(decoder.decode(body, NOW).spans.name) == 1


def test_the_position_is_where_it_goes_wrong(decoder):
    body = span_body(message(5, b"good"), message(3, b"bad\xff"))
    with pytest.raises(MalformedBody) as caught:
        decoder.decode(body, NOW)
    assert caught.value.position == body.index(b"\xff")
    assert f"byte {caught.value.position}" in str(caught.value)
