"""However spans are divided over log files, what the files add to the graph sums to what the oracle finds."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.batches import HALF, Texts, decoded
from tests.property.systems import batches
from tests.property.test_pairing import anything, of_oracle
from weft_collector.graph import cells as ce
from weft_collector.graph import settling
from weft_collector.graph.outcomes import OUTCOMES
from weft_collector.graph.settling import settled
from weft_collector.store.ports import Position
from weft_collector.store.span_columns import arrow_columns, words_of
from weft_collector.store.unsealed import SpanRows, Unsealed


def table_of(spans, texts):
    """A segment's table of distinct spans, as sealing makes it."""
    unsealed = Unsealed()
    unsealed.append(decoded(spans, texts), Position(1, 0, 0))
    rows = SpanRows.joined([piece.rows() for piece in unsealed.pieces])
    ids = np.zeros((2, len(rows.runs)), np.int64)
    return arrow_columns(
        rows.take(np.argsort(rows.columns["trace_lo"], kind="stable")), (ids[0], ids[1]), texts
    )


def traces_of(table):
    return words_of(table["TraceId"], -1)


def distinct(files):
    """The files without spans that stand earlier already."""
    known = set()
    for spans in files:
        kept = []
        for s in spans:
            key = s.trace & HALF, s.id, s.side, s.node, s.place
            kept += [] if key in known else [s]
            known.add(key)
        yield kept


def parts(files):
    """What each file adds."""
    texts, older = Texts(), []
    for spans in distinct(files):
        if spans:
            own = table_of(spans, texts)
            common = [table.filter(np.isin(traces_of(table), traces_of(own))) for table in older]
            yield settled(own, [table for table in common if table.num_rows])
            older.append(own)


def of_parts(kept_parts):
    """{(minute, caller, callee): (calls, outcomes and the four kinds, both histograms)} of sums."""
    sums = Counter()
    for kept in kept_parts:
        for code, value in zip(kept.cells.code.tolist(), kept.cells.value.tolist(), strict=True):
            caller, callee = kept.edges[code >> ce.CELL_BITS & ce.MAX_EDGES - 1]
            sums[code >> ce.MINUTE_SHIFT, caller.id, callee.id, code & ce.CELLS - 1] += value
    edges = {}
    for (minute, caller, callee, cell), value in sums.items():
        assert value >= 0
        if value and cell != ce.SEEN_AT:
            edge = edges.setdefault((minute, caller, callee), (Counter(), Counter(), Counter()))
            if cell < ce.SERVER_AT:
                edge[1][cell] += value
            elif cell < ce.SIGHT_AT:
                edge[2][cell - ce.SERVER_AT] += value
            elif cell >= ce.OUTCOME_AT:
                edge[0][OUTCOMES[cell - ce.OUTCOME_AT]] += value
            else:
                edge[0].update({cell - ce.SIGHT_AT: value, "calls": value})
    return edges


def check(data, spans):
    assert of_parts(parts(data.draw(batches(spans)))) == of_oracle(spans)


@settings(deadline=None, max_examples=150)
@given(st.data(), anything)
def test_parts_of_files_sum_to_the_oracles_graph(data, spans):
    check(data, spans)


@pytest.mark.parametrize("step", [1, 3])
@settings(deadline=None, max_examples=40)
@given(data=st.data(), spans=anything)
def test_it_does_not_matter_how_much_is_settled_at_once(step, data, spans):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "_STEP", step)
        check(data, spans)


@pytest.mark.long
@settings(deadline=None, max_examples=5_000)
@given(st.data(), anything)
def test_parts_of_files_sum_to_the_oracles_graph_at_length(data, spans):
    check(data, spans)
