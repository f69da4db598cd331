"""Search against naive answers, paged and out of time."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collector.query import stores
from tests.collector.wire import otlp_factory as otlp
from tests.contract.memory_tables import MemoryStore, tokens_of
from weft_collector.errors import BadQuery
from weft_collector.query.question import Condition, Question
from weft_collector.query.search import Search
from weft_collector.query.times import iso
from weft_collector.store.span_schema import KINDS, STATUSES

CONDITIONS = st.builds(
    Condition,
    st.sampled_from(["k", "other", "absent"]),
    st.sampled_from(["1", "0.5", "true", "x", "", "NaN", "-3", "1.0"]),
) | st.sampled_from(
    [
        Condition("db.name", "x"),
        Condition("http.status_code", "1"),
        Condition("db.namespace", ""),
        Condition("host.name", "h"),
    ]
)


def maybe(strategy):
    return st.none() | strategy


QUESTIONS = st.builds(
    Question,
    service=maybe(st.sampled_from(["web", "cart"])),
    operation=maybe(st.sampled_from(["a", "b"])),
    kind=maybe(st.sampled_from(KINDS)),
    status=maybe(st.sampled_from(STATUSES)),
    least_ns=maybe(st.integers(-1, 2)),
    most_ns=maybe(st.integers(2, 3)),
    start_ns=st.sampled_from([0, otlp.NOW + 2]),
    end_ns=st.sampled_from([otlp.NOW + 5, 2**63 - 1]),
    conditions=st.lists(CONDITIONS, max_size=2).map(tuple),
    sort=st.sampled_from(["start", "duration"]),
)


def store_of(tables):
    store = MemoryStore(block_bytes=400)
    for number, bodies in enumerate(tables):
        store.add(bodies, pieces=1 + number % 3)
    return store


def pages(ask, limit, step):
    """All pages of an answer, through its cursors."""
    cursor, found = None, []
    for _ in range(500):
        page = ask(stores.budget(step), limit, cursor)
        found.append(page)
        cursor = page.cursor
        if cursor is None:
            return found
    raise AssertionError("the pages never end")


def ids(rows):
    return [(row["trace_id"], row["span_id"], row["kind"], row["service"], row["start"]) for row in rows]


def rest(parsed):
    return parsed.columns["ServiceName"], iso(parsed.span.start_time_unix_nano)


def naive_ids(parsed):
    return [
        (*(x.hex() for x in (p.span.trace_id, p.span.span_id)), KINDS[p.span.kind].lower(), *rest(p))
        for p in parsed
    ]


some = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@some
@given(stores.TABLES, QUESTIONS, st.integers(1, 9))
def test_pages_of_spans_are_the_naive_answer_in_order(tables, question, limit):
    search = Search(store := store_of(tables), store.log, tokens_of)
    found = pages(lambda *a: search.spans(question, *a), limit, 0.0)
    rows = [row for page in found for row in page.rows]
    assert ids(rows) == naive_ids(stores.naive(question, tables))
    assert all(page.complete for page in found)
    assert all(len(page.rows) == limit for page in found[:-1])


@some
@given(stores.TABLES, QUESTIONS, st.integers(1, 9), st.sampled_from([0.3, 0.6, 2.0]))
def test_a_search_that_is_out_of_time_goes_on_and_gives_each_span_once(tables, question, limit, step):
    search = Search(store := store_of(tables), store.log, tokens_of)
    found = pages(lambda *a: search.spans(question, *a), limit, step)
    rows = [row for page in found for row in page.rows]
    assert sorted(ids(rows)) == sorted(naive_ids(stores.naive(question, tables)))


def naive_traces(question, tables):
    """Each trace with a match: id of its first match's trace, and the number of matches; in order."""
    matched = stores.naive(question, tables)
    lows = dict.fromkeys(parsed.span.trace_id[-8:] for parsed in matched)
    spans = stores.all_spans(tables)
    return [
        (
            low.hex(),
            sum(p.span.trace_id[-8:] == low for p in matched),
            sum(p.span.trace_id[-8:] == low for p in spans),
        )
        for low in lows
    ]


def seen_traces(rows):
    return [(row["trace_id"][16:], row["matching_spans"], row["spans"]) for row in rows]


