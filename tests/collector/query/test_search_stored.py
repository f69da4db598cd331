"""Search over real segments and pieces, with their indexes, against naive answers."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collector.derived import derived_over
from tests.collector.query import stores
from tests.collector.query.test_search import QUESTIONS, ids, naive_ids, naive_traces, pages, seen_traces
from tests.collector.wire import otlp_factory as otlp
from weft_collector.query.question import Condition, Question
from weft_collector.query.search import Search
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Record, RecordKind
from weft_collector.store.tokens import tokens_of
from weft_collector.telemetry import Telemetry
from weft_collector.testing import ForgetfulFiles
from weft_collector.wire.otlp_protobuf import Decoder

ARRIVED = 2**62


class Stored:
    """Log files of bodies, all sealed but the last; a context, since the sealer is a thread."""

    def __init__(self, tables, block_bytes=1 << 17):
        files, telemetry, self._decoder = ForgetfulFiles(), Telemetry(), Decoder()
        self.files = files
        self.log = Log(files, telemetry, LogOptions(block_bytes=block_bytes, floor_bytes=0))
        self.derived = derived_over(self.log, files, self._decoder, telemetry)
        for number, bodies in enumerate(tables, 1):
            self.add(bodies)
            if number < len(tables):
                self.log.roll(self.log.numbers[-1])
        self.derived.settle_segments()

    def add(self, bodies):
        for body in bodies:
            (position,) = self.log.append([Record(RecordKind.SPANS, ARRIVED, 1, body)])
            self.log.sync()
            self.derived.apply(self._decoder.decode(body, ARRIVED), position, ARRIVED)

    def seal(self):
        self.log.roll(self.log.numbers[-1])
        self.derived.resumed()
        self.derived.settle_segments()

    @property
    def search(self):
        return Search(self.derived, self.log, tokens_of)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.derived.stop()
        self.log.close()


some = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@some
@given(stores.TABLES, QUESTIONS, st.integers(1, 9), st.booleans())
def test_pages_of_spans_are_the_naive_answer(tables, question, limit, sealed):
    with Stored(tables) as stored:
        if sealed:
            stored.seal()
        found = pages(lambda *a: stored.search.spans(question, *a), limit, 0.0)
    rows = [row for page in found for row in page.rows]
    assert ids(rows) == naive_ids(stores.naive(question, tables))


@some
@given(stores.TABLES, QUESTIONS, st.integers(1, 3))
def test_pages_of_traces_are_the_naive_answer(tables, question, limit):
    with Stored(tables) as stored:
        found = pages(lambda *a: stored.search.traces(question, *a), limit, 0.0)
    rows = [row for page in found for row in page.rows]
    assert seen_traces(rows) == naive_traces(question, tables)


@some
@given(stores.TABLES)
def test_a_trace_is_looked_for_in_all_tables_that_have_it(tables):
    with Stored(tables) as stored:
        held = stored.derived.tables()
        for low in range(8):
            having = [table for table in held if len(table.trace_rows(low))]
            found = held.with_trace(low)
            assert [table for table in found if len(table.trace_rows(low))] == having


def test_an_id_that_nobody_sent_is_looked_for_in_no_segment():
    with Stored([[otlp.request([otlp.span(trace=n)])] for n in range(1, 9)]) as stored:
        stored.seal()
        tables = stored.derived.tables()
        assert [len(tables.with_trace(n)) for n in range(1, 9)] == [1] * 8
        assert sum(len(tables.with_trace(n)) for n in range(100, 200)) <= 1


NEVER_TOGETHER = Question(conditions=(Condition("queue", "q"), Condition("table", "t")))


@pytest.fixture(params=["sealed", "unsealed"])
def apart(request):
    """Each body has both attributes, and no span has both."""
    one, other = ({name: name[0], "db.system.name": "x"} for name in ("queue", "table"))
    spans = [otlp.span(id=1, attributes=one), otlp.span(id=2, attributes=other)]
    with Stored([[otlp.request(spans)]]) as stored:
        if request.param == "sealed":
            stored.seal()
        yield stored


def test_attributes_that_never_meet_read_no_column(apart, monkeypatch):
    (table,) = apart.derived.tables()
    monkeypatch.setattr(table, "read", None)
    assert len(table.blocks_with([tokens_of(*condition) for condition in NEVER_TOGETHER.conditions]))
    page = apart.search.spans(NEVER_TOGETHER, stores.budget())
    assert (page.rows, page.complete, page.cursor) == ([], True, None)


def test_the_index_of_a_piece_grows_with_it(apart):
    apart.search.spans(NEVER_TOGETHER, stores.budget())
    apart.add([otlp.request([otlp.span(id=3, attributes={"queue": "q", "table": "t"})])])
    page = apart.search.spans(NEVER_TOGETHER, stores.budget())
    assert [row["span_id"] for row in page.rows] == [f"{3:016x}"]


def test_a_filter_that_is_wrong_costs_a_look_at_the_block_and_reads_no_column(monkeypatch):
    with Stored([[otlp.request([otlp.span(id=1, attributes={"k": "v"})])]]) as stored:
        stored.seal()
        (table,) = stored.derived.tables()
        monkeypatch.setattr(table._tokens, "blocks_with", lambda _: table._tokens.blocks)
        assert table.blocks_with([tokens_of("k", "other")]).tolist() == []
        assert table.blocks_with([tokens_of("k", "v")]).tolist() == table._tokens.blocks.tolist()
        stored.log._reader._cache._blocks.clear()
        stored.files.remove(
            stored.files.names()[[n.startswith("log") for n in stored.files.names()].index(True)]
        )
        assert table.blocks_with([tokens_of("k", "other")]).tolist() == table._tokens.blocks.tolist()
