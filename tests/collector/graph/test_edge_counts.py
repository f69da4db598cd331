"""The table of edge counts: sums over distinct points, bounded, and whole again out of what was kept."""

import random
from collections import Counter

import numpy as np
import pytest

from tests.collector.wire.count_factory import MINUTE, NOW, NOW_MINUTE, TO_CART, WEB, body, point
from weft_collector.graph.edge_count_file import read_addition, write_addition
from weft_collector.graph.edge_counts import EdgeCountTable
from weft_collector.graph.edge_rows import POINTS, End, newest, row_of, summed
from weft_collector.graph.nodes import CLIENT, UNKNOWN_CALLER, UNKNOWN_PEER, Node, NodeType
from weft_collector.wire.edge_counts import read

HOUR_NS = 60 * MINUTE


def points(*made, sender=WEB, arrived=NOW + 10 * HOUR_NS):
    found = read(body(*made, sender=sender), arrived)
    assert not found.rejected
    return found.points


def some(count, *, minutes=4, instances=3, seed=1):
    """Points of a few minutes, instances and streams."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        start = NOW + chance.randrange(minutes) * MINUTE + number
        words = TO_CART | {
            "weft.operation": chance.choice("abc"),
            "weft.outcome": chance.choice(("ok", "5xx")),
            "weft.side": chance.choice(("caller", "callee")),
        }
        durations = [chance.choice((0, 1, 900, 10**6)) for _ in range(chance.randrange(5))]
        sender = WEB | {"service.instance.id": f"web-{chance.randrange(instances)}"}
        found += points(point(durations, words, start=start, time=start + 1), sender=sender)
    return found


def cells(counts):
    """Every cell by minute, row and number."""
    columns = (counts.minute, counts.row, counts.cell, counts.value)
    return {
        (minute, counts.rows[row], cell): value
        for minute, row, cell, value in zip(*(column.tolist() for column in columns), strict=True)
    }


def expected(found):
    """The same by hand: a sum over the distinct points, of those with one key the first."""
    sums = Counter()
    for one in {one.key: one for one in reversed(found)}.values():
        row = row_of(one)
        sums[one.minute, row, POINTS] += 1
        for bucket, count in zip(one.buckets, one.counts, strict=True):
            sums[one.minute, row, bucket] += count
    return sums


def whole(table):
    return cells(table.between(0, 1 << 40))


def test_each_point_counts_once_however_often_and_in_whatever_order_it_comes():
    found = some(300)
    again = [*found, *found[::2], *found[::-1]]
    random.Random(2).shuffle(again)
    table = EdgeCountTable()
    for at in range(0, len(again), 37):
        table.add(again[at : at + 37])
    assert whole(table) == expected(found)
    assert table.duplicates == len(again) - len(found)
    assert (table.late, table.crowded, table.dropped_minutes) == (0, 0, 0)


def test_a_question_is_about_whole_minutes_and_the_last_is_not_in_it():
    found = some(100)
    table = EdgeCountTable()
    table.add(found)
    for first, end in ((0, 4), (1, 3), (2, 3), (3, 3), (5, 9)):
        asked = [one for one in found if first <= one.minute - NOW_MINUTE < end]
        counts = table.between(NOW_MINUTE + first, NOW_MINUTE + end)
        assert cells(counts) == expected(asked)
        assert counts.covered == {(one.minute, row_of(one).own, one.side) for one in asked}
        assert table.minutes(NOW_MINUTE + first, NOW_MINUTE + end) == sorted({one.minute for one in asked})


def test_a_point_without_calls_covers_its_instance_and_minute():
    table = EdgeCountTable()
    table.add(points(point([])))
    counts = table.between(NOW_MINUTE, NOW_MINUTE + 1)
    own = End(Node(NodeType.SERVICE, "web", environment="prod"), "web-1")
    assert counts.covered == {(NOW_MINUTE, own, "caller")}
    assert counts.value.tolist() == [1]


NODES = {
    ("caller", "service"): Node(NodeType.SERVICE, "cart", environment="prod"),
    ("caller", "database"): Node(NodeType.DATABASE, "orders", "db.internal", system="postgresql"),
    ("caller", "channel"): Node(NodeType.CHANNEL, "paid", system="kafka"),
    ("caller", "external"): Node(NodeType.EXTERNAL, "db.internal:5432"),
    ("caller", "unknown"): UNKNOWN_PEER,
    ("callee", "service"): Node(NodeType.SERVICE, "cart", environment="prod"),
    ("callee", "channel"): Node(NodeType.CHANNEL, "paid", system="kafka"),
    ("callee", "client"): CLIENT,
    ("callee", "unknown"): UNKNOWN_CALLER,
}


@pytest.mark.parametrize(("side", "kind"), NODES)
def test_the_ends_are_the_nodes_that_spans_would_name(side, kind):
    words = {
        "weft.side": side, "weft.peer.type": kind, "weft.peer.instance": "c1", "db.system.name": "postgresql",
        "db.namespace": "orders", "server.address": "db.internal", "server.port": 5432,
        "messaging.system": "kafka", "messaging.destination.name": "paid",
    }  # fmt: skip
    (found,) = points(point(attributes=TO_CART | words))
    row = row_of(found)
    own = End(Node(NodeType.SERVICE, "web", environment="prod"), "web-1")
    other = End(NODES[side, kind], "c1" if kind == "service" else "")
    assert (row.caller, row.callee) == ((own, other) if side == "caller" else (other, own))
    assert row.own == own


def test_a_peer_may_be_at_home_elsewhere():
    words = TO_CART | {"service.peer.namespace": "shop", "weft.peer.environment": ""}
    (found,) = points(point(attributes=words))
    assert row_of(found).callee.node == Node(NodeType.SERVICE, "cart", "shop", "")


class TestKept:
    def test_what_is_cut_off_in_between_makes_the_table_again(self):
        found, table, again = some(200), EdgeCountTable(), EdgeCountTable()
        for at in range(0, 200, 20):
            table.add(found[max(at - 30, 0) : at + 20])  # some for a second time
            again.load(read_addition(memoryview(write_addition(table.cut()))))
        assert whole(again) == whole(table) == expected(found)
        again.add(found)
        assert (again.duplicates, whole(again)) == (200, expected(found))

    def test_nothing_makes_no_file(self):
        table = EdgeCountTable()
        assert write_addition(table.cut()) == b""
        table.add(some(3))
        assert table.waiting > 3 * 2
        assert write_addition(table.cut())
        assert table.waiting == 0
        assert write_addition(table.cut()) == b""

    def test_sums_of_parts_are_the_sum_of_all(self):
        found, parts = some(120), []
        for at in range(0, 120, 40):
            table = EdgeCountTable()
            table.add(found[at : at + 40])
            parts.append(table.cut())
        together = summed(parts)
        assert cells(together.counts) == expected(found)
        assert sorted(together.key.tolist()) == sorted(one.key for one in found)
        assert cells(summed([]).counts) == {}

    def test_only_the_newest_minutes_may_stay(self):
        found, table = some(200), EdgeCountTable()
        table.add(found)
        addition = table.cut()
        for kept in range(5):
            last = [one for one in found if one.minute >= NOW_MINUTE + 4 - kept]
            cost = len(last) + 2 * len(expected(last))
            left = newest(addition, cost)
            assert cells(left.counts) == expected(last)
            assert sorted(left.key.tolist()) == sorted(one.key for one in last)
            assert set(left.counts.rows) == set(map(row_of, last))
            if last:
                assert len(newest(addition, cost - 1).key) < len(last)


class TestBounds:
    def test_the_oldest_minutes_go_and_what_comes_for_them_later_is_left_out(self):
        found = some(400, minutes=100)
        found.sort(key=lambda one: one.minute)
        table = EdgeCountTable(8_000)
        table.add(found)
        held = table.minutes(0, 1 << 40)
        assert 8 <= len(held) < 100
        assert table.dropped_minutes == len({one.minute for one in found}) - len(held)
        assert whole(table) == expected([one for one in found if one.minute in held])
        table.add(found[:5])
        assert table.late == 5
        assert whole(table) == expected([one for one in found if one.minute in held])

    def test_rows_that_no_minute_has_any_more_are_forgotten(self):
        table = EdgeCountTable(20_000)
        for number in range(2_000):
            start = NOW + number * MINUTE
            sender = WEB | {"service.instance.id": f"web-{number}"}
            table.add(points(point(start=start, time=start + 1), sender=sender, arrived=start))
        held = len(table.minutes(0, 1 << 40))
        assert 8 <= held < 400
        assert len(table._rows.by_number) <= held + 1
        assert sum(row is not None for row in table._rows.by_number) == held

    def test_a_minute_takes_no_more_than_its_share_and_says_so(self):
        table, found = EdgeCountTable(8_000), []
        for number in range(200):
            sender = WEB | {"service.instance.id": f"web-{number}"}
            found += points(point(), sender=sender)
        table.add(found[:3])
        before = points(point(start=NOW - MINUTE, time=NOW))
        table.add([*before, *found])
        counts = table.between(0, 1 << 40)
        assert counts.incomplete == {NOW_MINUTE}
        assert {minute for minute, _, _ in counts.covered} == {NOW_MINUTE - 1}
        kept = [one for one in found if (NOW_MINUTE, row_of(one), POINTS) in cells(counts)]
        assert 3 < len(kept) < 20
        assert table.crowded == len(found) - len(kept)
        assert cells(counts) == expected([*kept, *before])
        again = EdgeCountTable(8_000)
        again.load(read_addition(memoryview(write_addition(table.cut()))))
        assert again.between(0, 1 << 40).incomplete == {NOW_MINUTE}

    def test_places_are_counted_as_they_are_used(self):
        table = EdgeCountTable()
        for at in range(0, 300, 30):
            table.add(some(300)[at : at + 30])
        assert table._places == sum(minute.places for minute in table._minutes.values())
        rows = [row for row in table._rows.by_number if row]
        assert table._rows.places > 48 * len(rows) > 0


def test_counts_have_64_bits():
    table = EdgeCountTable()
    for number in range(3):
        table.add(points(point([], start=NOW + number, count=1 << 40, zero_count=1 << 40)))
    counts = table.between(NOW_MINUTE, NOW_MINUTE + 1)
    assert counts.value.tolist() == [3 << 40, 3]
    assert counts.value.dtype == np.int64
