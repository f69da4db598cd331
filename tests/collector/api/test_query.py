"""SQL over HTTP."""

import io

import pytest
from pyarrow import ipc, parquet

from weft_collector.query.sql.runner import SqlLimits


@pytest.fixture
def shop(collector):
    collector.ingest_shop()
    return collector


def ask(shop, headers=None, **body):
    return shop.request("POST", "/api/v1/query", json=body, headers=headers)


SERVICES = "SELECT ServiceName, count(*) AS spans FROM spans GROUP BY 1 ORDER BY 1"


def test_rows_come_as_json_with_names_and_types(shop):
    answer = ask(shop, sql=SERVICES).json()
    assert answer["columns"] == [
        {"name": "ServiceName", "type": "string"},
        {"name": "spans", "type": "int64"},
    ]
    assert answer["rows"] == [["auth", 3], ["cart", 4], ["web", 12]]
    assert answer["truncated"] is False


def test_times_come_to_the_nanosecond_and_odd_values_as_json_has_them(shop):
    sql = (
        "SELECT min(Timestamp), 'NaN'::DOUBLE, '\\xFF'::BLOB, [1, NULL], {'a': 1.5::DECIMAL(3, 1)}, "
        "DATE '2026-01-02' FROM spans"
    )
    assert ask(shop, sql=sql).json()["rows"] == [
        ["2026-11-23T10:06:30.000000000Z", "nan", "ff", [1, None], {"a": "1.5"}, "2026-01-02"]
    ]


def test_every_format_is_one(shop):
    texts = {name: ask(shop, sql=SERVICES, format=name) for name in ("csv", "table", "parquet", "arrow")}
    assert texts["csv"].text.splitlines() == ["ServiceName,spans", "auth,3", "cart,4", "web,12"]
    assert texts["table"].text.splitlines()[2].split() == ["auth", "3"]
    assert parquet.read_table(io.BytesIO(texts["parquet"].content)).num_rows == 3
    assert ipc.open_stream(texts["arrow"].content).read_all().num_rows == 3


def test_a_cut_answer_says_so(shop):
    answer = ask(shop, sql="SELECT * FROM range(9)", limit=2, format="csv")
    assert answer.headers["weft-truncated"] == "true"
    assert len(answer.text.splitlines()) == 3


def test_texts_stay_texts_in_spreadsheets_and_terminals(shop):
    formula = ask(shop, sql="SELECT '=1+1' AS a", format="csv")
    assert formula.text.splitlines()[1] == "'=1+1"
    control = ask(shop, sql="SELECT chr(27) || '[2J' || repeat('x', 100) AS a", format="table")
    assert "\x1b" not in control.text
    assert max(map(len, control.text.splitlines())) == 60


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"sql": "DROP VIEW spans"}, "DROP"), ({"sql": ""}, "SELECT"), ({"sql": 5}, "sql"),
        ({"sql": "SELECT 1", "limit": 0}, "limit"),
        ({"sql": "SELECT 1", "limit": "5"}, "limit"), ({"sql": "SELECT 1", "format": "xls"}, "format"),
        ({"sql": "SELECT 1", "more": 1}, "more"), ({"sql": "SELECT nope FROM spans"}, "LINE 1"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_a_problem(shop, body, says):
    response = ask(shop, **body)
    assert response.status_code == 400
    assert says in response.json()["detail"]


def test_only_json_is_taken_and_only_a_little(shop):
    plain = shop.request(
        "POST", "/api/v1/query", content=b'{"sql": "SELECT 1"}', headers={"content-type": "text/plain"}
    )
    assert plain.status_code == 415
    assert ask(shop, sql="SELECT 1" + " " * 300_000).status_code == 413
    broken = shop.request("POST", "/api/v1/query", content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 400


def test_a_page_of_another_site_may_not_ask(shop):
    assert ask(shop, {"origin": "https://evil.example"}, sql="SELECT 1").status_code == 403


def test_a_query_that_takes_too_long_is_ended(shop):
    endless = "WITH RECURSIVE t AS (SELECT 1 x UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t"
    object.__setattr__(shop.parts.sql, "_limits", SqlLimits(seconds=3))
    response = ask(shop, sql=endless)
    assert response.status_code == 422
    assert "ended" in response.json()["detail"]
