import csv
import io
import json
from collections import Counter

import pyarrow.parquet
import pytest

from tests.collector.api import bodies
from weft_collector.export import calls
from weft_collector.export.columns import COLUMNS


def read_csv(content):
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def read_json(content):
    return [json.loads(line) for line in content.splitlines()]


def read_parquet(content):
    return pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()


READERS = {"csv": read_csv, "json": read_json, "parquet": read_parquet}


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("json", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
    ],
)
def test_rows_sum_to_the_edges_in_every_format(collector, name, media_type):
    collector.ingest_shop()
    response = collector.get("/api/v1/export/calls", format=name)
    assert response.headers["content-type"] == media_type
    assert "attachment" in response.headers["content-disposition"]
    rows = READERS[name](response.content)
    counted = Counter(f"{row['caller']}->{row['callee']}" for row in rows)
    failed = Counter(f"{row['caller']}->{row['callee']}" for row in rows if row["outcome"] == "exception")
    assert {edge: (count, failed[edge]) for edge, count in counted.items()} == bodies.SHOP_EDGES
    assert list(rows[0]) == [column.name for column in COLUMNS]


def test_a_row_says_what_both_sides_know_of_a_call(collector):
    call = bodies.Call("web", "cart", 3, collector.clock(), failed=True, name="POST /checkout", trace=0xABC)
    collector.post(bodies.body(call))
    (row,) = read_json(collector.get("/api/v1/export/calls", format="json").content)
    trace, _, server = bodies.ids(call)
    assert row == {
        "time": "2026-11-23T10:07:30.001000000Z",
        "trace_id": trace.hex(),
        "span_id": server.hex(),
        "caller": "service:web",
        "callee": "service:cart",
        "caller_instance": "web-1",
        "callee_instance": "cart-1",
        "operation": "POST /checkout",
        "client_duration_ms": 8.0,
        "server_duration_ms": 5.0,
        "outcome": "exception",
        "certainty": "both",
    }


def test_a_side_that_never_reported_is_empty_not_zero(collector):
    collector.post(bodies.body(bodies.Call("browser", "web", 1, collector.clock(), client_ms=None)))
    (row,) = read_json(collector.get("/api/v1/export/calls", format="json").content)
    assert row["caller"] == "client:"
    assert row["client_duration_ms"] is None
    assert row["caller_instance"] == ""
    assert row["certainty"] == "server_only"


def test_only_calls_of_the_window_are_exported(collector):
    collector.ingest_shop()
    collector.clock.advance(3600)
    assert read_csv(collector.get("/api/v1/export/calls", window="15m").content) == []
    assert len(read_csv(collector.get("/api/v1/export/calls", window="2h").content)) == 12


def test_more_calls_than_a_chunk_are_all_written_in_order(collector, monkeypatch):
    monkeypatch.setattr(calls, "CHUNK_ROWS", 5)
    collector.ingest_shop()
    for name, read in READERS.items():
        rows = read(collector.get("/api/v1/export/calls", format=name).content)
        assert len(rows) == 12
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)


def test_a_format_that_is_not_known_is_refused(collector):
    response = collector.get("/api/v1/export/calls", format="xlsx")
    assert response.status_code == 400
    assert "csv, json, parquet" in response.json()["detail"]
