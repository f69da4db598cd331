"""`weft query` against a server that answers as the collector does."""

import json
from http.server import BaseHTTPRequestHandler

import pytest

from tests.answering import Quiet, answering
from weft_collector.cli.main import main


class Handler(Quiet, BaseHTTPRequestHandler):
    asked: list = []  # noqa: RUF012 - emptied by the fixture

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, self.headers["content-type"], body))
        refused = "nope" in body["sql"]
        answer = b'{"title": "Bad", "detail": "LINE 1"}' if refused else b"a\r\n1\r\n"
        self.send_response(400 if refused else 200)
        self.send_header("content-length", str(len(answer)))
        self.send_header("weft-truncated", "true")
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture
def url():
    Handler.asked = []
    with answering(Handler) as address:
        yield address


def test_rows_come_as_csv_where_nobody_watches(url, capfd):
    assert main(["query", "SELECT 1 AS a", "--limit", "1", "--collector", url]) == 0
    shown = capfd.readouterr()
    assert shown.out.split() == ["a", "1"]
    assert "more rows" in shown.err
    assert Handler.asked == [
        ("/api/v1/query", "application/json", {"sql": "SELECT 1 AS a", "limit": 1, "format": "csv"})
    ]


def test_the_suffix_of_a_file_names_the_format(url, tmp_path):
    assert main(["query", "SELECT 1", "-o", str(tmp_path / "x.parquet"), "--collector", url]) == 0
    assert Handler.asked[0][2]["format"] == "parquet"
    assert (tmp_path / "x.parquet").read_bytes() == b"a\r\n1\r\n"


def test_a_statement_that_is_refused_fails_with_the_place(url, capfd):
    assert main(["query", "SELECT nope", "--collector", url]) == 1
    assert "LINE 1" in capfd.readouterr().err
