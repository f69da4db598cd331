import os
from http.server import BaseHTTPRequestHandler

import click
import pytest

from tests.answering import Quiet, answering
from weft_collector.cli import run_file
from weft_collector.cli.collector import DEFAULT_URL, Collector, Found, find
from weft_collector.cli.exits import CollectorRefused, NotReachable


def test_option_beats_environment_beats_run_file_beats_default(tmp_path):
    file = tmp_path / "run.json"
    environ = {"WEFT_RUN_FILE": str(file)}
    assert find(None, environ) == Found(DEFAULT_URL, "the default")
    run_file.write(file, run_file.Running("http://127.0.0.1:5001", os.getpid(), "x"))
    assert find(None, environ) == Found("http://127.0.0.1:5001", "the run file")
    environ["WEFT_COLLECTOR"] = "http://127.0.0.1:5002/"
    assert find(None, environ) == Found("http://127.0.0.1:5002", "WEFT_COLLECTOR")
    assert find("http://[::1]:5003", environ) == Found("http://[::1]:5003", "--collector")


@pytest.mark.parametrize("url", ["127.0.0.1:4318", "ftp://x", "http://", "x"])
def test_an_address_that_is_none_is_a_wrong_call(url):
    with pytest.raises(click.UsageError, match="no address"):
        find(url, {})


ANSWERS = {
    "/good": (200, b"hello"),
    "/problem": (400, b'{"title": "Bad", "detail": "window=x.", "help": "Do this."}'),
    "/else": (502, b"<html>proxy</html>"),
    "/broken": (200, b"short"),
}


class Handler(Quiet, BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = ANSWERS[self.path.partition("?")[0]]
        self.send_response(status)
        self.send_header("content-length", str(len(body) + 10 * (self.path == "/broken")))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def url():
    with answering(Handler) as address:
        yield address


def test_an_answer_comes_back_whole(url):
    assert Collector.at(url).get("/good", {"window": None}) == b"hello"


def test_a_proxy_of_the_outside_world_is_not_asked_for_loopback(url, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert Collector.at(url).get("/good", {}) == b"hello"


def test_a_problem_is_passed_on_in_words(url):
    with pytest.raises(CollectorRefused, match=r"Bad: window=x\. Do this\."):
        Collector.at(url).get("/problem", {})


def test_an_answer_of_somebody_else_is_doubted(url):
    with pytest.raises(CollectorRefused, match=r"502; is it a Weft collector"):
        Collector.at(url).get("/else", {})


def test_an_answer_that_breaks_off_is_an_error(url):
    with pytest.raises(CollectorRefused, match="broke off"):
        Collector.at(url).get("/broken", {})


def test_nobody_there_says_who_named_the_address_and_what_to_do():
    with pytest.raises(NotReachable, match=r"--collector.*weft serve"):
        Collector.at("http://127.0.0.1:9").get("/good", {})