@some
@given(stores.TABLES, QUESTIONS, st.integers(1, 3))
def test_pages_of_traces_are_the_naive_answer_in_order(tables, question, limit):
    search = Search(store := store_of(tables), store.log, tokens_of)
    found = pages(lambda *a: search.traces(question, *a), limit, 0.0)
    rows = [row for page in found for row in page.rows]
    assert seen_traces(rows) == naive_traces(question, tables)


@some
@given(stores.TABLES, QUESTIONS, st.integers(1, 3), st.sampled_from([0.3, 0.6, 2.0]))
def test_traces_out_of_time_come_once_each(tables, question, limit, step):
    search = Search(store := store_of(tables), store.log, tokens_of)
    found = pages(lambda *a: search.traces(question, *a), limit, step)
    rows = [row for page in found for row in page.rows]
    assert sorted(seen_traces(rows)) == sorted(naive_traces(question, tables))


def test_pieces_of_one_file_that_are_given_out_of_order_are_given_once():
    """Found by the test above: of two pieces one had been read to its end, the other one not."""

    def spans(*ids):
        return otlp.request([otlp.span("a", trace=trace, id=number) for trace, number in ids])

    tables = [[spans((1, 5), (5, 1), (1, 4))], [spans((3, 1), (4, 1))], [spans((1, 1))], [spans((9, 1))]]
    search = Search(store := store_of(tables), store.log, tokens_of)
    found = pages(lambda *a: search.spans(Question(), *a), 8, 0.3)
    rows = [row for page in found for row in page.rows]
    assert sorted(ids(rows)) == sorted(naive_ids(stores.naive(Question(), tables)))


@pytest.fixture
def search():
    store = store_of(
        [[otlp.request([otlp.span("GET /a", trace=n, start=otlp.NOW + n) for n in range(1, 30)])]]
    )
    return Search(store, store.log, tokens_of)


def test_a_trace_says_what_it_is(search):
    row = search.traces(Question(service="cart"), stores.budget(), 1).rows[0]
    assert row["trace_id"] == f"{29:032x}"
    assert row["root"] == {
        "span_id": f"{1:016x}",
        "service": "cart",
        "operation": "GET /a",
        "duration_ms": 1.0,
    }
    assert row["services"] == [{"service": "cart", "spans": 1, "errors": 0}]
    assert row["matches"][0]["operation"] == "GET /a"


def test_an_absent_attribute_reads_no_column(search):
    table = search._catalog.tables()[0]
    table.read = None
    page = search.traces(Question(conditions=(Condition("never", "seen"),)), stores.budget())
    assert (page.rows, page.complete, page.cursor) == ([], True, None)


@pytest.mark.parametrize(
    ("question", "what"),
    [
        (Question(kind="Sideways"), "kind"),
        (Question(sort="name"), "sort"),
        (Question(start_ns=5, end_ns=5), "empty"),
        (Question(least_ns=5, most_ns=4), "longer"),
        (Question(conditions=(Condition("k", "v"),) * 17), "at most 16"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(search, question, what):
    with pytest.raises(BadQuery, match=what):
        search.spans(question, stores.budget())


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_refused(search, limit):
    with pytest.raises(BadQuery, match="limit"):
        search.spans(Question(), stores.budget(), limit)


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "A" * 9000, "W10=", "bnVsbA==", "ü"])
def test_a_cursor_that_is_none_is_refused(search, cursor):
    with pytest.raises(BadQuery, match="cursor"):
        search.spans(Question(), stores.budget(), 5, cursor)


def test_a_cursor_of_another_question_is_refused(search):
    cursor = search.spans(Question(), stores.budget(), 5).cursor
    with pytest.raises(BadQuery, match="another search"):
        search.spans(Question(service="cart"), stores.budget(), 5, cursor)


def test_spans_that_arrive_between_two_pages_do_not_move_the_second(search):
    first = search.spans(Question(), stores.budget(), 5)
    search._catalog.add([otlp.request([otlp.span("new", trace=99, start=otlp.NOW + 100)])])
    second = search.spans(Question(), stores.budget(), 5, first.cursor)
    assert [row["trace_id"] for row in second.rows] == [f"{n:032x}" for n in range(24, 19, -1)]
