import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import TraceState

from weft.tracestate import EMPTY, KEY, States, caller_entry, caller_suffix, local, read, write


@pytest.mark.parametrize(
    ("headers", "members"),
    [
        (["foo=1"], {"foo": "1"}),
        (["foo=1,bar=2"], {"foo": "1", "bar": "2"}),
        (["foo=1", "bar=2"], {"foo": "1", "bar": "2"}),
        (["foo=1 \t , \t bar=2, \t baz=3"], {"foo": "1", "bar": "2", "baz": "3"}),
        (["foo=1,,,bar=2,"], {"foo": "1", "bar": "2"}),
        (["foo=1", "", "bar=2"], {"foo": "1", "bar": "2"}),
        (["foo=1,foo=2,bar=3"], {"foo": "1", "bar": "3"}),
        (["0foo=1"], {"0foo": "1"}),
        (["fw529a3039@dt=1"], {"fw529a3039@dt": "1"}),
        (["foo@@bar=1,foo@=2"], {"foo@@bar": "1", "foo@": "2"}),
        (["a-z*/_=1"], {"a-z*/_": "1"}),
        (["z" * 256 + "=1"], {"z" * 256: "1"}),
        (["foo=" + "v" * 256], {"foo": "v" * 256}),
        (["foo= a b"], {"foo": " a b"}),
        ([",".join(f"k{n}=1" for n in range(32))], {f"k{n}": "1" for n in range(32)}),
    ],
)
def test_headers_of_the_grammar(headers, members):
    assert dict(read(headers)) == members
    assert list(read(headers)) == list(members)


@pytest.mark.parametrize(
    "headers",
    [
        [""],
        [],
        ["foo"],
        ["foo="],
        ["=1"],
        ["foo =1"],
        ["FOO=1"],
        ["foo.bar=1"],
        ["@foo=1,bar=2"],
        ["-foo=1"],
        ["foo=1=2"],
        ["foo=ü"],
        ["foo=\x00"],
        ["z" * 257 + "=1"],
        ["foo=" + "v" * 257],
        [",".join(f"k{n}=1" for n in range(33))],
        ["a=1," * 33],
        ["foo=1", "bar"],
        [",".join(f"{'k' * 250}{n}={'v' * 200}" for n in range(20))],
    ],
)
def test_headers_that_are_dropped_whole(headers):
    assert read(headers) is EMPTY or dict(read(headers)) == {}


def test_the_state_is_an_api_object():
    state = read(["foo=1,bar=2"])
    assert isinstance(state, TraceState)
    assert state.to_header() == "foo=1,bar=2"
    assert TraceState.to_header(States.from_header(["foo@@bar=1"])) == "foo@@bar=1"


def test_changes_return_new_states_and_keep_lax_keys():
    state = read(["foo@@bar=1,b=2"])
    assert state.add("c", "3").to_header() == "c=3,foo@@bar=1,b=2"
    assert state.add("b", "9") is state
    assert state.update("b", "9").to_header() == "b=9,foo@@bar=1"
    assert state.update("B", "9") is state
    assert state.delete("b").to_header() == "foo@@bar=1"
    assert state.delete("x") is state
    assert state.to_header() == "foo@@bar=1,b=2"
    full = read([",".join(f"k{n}=1" for n in range(32))])
    assert full.add("one-more", "1") is full
    assert full.update("one-more", "1") is full


def test_made_from_pairs_the_first_of_each_key_counts():
    assert States([("a", "1"), ("a", "2"), ("b", "3")]).to_header() == "a=1,b=3"


def test_the_caller_entry_goes_first_and_replaces_an_older_one():
    state = read(["foo=1,weft=old,bar=2"])
    assert write(state, "new") == "weft=new,foo=1,bar=2"
    assert write(state, None) == "foo=1,bar=2"
    assert local(state).to_header() == "foo=1,bar=2"
    assert local(EMPTY) is EMPTY


def test_at_32_members_the_rightmost_goes():
    state = read([",".join(f"k{n}=1" for n in range(32))])
    members = write(state, "x").split(",")
    assert len(members) == 32
    assert members[0] == f"{KEY}=x"
    assert members[-1] == "k30=1"
    assert read([write(state, "x")])[KEY] == "x"


def test_the_entry_names_span_service_and_instance():
    assert caller_entry(0xABC, caller_suffix("cart", "i-1")) == "0000000000000abc;cart;i-1"
    assert caller_suffix("größe~;,= x", "a/b") == ";gr%C3%B6%C3%9Fe%7E%3B%2C%3D%20x;a%2Fb"


def test_long_names_are_cut_and_end_in_a_hash():
    suffix = caller_suffix("s" * 300, "instance")
    assert len(caller_entry(1, suffix)) == 128
    assert suffix.startswith(";sssss")
    assert suffix != caller_suffix("s" * 301, "instance")


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_entry_fits_and_reads_back(service, instance):
    entry = caller_entry(2**64 - 1, caller_suffix(service, instance))
    assert len(entry) <= 128
    assert entry.count(";") == 2
    assert read([f"{KEY}={entry}"]) != {} or entry.endswith(";")
    for part in entry.split(";")[1:]:
        at = part.find("%")
        while at >= 0:
            assert len(part[at + 1 : at + 3]) == 2, "no escape is cut"
            at = part.find("%", at + 1)


@given(st.lists(st.text()))
def test_no_text_makes_reading_fail(headers):
    read(headers)
