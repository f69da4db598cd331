"""Rows of traces against a plain search through all rows."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.errors import CorruptLog
from weft_collector.store.sidecar import Sidecar

ids = st.integers(0, 12) | st.integers(2**63 - 2, 2**63 + 2) | st.sampled_from([2**64 - 1])
column = st.lists(ids, max_size=40).map(lambda found: np.array(sorted(found), np.uint64))


@settings(deadline=None)
@given(column, st.lists(ids, max_size=20))
def test_a_trace_is_found_where_its_rows_are(trace_lo, asked):
    made = Sidecar.of(trace_lo)
    again = Sidecar.from_bytes(made.to_bytes())
    expected = [np.flatnonzero(trace_lo == np.uint64(one)).tolist() for one in asked]
    for sidecar in (made, again):
        assert [list(sidecar.rows_of(one)) for one in asked] == expected
        begin, end = sidecar.rows_of_many(np.array(asked, np.uint64))
        pairs = zip(begin.tolist(), end.tolist(), strict=True)
        assert [list(range(*pair)) for pair in pairs] == expected
    assert again.ids.tolist() == sorted(set(trace_lo.tolist()))
    assert again.rows == len(trace_lo)
    assert again.to_bytes() == made.to_bytes()


def test_the_bytes_are_those_of_the_page():
    made = Sidecar.of(np.array([5, 5, 2**64 - 1], np.uint64))
    assert made.to_bytes() == b"WeftTrc\n" + struct.pack("<II2Q2I", 2, 3, 5, 2**64 - 1, 0, 2)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data + b"\0" * 12,
        lambda data: b"X" + data[1:],
        lambda data: data[:12] + struct.pack("<I", 2) + data[16:],
        lambda data: data[:16] + struct.pack("<2Q", 7, 7) + data[32:],
        lambda data: data[:-8] + struct.pack("<2I", 1, 2),
        lambda data: data[:-8] + struct.pack("<2I", 0, 0),
        lambda data: data[:8] + bytes(4) + data[12:16],
    ],
)
def test_damaged_bytes_are_refused(damage):
    data = Sidecar.of(np.array([5, 5, 9], np.uint64)).to_bytes()
    with pytest.raises(CorruptLog):
        Sidecar.from_bytes(damage(data))


def test_an_id_that_is_not_here_leads_nowhere():
    made = Sidecar.of(np.arange(0, 200_000, 2, dtype=np.uint64))
    assert not any(made.rows_of(one) for one in range(1, 3000, 2))
    assert made.rows_of(2**64 - 1) == range(0)
