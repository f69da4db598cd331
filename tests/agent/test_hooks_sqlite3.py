import contextlib
import sqlite3

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from weft import context, guard
from weft.context import Process
from weft.hooks import install
from weft.hooks.sqlite3 import first_word, namespace


@pytest.fixture(autouse=True)
def default(agent, monkeypatch):
    monkeypatch.setattr(Process, "default", agent)


@pytest.fixture
def connection(tmp_path):
    made = sqlite3.connect(tmp_path / "orders.db")
    yield made
    made.close()


def test_statements_become_client_spans(connection, reporter):
    connection.execute("create table t (a)")
    connection.cursor().executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
    connection.executescript("-- two\nselect 1; select 2")
    assert connection.execute("SELECT a FROM t WHERE a = ?", (2,)).fetchall() == [(2,)]
    connection.commit()
    assert [span.name for span in reporter.spans] == [
        "CREATE orders.db", "INSERT orders.db", "SELECT orders.db", "SELECT orders.db",
    ]  # fmt: skip
    span = reporter.spans[1]
    assert span.kind is SpanKind.CLIENT
    assert dict(span.attributes) == {
        "db.system.name": "sqlite", "db.namespace": "orders.db", "db.operation.name": "INSERT",
    }  # fmt: skip
    assert not guard.failures


def test_a_failing_statement_is_an_error_and_raises_its_own(connection, reporter):
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT * FROM nothing")
    (span,) = reporter.spans
    assert span.attributes["error.type"] == "sqlite3.OperationalError"
    assert span.status.status_code is StatusCode.ERROR


def test_classes_stay_what_they_are(connection):
    assert isinstance(connection, sqlite3.Connection)
    assert type(connection).__name__ == "Connection"
    cursor = connection.execute("select 1")
    assert isinstance(cursor, sqlite3.Cursor)
    assert cursor.connection is connection
    with connection:
        connection.execute("create table x (a)")


def test_own_classes_are_kept(tmp_path, reporter):
    class Mine(sqlite3.Connection):
        def hello(self):
            return "hello"

        def execute(self, sql):
            return super().execute(sql.replace("one", "1"))

    class Rows(sqlite3.Cursor):
        def execute(self, sql):
            return super().execute(sql.replace("two", "2"))

    connection = sqlite3.connect(":memory:", factory=Mine)
    assert isinstance(connection, Mine)
    assert connection.hello() == "hello"
    assert isinstance(connection.cursor(Rows), Rows)
    assert isinstance(connection.cursor(factory=Rows), Rows)
    assert connection.cursor(Rows).execute("select two").fetchone() == (2,)
    assert connection.execute("select one").fetchone() == (1,)
    assert [span.name for span in reporter.spans] == ["SELECT :memory:"] * 2
    connection.close()


def test_it_is_a_child_of_the_current_span(agent, connection, reporter):
    with agent.provider.get_tracer("t").start_as_current_span("work") as work:
        connection.execute("select 1")
    assert reporter.spans[0].parent == work.context


def test_without_an_agent_or_suppressed_nothing_is_recorded(connection, reporter, monkeypatch):
    token = context.suppress()
    connection.execute("select 1")
    context.detach(token)
    monkeypatch.setattr(Process, "default", None)
    connection.execute("select 1")
    assert reporter.spans == []


@pytest.mark.parametrize(
    ("database", "name"),
    [
        ("/var/lib/shop/orders.db", "orders.db"),
        (b"/x/orders.db", "orders.db"),
        (":memory:", ":memory:"),
        ("", ":memory:"),
        ("file:/x/or%20ders.db?mode=ro", "or ders.db"),
        ("file::memory:?cache=shared", ":memory:"),
        ("file:name?mode=memory", ":memory:"),
        (3, None),
    ],
)
def test_database_names(database, name):
    assert namespace(database) == name


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select 1", "SELECT"),
        ("  \n\tInsert into t", "INSERT"),
        ("-- c\n/* d ** e */ UPDATE t", "UPDATE"),
        ("/* open", ""),
        ("", ""),
        ("(select 1)", ""),
        ("WITH x AS (select 1) select 2", "WITH"),
        ("/*" + "*" * 100_000, ""),
        ("--" * 100_000, ""),
    ],
)
def test_first_words(sql, word):
    assert first_word(sql) == word


def test_rubbish_raises_what_sqlite_raises(connection):
    with pytest.raises(TypeError):
        connection.execute(3)
    with pytest.raises(TypeError):
        sqlite3.connect(3.5)


def test_taken_off_again():
    install.remove()
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        assert type(connection) is sqlite3.Connection
    assert not hasattr(sqlite3.connect, "__wrapped__")
