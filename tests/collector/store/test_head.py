import random
import sys
import threading

import numpy as np
import pytest

from tests.collector.store.batches import nodes, resources, scopes, spans
from weft_collector.store.head import CHUNK_ROWS, TRACE_SPANS, Head
from weft_collector.store.ports import HeadNodes, Position, Slice, SpanPointer
from weft_collector.telemetry import Telemetry

CLIENT, SERVER, INTERNAL = 3, 2, 1
HERE = Position(1, 200, 30)


def add(head, traces, *, position=HERE, **columns):
    """Append spans of the given low trace halves; span ids count up unless given."""
    n = len(traces)
    columns = {"span_id": range(1, n + 1), "offset": range(n), "length": [7] * n, **columns}
    node, instance = columns.pop("node", [1] * n), columns.pop("instance", [1] * n)
    batch = spans(trace_lo=traces, **columns)
    return head.append(
        batch, resources((900, 10), (910, 20)), scopes((0, 0), (950, 5)), position, nodes(node, instance)
    )


def span_offsets(head, lo, hi=0):
    return [pointer.span.offset for pointer in head.trace(hi, lo)]


def test_an_empty_head_finds_nothing():
    head = Head(Telemetry())
    assert head.trace(1, 2) == []
    assert len(head) == 0
    assert not head.rows(np.array([0, 5], np.int64)).held.any()


def test_pointers_lead_to_the_bytes_of_span_resource_and_scope():
    head = Head(Telemetry())
    add(head, [7, 8, 7], resource=[0, 1, 1], scope=[0, 1, 0])
    assert head.trace(0, 7) == [
        SpanPointer(HERE, Slice(0, 7), Slice(900, 10), Slice(0, 0)),
        SpanPointer(HERE, Slice(2, 7), Slice(910, 20), Slice(0, 0)),
    ]
    assert head.trace(0, 8) == [SpanPointer(HERE, Slice(1, 7), Slice(910, 20), Slice(950, 5))]


def test_spans_of_a_trace_come_in_order_of_arrival_over_batches_and_chunks():
    head = Head(Telemetry(), chunk_rows=4)
    for batch in range(5):
        add(head, [9, 5, 9], span_id=[10 * batch + i for i in (1, 2, 3)], position=Position(2, batch, 0))
    assert [(p.position.block, p.span.offset) for p in head.trace(0, 9)] == [
        (b, o) for b in range(5) for o in (0, 2)
    ]


def test_ordinals_run_on_over_batches_and_chunks():
    head = Head(Telemetry(), chunk_rows=4)
    assert [add(head, [1] * n) for n in (3, 0, 6, 1, 2)] == [0, 3, 3, 9, 10]
    assert len(head) == 12


def test_half_an_id_meets_the_whole_one():
    head = Head(Telemetry())
    add(head, [5, 5, 5], trace_hi=[0, 1, 2])
    assert span_offsets(head, 5, hi=1) == [0, 1]
    assert span_offsets(head, 5, hi=2) == [0, 2]
    assert span_offsets(head, 5, hi=0) == [0, 1, 2]
    assert span_offsets(head, 5, hi=2**64 - 1) == [0]
    assert span_offsets(head, 2**64 - 1) == []


class TestDuplicates:
    @pytest.mark.parametrize(
        ("second", "distinct"),
        [
            ({}, False),
            ({"start": [5]}, False),
            ({"node": [2]}, False),
            ({"kind": [5]}, False),  # a consumer is on the callee's side too
            ({"kind": [CLIENT]}, True),
            ({"kind": [INTERNAL]}, True),
            ({"instance": [2]}, True),
            ({"span_id": [2]}, True),
        ],
    )
    def test_the_first_of_equal_identity_counts(self, second, distinct):
        head = Head(Telemetry())
        add(head, [1], kind=[SERVER])
        add(head, [1], **{"kind": [SERVER], "offset": [50], **second})
        assert span_offsets(head, 1) == ([0, 50] if distinct else [0])

    def test_without_an_instance_the_node_tells_spans_apart(self):
        head = Head(Telemetry())
        add(head, [1, 1, 1], span_id=[4, 4, 4], node=[1, 2, 1], instance=[0, 0, 0])
        assert span_offsets(head, 1) == [0, 1]

    def test_an_instance_is_never_taken_for_a_node(self):
        head = Head(Telemetry())
        add(head, [1] * 4, span_id=[4] * 4, node=[0, 1, 2, 2], instance=[0, 1, 0, 2])
        assert span_offsets(head, 1) == [0, 1, 2, 3]

    def test_they_are_found_in_other_chunks_and_batches(self):
        head = Head(Telemetry(), chunk_rows=2)
        add(head, [1, 1, 1, 1, 1], span_id=[3, 4, 3, 5, 4])
        add(head, [1, 1], span_id=[5, 6])
        assert span_offsets(head, 1) == [0, 1, 3, 1]


def test_a_huge_trace_is_cut_at_a_bound():
    head = Head(Telemetry())
    n = TRACE_SPANS + 500
    add(head, [1] * n)
    assert span_offsets(head, 1) == list(range(TRACE_SPANS))


class TestRows:
    def test_columns_come_in_the_order_asked_for(self):
        head = Head(Telemetry(), chunk_rows=4)
        values = {"start": range(100, 110), "end": range(200, 210), "kind": [2] * 10, "status": [1] * 10}
        add(
            head,
            range(1, 11),
            http_status=[999] * 10,
            name=range(10),
            node=range(10),
            trace_hi=[6] * 10,
            **values,
        )
        asked = np.array([9, 0, 4, 4], np.int64)
        rows = head.rows(asked)
        assert rows.held.all()
        assert rows.trace_lo.tolist() == [10, 1, 5, 5]
        assert rows.start.tolist() == [109, 100, 104, 104]
        assert rows.end.tolist() == [209, 200, 204, 204]
        assert rows.name.tolist() == rows.node.tolist() == asked.tolist()
        assert set(rows.trace_hi.tolist()) == {6}
        assert rows.span_id.tolist() == [10, 1, 5, 5]
        assert [set(c.tolist()) for c in (rows.http_status, rows.kind, rows.status, rows.instance)] == [
            {999},
            {2},
            {1},
            {1},
        ]

    def test_arrays_belong_to_the_caller(self):
        head = Head(Telemetry())
        add(head, [1])
        asked = np.array([0], np.int64)
        head.rows(asked).trace_lo[0] = 99
        assert head.rows(asked).trace_lo.tolist() == [1]
        assert asked.tolist() == [0]

    def test_given_arrays_are_copied(self):
        head = Head(Telemetry())
        batch = spans(trace_lo=[1], span_id=[1])
        head.append(batch, resources((0, 0)), scopes((0, 0)), HERE, nodes([1], [1]))
        batch.trace_lo[0] = 5
        assert len(head.trace(0, 1)) == 1

    @pytest.mark.parametrize("ordinal", [-1, 3, 10**12])
    def test_ordinals_that_were_never_given_are_not_held(self, ordinal):
        head = Head(Telemetry())
        add(head, [1, 1, 1])
        rows = head.rows(np.array([ordinal, 1], np.int64))
        assert rows.held.tolist() == [False, True]
        assert rows.trace_lo.tolist() == [0, 1]


