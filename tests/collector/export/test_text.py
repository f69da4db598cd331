import csv
import io
import json

import pyarrow.parquet
import pytest

from weft_collector.export.columns import COLUMNS, Kind
from weft_collector.export.parquet import parquet_bytes
from weft_collector.export.text import csv_lines, json_lines, time_text

EVIL = ["=1+1", "+cmd", "-2", "@x", "\tx", "\rx", 'a"b', "a,b", "a\r\nb", "ü\U0001f600", "plain"]


def chunk_of(texts):
    """A chunk whose operations are the texts."""
    ordinary = {Kind.TIME: 1_764_000_000_123_456_789, Kind.TEXT: "x", Kind.NUMBER: 1.5}
    cells = {"operation": list(texts), "server_duration_ms": [None] * len(texts)}
    return tuple(cells.get(column.name, [ordinary[column.kind]] * len(texts)) for column in COLUMNS)


def test_csv_is_read_back_by_the_standard_reader():
    text = b"".join(csv_lines([chunk_of(EVIL), chunk_of(["last"])])).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0]) == [column.name for column in COLUMNS]
    assert len(rows) == len(EVIL) + 1
    assert rows[-1]["operation"] == "last"
    assert rows[0]["server_duration_ms"] == ""
    assert rows[0]["client_duration_ms"] == "1.5"
    assert text.endswith("\r\n")


def test_a_spreadsheet_shows_formulas_instead_of_computing_them():
    text = b"".join(csv_lines([chunk_of(EVIL)])).decode()
    operations = [row["operation"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert operations[:6] == [f"'{evil}" for evil in EVIL[:6]]
    assert operations[6:] == EVIL[6:]


def test_json_lines_keep_every_text_as_it_is():
    lines = b"".join(json_lines([chunk_of(EVIL)])).splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["operation"] for row in rows] == EVIL
    assert list(rows[0]) == [column.name for column in COLUMNS]
    assert rows[0]["server_duration_ms"] is None


def test_parquet_has_types_and_is_read_back():
    data = b"".join(parquet_bytes([chunk_of(EVIL), chunk_of(["last"])]))
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    assert table.column_names == [column.name for column in COLUMNS]
    assert table["operation"].to_pylist() == [*EVIL, "last"]
    assert str(table.schema.field("time").type) == "timestamp[ns, tz=UTC]"
    assert table["time"].cast("int64").to_pylist()[0] == 1_764_000_000_123_456_789
    assert table["server_duration_ms"].null_count == len(table)


def test_parquet_comes_in_pieces():
    pieces = list(parquet_bytes(chunk_of([str(n)] * 10) for n in range(5)))
    assert len(pieces) == 6
    assert all(pieces)


def test_no_calls_are_a_file_without_rows():
    assert b"".join(csv_lines([])).decode().splitlines() == [",".join(column.name for column in COLUMNS)]
    assert b"".join(json_lines([])) == b""
    assert len(pyarrow.parquet.read_table(io.BytesIO(b"".join(parquet_bytes([]))))) == 0


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "1970-01-01T00:00:00.000000000Z"), (1_764_000_000_000_000_001, "2025-11-24T16:00:00.000000001Z")],
)
def test_times_are_written_to_the_nanosecond(ns, text):
    assert time_text(ns) == text
