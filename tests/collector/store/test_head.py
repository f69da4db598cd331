import sys
import threading

import numpy as np
import pytest

from tests.collector.store.batches import spans
from weft_collector.store.head import CHUNK_ROWS, Head
from weft_collector.telemetry import Telemetry

CLIENT, SERVER, INTERNAL = 3, 2, 1


def add(head, traces, **columns):
    """Append spans of the given upper trace halves."""
    return head.append(spans(trace_hi=traces, **columns))


def test_an_empty_head_finds_nothing():
    head = Head(Telemetry())
    assert len(head) == 0
    assert not head.rows(np.array([0, 5], np.int64)).held.any()


def test_ordinals_run_on_over_batches_and_chunks():
    head = Head(Telemetry(), chunk_rows=4)
    assert [add(head, [1] * n) for n in (3, 0, 6, 1, 2)] == [0, 3, 3, 9, 10]
    assert len(head) == 12


class TestRows:
    def test_columns_come_in_the_order_asked_for(self):
        head = Head(Telemetry(), chunk_rows=4)
        values = {"start": range(100, 110), "end": range(200, 220, 2), "http_status": [999] * 10}
        add(head, range(1, 11), name=range(10), **values)
        asked = np.array([9, 0, 4, 4], np.int64)
        rows = head.rows(asked)
        assert rows.held.all()
        assert rows.trace_hi.tolist() == [10, 1, 5, 5]
        assert rows.duration.tolist() == [109, 100, 104, 104]
        assert rows.name.tolist() == asked.tolist()
        assert set(rows.http_status.tolist()) == {999}

    def test_arrays_belong_to_the_caller(self):
        head = Head(Telemetry())
        add(head, [1])
        asked = np.array([0], np.int64)
        head.rows(asked).trace_hi[0] = 99
        assert head.rows(asked).trace_hi.tolist() == [1]
        assert asked.tolist() == [0]

    def test_given_arrays_are_copied(self):
        head = Head(Telemetry())
        batch = spans(trace_hi=[1])
        head.append(batch)
        batch.trace_hi[0] = 5
        assert head.rows(np.array([0], np.int64)).trace_hi.tolist() == [1]

    @pytest.mark.parametrize("ordinal", [-1, 3, 10**12])
    def test_ordinals_that_were_never_given_are_not_held(self, ordinal):
        head = Head(Telemetry())
        add(head, [1, 1, 1])
        rows = head.rows(np.array([ordinal, 1], np.int64))
        assert rows.held.tolist() == [False, True]
        assert rows.trace_hi.tolist() == [0, 1]


class TestBound:
    def test_the_oldest_chunk_falls_out_and_is_counted(self):
        telemetry = Telemetry()
        head = Head(telemetry, spans=12, chunk_rows=4)
        for batch in range(10):
            add(head, [batch + 1] * 3)
            assert len(head) <= 12
        assert telemetry.value("head_spans_dropped") + len(head) == 30
        dropped = telemetry.value("head_spans_dropped")
        rows = head.rows(np.arange(30, dtype=np.int64))
        assert rows.held.tolist() == [i >= dropped for i in range(30)]
        assert rows.trace_hi[dropped:].tolist() == [i // 3 + 1 for i in range(dropped, 30)]

    def test_a_batch_larger_than_the_head_leaves_its_newest_spans(self):
        head = Head(Telemetry(), spans=8, chunk_rows=4)
        assert add(head, range(1, 31)) == 0
        assert add(head, [77]) == 30
        assert head.rows(np.array([29, 30], np.int64)).trace_hi.tolist() == [30, 77]

    def test_two_chunks_are_held_at_least(self):
        head = Head(Telemetry(), spans=1, chunk_rows=4)
        for trace in range(1, 21):
            add(head, [trace])
        assert len(head) >= 4
        assert head.rows(np.array([19], np.int64)).trace_hi.tolist() == [20]

    def test_nothing_is_allocated_before_it_is_needed(self):
        head = Head(Telemetry())
        assert head._held == (0, ())
        add(head, [1])
        (chunk,) = head._held[1]
        per_row = sum(column.itemsize for column in chunk.columns.values())
        assert per_row == 22
        assert sum(column.nbytes for column in chunk.columns.values()) == 22 * CHUNK_ROWS


def test_readers_see_whole_rows_while_the_writer_appends():
    head = Head(Telemetry(), spans=4_096, chunk_rows=512)
    stop, wrong = threading.Event(), []

    def check():
        while not stop.is_set():
            rows = head.rows(np.arange(0, 15_000, 37))
            held = rows.held
            if (rows.trace_hi[held] != -rows.duration[held]).any():
                wrong.append("rows")

    readers = [threading.Thread(target=check) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    for reader in readers:
        reader.start()
    try:
        for trace in range(1, 5_000):
            add(head, [trace] * 3, start=[trace] * 3)
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []
