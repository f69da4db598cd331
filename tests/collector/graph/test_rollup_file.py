"""Files of rollups: what is written is read, older files too, and sums of many do not grow for good."""

import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.collector.graph.test_rollup import calls, counted, rows
from weft_collector.graph import cells as ce
from weft_collector.graph.freezing import frozen
from weft_collector.graph.levels import DAY, HOUR
from weft_collector.graph.nodes import CLIENT, Node, NodeTable, NodeType
from weft_collector.graph.rollup import Bounds, Rollup
from weft_collector.graph.rollup_file import Kept, kept_of, read_cells, write_cells
from weft_collector.graph.snapshot import Window

NAMES = NodeTable()
for _n in range(4):
    NAMES.number(Node(NodeType.SERVICE, f"s{_n}\ud800", "space", "prod"))


def kept(values, numbers=None):
    """What a log file adds that has these calls, its edges in any order."""
    rollup = Rollup(edges=64)
    parts = list(rollup._counting.of_rows(rows([(v[0], v[1] + 4, v[2] + 4, *v[3:]) for v in values])))
    made = kept_of(ce.total(parts), rollup.ends, NAMES.node)
    order = numbers(len(made.edges)) if numbers else list(range(len(made.edges)))
    cells = ce.total([ce.renumbered(made.cells, order)])
    return Kept(cells, [made.edges[order.index(place)] for place in range(len(order))])


def held(rollup, nodes, window):
    """{(caller, callee, cell): sum} of a window, by the numbers of `counted`."""
    cells = rollup.window(window)
    edges = zip(*(numbers.tolist() for numbers in rollup.ends(cells.code >> ce.CELL_BITS)), strict=True)
    pairs = [tuple(NAMES.number(nodes.node(number)) - 4 for number in edge) for edge in edges]
    found = zip(pairs, (cells.code & ce.CELLS - 1).tolist(), cells.value.tolist(), strict=True)
    return {(*pair, cell): value for pair, cell, value in found}


def loaded(parts, bounds=None):
    nodes, rollup = NodeTable(), Rollup(bounds or Bounds(minutes=9 * DAY))
    nodes.number(Node(NodeType.SERVICE, "someone else"))
    for part in parts:
        rollup.load(part.cells, nodes.pairs(part.edges), part.coarse)
    return rollup, nodes


@settings(deadline=None)
@given(st.lists(st.lists(calls, max_size=15), max_size=8), st.data())
def test_files_in_any_order_of_their_edges_add_up(blocks, data):
    parts = [kept(block, lambda n: data.draw(st.permutations(range(n)))) for block in blocks]
    rollup, nodes = loaded([read_cells(memoryview(write_cells(part))) for part in parts])
    everything = [row for block in blocks for row in block]
    assert held(rollup, nodes, Window(0, 9 * DAY)) == counted(everything)
    assert held(rollup, nodes, Window(3, DAY + 7)) == counted(
        row for row in everything if 3 <= row[0] < DAY + 7
    )


@settings(deadline=None)
@given(
    st.lists(st.lists(calls, max_size=15), max_size=8),
    st.integers(1, 3 * DAY),
    st.integers(1, 60),
    st.integers(0, 4 * DAY),
    st.integers(0, 4 * DAY),
)
def test_what_is_frozen_answers_like_what_it_was_made_of(blocks, minutes, hours, one, other):
    parts = [kept(block) for block in blocks]
    first = frozen(parts[:4], Bounds(minutes=minutes, hours=hours))
    second = frozen(
        [read_cells(memoryview(write_cells(first))), *parts[4:]], Bounds(minutes=minutes, hours=hours)
    )
    rollup, nodes = loaded([read_cells(memoryview(write_cells(second)))])
    window = rollup.effective(Window(*sorted((one, other))))
    rows_within = [
        row for block in blocks for row in block if window.start_minute <= row[0] < window.end_minute
    ]
    assert held(rollup, nodes, window) == counted(rows_within)


def test_what_is_frozen_becomes_coarser_with_age():
    bounds = Bounds(minutes=2 * HOUR, hours=48)
    sums, cells = kept([]), 0
    for day in range(12):
        busy = kept([(day * DAY + n * 7, n % 3, 1, n % 60, n % 50, 1, 0, 0, 0) for n in range(DAY // 7)])
        sums, cells = frozen([sums, busy], bounds), cells + len(busy.cells.code)
    assert len(sums.cells.code) + sum(len(part.cells.code) for part in sums.coarse) < cells / 2
    assert [part.minutes for part in sums.coarse] == [HOUR, DAY]
    rollup, nodes = loaded([sums])
    found = held(rollup, nodes, Window(0, 12 * DAY))
    assert sum(value for (*_, cell), value in found.items() if cell == ce.SIGHT_AT) == 12 * (DAY // 7)


def test_a_file_as_they_were_written_at_first_is_read():
    edges = [(CLIENT, NAMES.node(4)), (NAMES.node(4), NAMES.node(5))]
    columns = {"Minute": [7, 7], "Edge": [0, 1], "Cell": [ce.SIGHT_AT, 5], "Count": [3, -2]}
    table = pa.table({name: pa.array(np.array(values, np.int32)) for name, values in columns.items()})
    names = json.dumps([[asdict(caller), asdict(callee)] for caller, callee in edges])
    sink = pa.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata({b"weft.edges": names}), sink)
    found = read_cells(memoryview(sink.getvalue().to_pybytes()))
    assert found.edges == edges
    assert found.cells.value.tolist() == [3, -2]
    assert (found.cells.code >> ce.MINUTE_SHIFT).tolist() == [7, 7]


def test_nodes_are_named_once_however_many_edges_they_have():
    many = kept([(1, n % 4, n // 4, 1, 2, 1, 0, 0, 0) for n in range(16)])
    nodes = {id(node) for edge in read_cells(memoryview(write_cells(many))).edges for node in edge}
    assert len(nodes) == 4
