import pytest

from tests.collector.wire.otlp_factory import NOW, request, span
from weft_collector.wire.otlp_protobuf import Decoder

PARENT = 0x0123456789ABCDEF
ID = "0123456789abcdef"
DECODER = Decoder()


def entry(trace_state: str, parent: int = PARENT) -> tuple[str, int]:
    decoded = DECODER.decode(request([span(id=1, parent=parent, trace_state=trace_state)]), NOW)
    return DECODER.strings.text(int(decoded.spans.caller[0])), int(decoded.spans.caller_stale[0])


VALID = {
    "alone": (f"weft={ID};cart;cart-1", "cart;cart-1"),
    "first": (f"weft={ID};cart;cart-1,vendor=x", "cart;cart-1"),
    "last": (f"vendor=x,weft={ID};cart;cart-1", "cart;cart-1"),
    "blanks around": (f"vendor=x , \t weft={ID};cart;cart-1 \t,b=c", "cart;cart-1"),
    "blank at the end": (f"weft={ID};cart;cart-1 ", "cart;cart-1"),
    "percent-encoded": (f"weft={ID};caf%C3%A9%20au%3Blait;a_b.c-d", "caf%C3%A9%20au%3Blait;a_b.c-d"),
    "no instance": (f"weft={ID};cart;", "cart;"),
    "newest of two": (f"weft={ID};new;1,weft={ID};old;1", "new;1"),
    "empty members before": (f",,weft={ID};cart;1", "cart;1"),
    "longest": (f"weft={ID};{'s' * 200};{'i' * 38}", f"{'s' * 200};{'i' * 38}"),
}
STALE = {
    "another span": "weft=0123456789abcdee;cart;1",
    "upper case": f"weft={ID.upper()};cart;1",
    "short id": "weft=0123456789abcde;cart;1",
    "long id": f"weft={ID}0;cart;1",
    "no names": f"weft={ID}",
    "no names but a separator": f"weft={ID};",
    "no instance field": f"weft={ID};cart",
    "empty service": f"weft={ID};;1",
    "three names": f"weft={ID};cart;1;2",
    "bare letters": "weft=zzzzzzzzzzzzzzzz;cart;1",
    "blank inside": f"weft={ID};ca rt;1",
    "raw letters": f"weft={ID};café;1",
    "empty": "weft=",
    "stale before valid": f"weft=0123456789abcdee;a;1,weft={ID};b;1",
    "too long": f"weft={ID};{'s' * 200};{'i' * 39}",
}
ABSENT = [
    "",
    "a=b",
    f"xweft={ID};cart;1",
    f"weft2={ID};cart;1",
    f"weft ={ID};cart;1",
    f"WEFT={ID};c;1",
    "weft",
    "wef",
    ",",
    " ",
]


@pytest.mark.parametrize("name", VALID)
def test_a_valid_entry_names_the_caller(name):
    trace_state, caller = VALID[name]
    assert entry(trace_state) == (caller, 0)


@pytest.mark.parametrize("name", STALE)
def test_an_entry_that_is_not_about_the_parent_is_stale(name):
    assert entry(STALE[name]) == ("", 1)


@pytest.mark.parametrize("trace_state", ABSENT)
def test_no_entry_is_no_entry(trace_state):
    assert entry(trace_state) == ("", 0)


def test_the_entry_of_a_root_is_stale():
    assert entry("weft=0000000000000000;cart;1", parent=0) == ("", 1)
    assert entry(f"weft={ID};cart;1", parent=0) == ("", 1)


def test_it_does_not_matter_whether_the_parent_comes_first():
    one = span(parent=PARENT, trace_state=f"weft={ID};cart;1").SerializeToString()
    swapped = one.replace(PARENT.to_bytes(8, "big"), b"\0" * 8) + b"\x22\x08" + PARENT.to_bytes(8, "big")
    group = b"\x12" + bytes([len(swapped) & 0x7F | 0x80, len(swapped) >> 7]) + swapped
    scoped = b"\x12" + bytes([len(group) & 0x7F | 0x80, len(group) >> 7]) + group
    body = b"\x0a" + bytes([len(scoped) & 0x7F | 0x80, len(scoped) >> 7]) + scoped
    decoded = DECODER.decode(body, NOW)
    assert DECODER.strings.text(int(decoded.spans.caller[0])) == "cart;1"
