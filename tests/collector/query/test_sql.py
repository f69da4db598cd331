"""SQL over the spans, and attempts to get out of its process."""

import threading
import time
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.collector.wire import otlp_factory as otlp
from tests.contract.memory_tables import MemoryStore
from tests.waiting import wait_until
from weft_collector.errors import BadQuery, CallerGone, QueryTooCostly, Unavailable
from weft_collector.query.caller import Caller
from weft_collector.query.sql import runner
from weft_collector.query.sql.runner import Sql, SqlLimits
from weft_collector.store.span_schema import SCHEMA
from weft_collector.telemetry import Telemetry

LIMITS = SqlLimits(seconds=20, memory_bytes=128 << 20, answer_bytes=1 << 20)


@pytest.fixture
def sql(tmp_path):
    """Two tables: the first one a Parquet file, the second one not sealed yet."""
    store = MemoryStore()
    attributes = {"k": "own", "n": 7, "list": [1, "x"], "http.status_code": 503}
    sealed = store.add(
        [otlp.request([otlp.span("GET /", attributes=attributes)], "web", {"k": "web", "zone": "b"})]
    )
    store.add(
        [otlp.request([otlp.span("pay", trace=2, id=2, kind=otlp.CLIENT, parent=1)], "cart", {"k": "cart"})]
    )
    parquet.write_table(sealed.read(SCHEMA.names), tmp_path / "spans.parquet")
    files = {sealed.number: tmp_path / "spans.parquet"}
    yield Sql(store, store.log, lambda table: files.get(table.number), Telemetry(), LIMITS)
    store.close()


def rows(sql, statement, limit=1000):
    return [tuple(row.values()) for row in sql.run(statement, limit).rows.to_pylist()]


def test_sealed_and_unsealed_spans_are_one_view(sql):
    found = rows(
        sql, "SELECT TraceId, SpanId, ParentSpanId, ServiceName, SpanKind FROM spans ORDER BY TraceId"
    )
    assert found == [
        (f"{1:032x}", f"{1:016x}", "0" * 16, "web", "Server"),
        (f"{2:032x}", f"{2:016x}", f"{1:016x}", "cart", "Client"),
    ]
    assert rows(sql, "SELECT HttpStatusCode, count(*) FROM spans GROUP BY 1 ORDER BY 1") == [(0, 1), (503, 1)]


def test_attributes_come_out_of_the_log_the_spans_own_first(sql):
    asked = "SELECT attributes('k'), attributes('zone'), attributes('n'), attributes('list'), attributes('no') FROM spans"
    assert rows(sql, f"{asked} ORDER BY SpanId") == [
        ("own", "b", "7", '[1,"x"]', None),
        ("cart", None, None, None, None),
    ]
    assert rows(sql, "SELECT SpanName FROM spans WHERE attributes('n')::INT > 5") == [("GET /",)]


def test_attributes_of_one_side_of_a_join(sql):
    joined = "SELECT a.attributes('k'), b . ATTRIBUTES ('k') FROM spans a JOIN spans b ON b.ParentSpanId = a.SpanId"
    assert rows(sql, joined) == [("own", "cart")]


def test_a_text_or_a_comment_with_that_word_stays_what_it_is(sql):
    assert rows(sql, "SELECT 'attributes(1)' AS attributes /* attributes(2) */ -- attributes(3)\n") == [
        ("attributes(1)",)
    ]


def test_rows_and_bytes_are_capped(sql):
    answer = sql.run("SELECT * FROM range(5000)", 100)
    assert (answer.rows.num_rows, answer.truncated) == (100, True)
    assert sql.run("SELECT * FROM range(100)", 100).truncated is False
    wide = sql.run("SELECT repeat('x', 10000) FROM range(100000)", 100_000)
    assert wide.truncated
    assert wide.rows.nbytes <= LIMITS.answer_bytes


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("SELEC 1", "LINE 1"),
        ("SELECT nope FROM spans", "LINE 1"),
        ("", "these are 0"),
        ("SELECT 1; SELECT 2", "these are 2"),
        ("SELECT 1; DROP VIEW spans", "these are 2"),
        ("DROP VIEW spans", "DROP"),
        ("CREATE TABLE t AS SELECT 1", "CREATE"),
        ("INSERT INTO spans VALUES (1)", "INSERT"),
        ("COPY (SELECT 1) TO '/tmp/weft-escape.csv'", "COPY"),
        ("COPY spans FROM '/etc/passwd'", "COPY"),
        ("ATTACH '/tmp/weft-escape.db'", "ATTACH"),
        ("INSTALL httpfs", "LOAD"),
        ("LOAD httpfs", "LOAD"),
        ("PRAGMA database_list", "PRAGMA"),
        ("SET threads=64", "SET"),
        ("RESET memory_limit", "SET"),
        ("CALL pragma_version()", "CALL"),
        ("EXPORT DATABASE '/tmp/weft-escape'", "EXPORT"),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN"),
        ("BEGIN", "TRANSACTION"),
        ("SELECT * FROM read_csv('/etc/passwd')", "Permission"),
        ("SELECT * FROM read_text('/etc/passwd')", "Permission"),
        ("SELECT * FROM read_blob('/proc/self/environ')", "Permission"),
        ("SELECT * FROM read_parquet('/etc/passwd')", "Permission"),
        ("SELECT * FROM sniff_csv('/etc/passwd')", "Permission"),
        ("SELECT * FROM glob('/*')", "Permission"),
        ("SELECT * FROM '/etc/passwd'", "does not exist"),
        ("SELECT * FROM read_csv('https://example.com/x.csv')", "Permission|extension"),
        ("SELECT * FROM 's3://bucket/x.parquet'", "Permission"),
        ("SELECT getenv('HOME')", "does not exist"),
        ("SELECT * FROM job", "does not exist"),
        ("SELECT * FROM pipe", "does not exist"),
        ("SELECT weft_attribute(99, 0, 0, 0, 1, 0, 'k')", "no span"),
        ("SELECT attributes(repeat('k', 1000)) FROM spans", "at most 256"),
    ],
)
def test_what_is_no_question_about_spans_is_refused(sql, statement, says):
    with pytest.raises(BadQuery, match=says):
        sql.run(statement)
    assert not list(Path("/tmp").glob("weft-escape*"))


@pytest.mark.parametrize(
    "statement",
    [
        "WITH RECURSIVE t AS (SELECT 1 x UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000) c WHERE a.range + b.range > c.range",
        "SELECT list(repeat('x', 1000000)) FROM range(100000)",
        "SELECT a.range, b.range FROM range(100000) a, range(100000) b ORDER BY 2, 1",
        "SELECT sum(length(repeat('x', 1000000000))) FROM range(1000)",
    ],
)
def test_a_bomb_is_ended_in_time_and_the_next_query_is_answered(sql, statement):
    short = Sql(
        sql._catalog, sql._log, sql._file_of, sql._telemetry, SqlLimits(seconds=4, memory_bytes=128 << 20)
    )
    began = time.monotonic()
    with pytest.raises(QueryTooCostly):
        short.run(statement)
    assert time.monotonic() - began < 15
    assert rows(sql, "SELECT 1") == [(1,)]


MADE_UP = (
    "SELECT attributes('k') FROM (SELECT {} AS _table, {} AS Block, {} AS Body, "
    '{} AS "Offset", {} AS Length, {} AS ResourceId)'
)


@pytest.mark.parametrize(
    "places",
    [
        (-1, 0, 24, 0, 10, 0), (2, 0, 24, 0, 10, 0), (0, 5, 24, 0, 10, 0), (0, 0, 24, 0, 2**62, 0), (0, 0, 24, -5, 10, 0),
        (0, 0, 24, 0, 10, 99), (0, -1, 24, 0, 10, 0), (0, "NULL", 24, 0, 10, 0),
    ],
)  # fmt: skip
def test_a_place_that_was_made_up_is_no_span(sql, places):
    with pytest.raises(BadQuery, match="no span"):
        sql.run(MADE_UP.format(*places))


