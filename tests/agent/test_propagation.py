import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.propagation import Parent, read_baggage, read_traceparent, write_baggage, write_traceparent

T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (f"00-{T}-{S}-01", 1),
        (f"00-{T}-{S}-00", 0),
        (f"00-{T}-{S}-03", 3),
        (f"00-{T}-{S}-02", 2),
        (f"00-{T}-{S}-ff", 3),
        (f" \t00-{T}-{S}-01\t ", 1),
        (f"cc-{T}-{S}-01", 1),
        (f"cc-{T}-{S}-01-what-the-future-will-be-like", 1),
        (f"01-{T}-{S}-01-", 1),
    ],
)
def test_valid_traceparents(header, flags):
    assert read_traceparent(header) == Parent(int(T, 16), int(S, 16), flags)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"ff-{T}-{S}-01",
        f"00-{T}-{S}-01-extra",
        f"00-{T}-{S}-01-",
        f"00-{T}-{S}-1",
        f"00-{T}-{S}-0x",
        f"00-{T.upper()}-{S}-01",
        f"00-{T}-{S.upper()}-01",
        f"00-{'0' * 32}-{S}-01",
        f"00-{T}-{'0' * 16}-01",
        f"00-{T[:-1]}-{S}-01",
        f"00-{T}0-{S}-01",
        f"00-{T}-{S[:-1]}-01",
        f"0-{T}-{S}-01",
        f"000-{T}-{S}-01",
        f"00-{T}-{S}-01,00-{T}-{S}-01",
        f"cc-{T}-{S}-01.what",
        f"00_{T}_{S}_01",
        f"00-+{T[1:]}-{S}-01",
        f"00-{T[:16]}_{T[17:]}-{S}-01",
        f"\uff10\uff10-{T}-{S}-01",
        f"cc-{T}-{S}-01-" + "x" * 600,
    ],
)
def test_invalid_traceparents(header):
    assert read_traceparent(header) is None


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.integers(0, 3))
def test_what_is_written_is_read(trace_id, span_id, flags):
    assert read_traceparent(write_traceparent(trace_id, span_id, flags)) == (trace_id, span_id, flags)


@given(st.text())
def test_no_text_makes_reading_fail(header):
    read_traceparent(header)
    read_baggage([header])


@pytest.mark.parametrize(
    ("headers", "members"),
    [
        (["a=1"], {"a": "1"}),
        (["a=1, b = 2 ,c=3"], {"a": "1", "b": "2", "c": "3"}),
        (["a=1", "b=2"], {"a": "1", "b": "2"}),
        (["a=x%20y%2C"], {"a": "x y,"}),
        (["a=1+1"], {"a": "1+1"}),
        (["a=1;property=x"], {"a": "1;property=x"}),
        (["=1,b,ü=1,a b=2,c=ü,d=4"], {"d": "4"}),
        ([""], {}),
        (["a=" + "x" * 9000], {}),
    ],
)
def test_baggage_is_read(headers, members):
    assert read_baggage(headers) == members


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        st.text(st.characters(codec="utf-8"), max_size=20),
        max_size=20,
    )
)
def test_baggage_that_is_written_is_read(members):
    assert read_baggage([write_baggage(members)]) == members


def test_baggage_is_bounded_when_written():
    header = write_baggage({f"key{n}": "x" * 100 for n in range(1000)})
    assert len(header) <= 8192
    assert len(read_baggage([header])) > 70
    assert write_baggage({str(n): "" for n in range(1000)}).count(",") == 179