class TestBound:
    def test_the_oldest_chunk_falls_out_and_is_counted(self):
        telemetry = Telemetry()
        head = Head(telemetry, spans=12, chunk_rows=4)
        for batch in range(10):
            add(head, [batch + 1] * 3)
            assert len(head) <= 12
        assert telemetry.value("head_spans_dropped") + len(head) == 30
        assert head.trace(0, 1) == []
        assert len(head.trace(0, 10)) == 3
        dropped = telemetry.value("head_spans_dropped")
        rows = head.rows(np.arange(30, dtype=np.int64))
        assert rows.held.tolist() == [i >= dropped for i in range(30)]
        assert rows.trace_lo[dropped:].tolist() == [i // 3 + 1 for i in range(dropped, 30)]

    def test_a_batch_larger_than_the_head_leaves_its_newest_spans(self):
        head = Head(Telemetry(), spans=8, chunk_rows=4)
        assert add(head, range(1, 31)) == 0
        assert add(head, [77]) == 30
        assert span_offsets(head, 30) == [29]
        assert span_offsets(head, 5) == []

    def test_two_chunks_are_held_at_least(self):
        head = Head(Telemetry(), spans=1, chunk_rows=4)
        for trace in range(1, 21):
            add(head, [trace])
        assert len(head) >= 4
        assert len(head.trace(0, 20)) == 1

    def test_nothing_is_allocated_before_it_is_needed(self):
        head = Head(Telemetry())
        assert head._held == (0, ())
        add(head, [1])
        (chunk,) = head._held[1]
        per_row = sum(column.itemsize for column in chunk.columns.values())
        assert per_row == 64
        assert chunk._runs.nbytes < 10_000
        assert sum(column.nbytes for column in chunk.columns.values()) == 64 * CHUNK_ROWS


def test_any_batches_equal_a_list():
    chance = random.Random(5)
    head, known = Head(Telemetry(), spans=10_000, chunk_rows=64), []
    for batch in range(60):
        n = chance.randrange(0, 40)
        position = Position(1 + batch // 9, batch * 1000, batch)
        columns = {
            name: [chance.randrange(k) for _ in range(n)]
            for name, k in [("resource", 2), ("scope", 2), ("trace_lo", 5), ("span_id", 9), ("kind", 6)]
        }
        node, instance = ([chance.randrange(3) for _ in range(n)] for _ in range(2))
        if n:
            given = spans(offset=range(n), length=[3] * n, **columns)
            first = head.append(
                given, resources((1, 2), (3, 4)), scopes((5, 6), (7, 8)), position, nodes(node, instance)
            )
            assert first == len(known)
        for i in range(n):
            side = {2: "callee", 5: "callee", 3: "caller", 4: "caller"}.get(columns["kind"][i], "local")
            who = ("instance", instance[i]) if instance[i] else ("node", node[i])
            pointer = SpanPointer(
                position,
                Slice(i, 3),
                [Slice(1, 2), Slice(3, 4)][columns["resource"][i]],
                [Slice(5, 6), Slice(7, 8)][columns["scope"][i]],
            )
            known.append((columns["trace_lo"][i], (columns["span_id"][i], side, who), pointer))
    for trace in range(5):
        first = {}
        for lo, identity, pointer in known:
            if lo == trace:
                first.setdefault(identity, pointer)
        assert head.trace(0, trace) == list(first.values())


def test_readers_see_whole_rows_while_the_writer_appends():
    head = Head(Telemetry(), spans=4_096, chunk_rows=512)
    stop, wrong = threading.Event(), []

    def check():
        chance = random.Random(1)
        while not stop.is_set():
            trace = chance.randrange(1, 5_000)
            wrong.extend((trace, p) for p in head.trace(0, trace) if p.position.block != trace)
            rows = head.rows(np.arange(0, 15_000, 37))
            held = rows.held
            if (rows.trace_lo[held] != rows.start[held]).any():
                wrong.append("rows")

    readers = [threading.Thread(target=check) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    for reader in readers:
        reader.start()
    try:
        for trace in range(1, 5_000):
            add(head, [trace] * 3, start=[trace] * 3, position=Position(1, trace, 0), resource=[0, 1, 0])
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []


def test_the_nodes_are_what_the_batch_says():
    head = Head(Telemetry())
    head.append(
        spans(trace_lo=[1], span_id=[1]),
        resources((0, 0)),
        scopes((0, 0)),
        HERE,
        HeadNodes(*nodes([42], [17])),
    )
    rows = head.rows(np.array([0]))
    assert (rows.node.tolist(), rows.instance.tolist()) == ([42], [17])
