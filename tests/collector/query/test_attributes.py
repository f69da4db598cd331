"""Attributes out of bytes, held to the reference parser."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.collector.wire import otlp_factory as otlp
from tests.collector.wire.wire_bytes import fixed32, fixed64, group, message, number
from weft_collector.errors import CorruptLog
from weft_collector.query.attributes import Messages, Values, Wanted, span_attributes, text_of

SCALARS = st.one_of(
    st.text(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(),
    st.none(),
    st.binary(max_size=5),
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=3), v, max_size=2)
)
KEYS = st.sampled_from(["k", "key.with.a.long.name", "key.with.a.long.nam3", "", "ü"])


def messages(*parts):
    """Messages one behind the other, with bytes of something else around."""
    buffer, offsets = b"??", []
    for part in parts:
        offsets.append(len(buffer))
        buffer += part + b"?"
    return Messages(buffer, np.array(offsets, np.int64), np.array([len(part) for part in parts], np.int64))


def values(*parts, key="k"):
    return Values(messages(*parts), key)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.tuples(KEYS, VALUES), max_size=5), min_size=1, max_size=4), KEYS)
def test_each_span_has_the_value_that_the_reference_parser_finds(spans, key):
    raw = [otlp.span(attributes=attributes).SerializeToString() for attributes in spans]
    parsed = [{pair.key: pair.value for pair in Span.FromString(one).attributes} for one in raw]
    expected = [text_of(one[key]) if key in one else None for one in parsed]
    assert values(*raw, key=key).texts() == expected
    assert [text_of(v) for v in span_attributes(raw[0]).values()] == [text_of(v) for v in parsed[0].values()]


@pytest.mark.parametrize(
    ("value", "same", "others"),
    [
        ("abc", ["abc"], ["ab", "abcd", "ABC", ""]),
        ("", [""], ["0", "None"]),
        (5, ["5"], ["5.0", "05", "+5", " 5", "5 "]),
        (-(2**63), ["-9223372036854775808"], ["9223372036854775808"]),
        ("5", ["5"], ["5.0", "05"]),
        (True, ["true"], ["True", "1", "false"]),
        (False, ["false"], ["0", ""]),
        (0.5, ["0.5", ".50", "5e-1", "+0.5"], ["0,5", "1/2", "0.50000001"]),
        (5.0, ["5", "5.0", "5.", "50e-1"], ["five", "5_0"]),
        (-0.0, ["0", "-0", "0.0"], ["-1"]),
        (math.nan, ["NaN"], ["nan", "0"]),
        (math.inf, ["Infinity"], ["inf", "-Infinity"]),
        (["a", 5], ["a", "5"], ['["a",5]', ""]),
        ([["a"]], [], ["a"]),
        ({"a": 1}, [], ["1", '{"a":1}']),
        (b"abc", [], ["abc", "YWJj"]),
        (None, [], ["", "null"]),
    ],
)
def test_a_value_is_compared_as_text(value, same, others):
    found = values(otlp.span(attributes={"k": value}).SerializeToString())
    assert [text for text in same + others if found.matches(Wanted(text))[0]] == same


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"), (1e300, "1e+300"), (math.nan, "NaN"), (-math.inf, "-Infinity"), (True, "true"), (b"\xff", "/w=="),
        ([1, "ü", None, math.nan, [True]], '[1,"ü",null,"NaN",[true]]'),
        ({"a": {"b": 1.5}}, '{"a":{"b":1.5}}'), (None, ""),
    ],
)  # fmt: skip
def test_every_value_has_a_text(value, text):
    assert text_of(otlp.any_value(value)) == text


ODD = {
    "the value before the key": message(9, message(2, message(1, b"v")), message(1, b"k")),
    "the key twice": message(9, message(1, b"x"), message(1, b"k"), message(2, message(1, b"v"))),
    "a value in two pieces": message(
        9, message(1, b"k"), message(2, message(1, b"u")), message(2, message(1, b"v"))
    ),
    "two members of the union": message(9, message(1, b"k"), message(2, number(3, 7), message(1, b"v"))),
    "unknown fields around": message(
        9, fixed32(7, 1), message(1, b"k"), fixed64(9, 1), message(2, group(12), message(1, b"v"))
    ),
    "the attribute twice": message(9, message(1, b"k"), message(2, message(1, b"u")))
    + message(9, message(1, b"k"), message(2, message(1, b"v"))),
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
def test_odd_encodings_are_read_as_the_reference_parser_reads_them(raw):
    assert text_of(Span.FromString(raw).attributes[-1].value) == "v"
    assert values(raw).texts() == ["v"]
    assert values(raw).matches(Wanted("v"))[0]


def test_a_key_without_a_value_is_empty_and_matches_nothing():
    raw = message(9, message(1, b"k"))
    assert values(raw).texts() == [""]
    assert not values(raw).matches(Wanted(""))[0]


@pytest.mark.parametrize(("offset", "length"), [(-1, 5), (0, 10**9), (2**62, 2**62), (5, -5), (10**6, 1)])
def test_a_pointer_that_leads_outside_finds_nothing(offset, length):
    wrong = Messages(b"0123456789", np.array([offset]), np.array([length]))
    assert Values(wrong, "k").texts() == [None]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_that_are_no_span_are_read_within_their_bounds(noise):
    found = values(noise, noise[1:])
    try:
        found.texts()
    except CorruptLog:
        assert (found.kinds == 6).any()


def test_a_broken_span_says_so():
    with pytest.raises(CorruptLog, match="no Span"):
        span_attributes(b"\x0a\xff")
