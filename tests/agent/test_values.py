import enum
from types import MappingProxyType

import pytest

from weft.values import (
    LONG,
    MAX_DEPTH,
    MAX_ITEMS,
    UNREADABLE,
    Limits,
    bounded,
    cleaned,
    items,
    plain,
    text,
    weight,
)


class Raising:
    def __str__(self):
        raise RuntimeError("hostile")

    __repr__ = __iter__ = __len__ = __eq__ = __str__
    __hash__ = object.__hash__


class Colour(enum.IntEnum):
    RED = 7


class Word(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError("hostile")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a", "a"),
        (True, True),
        (-3, -3),
        (0.5, 0.5),
        (None, None),
        (b"\xff", b"\xff"),
        (bytearray(b"x"), b"x"),
        ([1, "a", None], (1, "a", None)),
        ({"a": [1, {"b": 2}]}, {"a": (1, {"b": 2})}),
        ({1: 2}, {"1": 2}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (range(3), (0, 1, 2)),
        (frozenset({1}), (1,)),
        (Colour.RED, 7),
        (1 + 2j, "(1+2j)"),
        (Word("w"), "w"),
        (Raising(), UNREADABLE),
        ([Raising()], UNREADABLE),
    ],
)
def test_every_value_becomes_one_that_otlp_carries(given, kept):
    result = cleaned(given, Limits())
    assert result == kept
    assert type(result) is type(kept)


def test_a_list_is_frozen_when_it_is_set():
    given = [1, 2]
    kept = cleaned(given, Limits())
    given.append(3)
    assert kept == (1, 2)


def test_values_are_bounded_in_length_width_and_depth():
    assert cleaned("x" * 100, Limits(value_length=10)) == "x" * 10
    assert cleaned(b"x" * 100, Limits(value_length=10)) == b"x" * 10
    assert len(cleaned([0] * (MAX_ITEMS + 5), Limits())) == MAX_ITEMS
    assert len(cleaned(dict.fromkeys(map(str, range(MAX_ITEMS + 5))), Limits())) == MAX_ITEMS
    nested: list = []
    nested.append(nested)
    depth, kept = 0, cleaned(nested, Limits())
    while isinstance(kept, tuple):
        depth, kept = depth + 1, kept[0]
    assert depth == MAX_DEPTH
    assert isinstance(kept, str)


@pytest.mark.parametrize(
    ("attributes", "is_plain"),
    [
        ({"a": "b", "c": 1, "d": 0.5, "e": None, "f": True}, True),
        ({"a": "x" * LONG}, False),
        ({"a": [1]}, False),
        ({1: "a"}, False),
        ({"a": Colour.RED}, False),
        (MappingProxyType({"a": 1}), False),
        (dict.fromkeys("abcdef", 1), False),
    ],
)
def test_only_dicts_of_few_short_scalars_are_copied_as_they_are(attributes, is_plain):
    assert plain(attributes, 5) is is_plain


def test_pairs_of_anything():
    assert items(None) == []
    assert items({"a": 1}) == [("a", 1)]
    assert items(MappingProxyType({"a": 1})) == [("a", 1)]
    assert items("no mapping") == []
    assert bounded({"a": 1, 2: 3, "": 4, "b": [5]}, Limits()) == {"a": 1, "b": (5,)}
    assert bounded(dict.fromkeys("abc", 1), Limits(attributes=2)) == {"a": 1, "b": 1}


def test_text_of_anything():
    assert text("abc", 2) == "ab"
    assert text(12) == "12"
    assert text(Raising()) == UNREADABLE


def test_weight_grows_with_what_is_held():
    assert weight("x" * 1000) == 1000
    assert weight(("x" * 100, "y" * 100)) >= 200
    assert weight({"key": "x" * 100}) >= 103
    assert weight(1) < 100