def test_a_span_that_an_outer_join_lacks_has_no_attributes(sql):
    joined = "SELECT b.attributes('k') FROM spans a LEFT JOIN spans b ON b.SpanId = a.ParentSpanId ORDER BY a.SpanId"
    assert rows(sql, joined) == [(None,), ("own",)]


def test_queries_run_one_at_a_time(sql):
    short = Sql(sql._catalog, sql._log, sql._file_of, sql._telemetry, SqlLimits(seconds=0.01))
    with short._turns.turn(Caller(), Unavailable("never")), pytest.raises(Unavailable, match="Another"):
        short.run("SELECT 1")
    assert sql._telemetry.value("queries_ended", "busy") == 1


ENDLESS = (
    "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000) c WHERE a.range + b.range > c.range"
)


def test_a_query_that_nobody_waits_for_ends_with_its_process(sql, monkeypatch):
    children = []
    popen = runner.subprocess.Popen
    monkeypatch.setattr(
        runner.subprocess, "Popen", lambda *a, **k: children.append(popen(*a, **k)) or children[-1]
    )
    caller = Caller()
    leaving = threading.Thread(target=lambda: wait_until(lambda: children) and caller.leave())
    leaving.start()
    began = time.monotonic()
    with pytest.raises(CallerGone):
        sql.run(ENDLESS, caller=caller)
    leaving.join()
    assert time.monotonic() - began < LIMITS.seconds
    assert children[0].returncode is not None
    assert sql._telemetry.value("queries_ended", "caller_gone") == 1


def test_a_query_whose_caller_left_before_its_turn_starts_no_process(sql, monkeypatch):
    monkeypatch.setattr(runner.subprocess, "Popen", None)
    caller = Caller()
    caller.leave()
    with pytest.raises(CallerGone):
        sql.run("SELECT 1", caller=caller)


@pytest.mark.parametrize("limit", [0, 100_001])
def test_a_limit_out_of_range_is_refused(sql, limit):
    with pytest.raises(BadQuery, match="limit"):
        sql.run("SELECT 1", limit)


def test_a_statement_that_is_too_long_is_refused(sql):
    with pytest.raises(BadQuery, match="characters"):
        sql.run("SELECT 1" + " " * 70_000)


class Retained:
    """A catalog whose first table goes after it was shown some times."""

    def __init__(self, catalog, shown):
        self._tables, self._shown = catalog.tables(), shown
        self.asked = 0

    def tables(self):
        self.asked += 1
        return self._tables if self.asked <= self._shown else self._tables[1:]


GONE = Path("/tmp/weft-none.parquet")


def test_a_query_whose_files_went_meanwhile_is_run_over_those_that_are_left(sql):
    first = sql._catalog.tables()[0]
    gone = Sql(
        Retained(sql._catalog, 1),
        sql._log,
        lambda table: GONE if table is first else None,
        sql._telemetry,
        LIMITS,
    )
    assert rows(gone, "SELECT ServiceName FROM spans") == [("cart",)]
    lost = Sql(Retained(sql._catalog, 9), sql._log, lambda _: GONE, sql._telemetry, LIMITS)
    with pytest.raises(BadQuery, match="weft-none"):
        lost.run("SELECT ServiceName FROM spans")


def test_a_query_whose_files_go_again_and_again_is_told_so(sql):
    class Going(Retained):
        def tables(self):
            self.asked += 1
            return self._tables if self.asked % 2 else self._tables[1:]

    going = Sql(Going(sql._catalog, 0), sql._log, lambda _: GONE, sql._telemetry, LIMITS)
    with pytest.raises(Unavailable, match="Retention"):
        going.run("SELECT ServiceName FROM spans")


def test_a_collector_without_spans_has_the_view_without_rows():
    store = MemoryStore()
    empty = Sql(store, store.log, lambda _: None, LIMITS)
    assert rows(empty, "SELECT count(*), count(attributes('k')) FROM spans") == [(0, 0)]
    assert empty.run("SELECT * FROM spans").rows.num_rows == 0
    store.close()
