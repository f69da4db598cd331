"""The runner: a real collector gets the score that it has in process, other dialects are spoken as their servers do."""

import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.answering import Quiet, answering
from tests.collector.cli.process import serving
from tests.conformance import conventions, run, sums
from tests.conformance.dialects import DIALECTS, Http
from tests.conformance.oracle import Oracle
from tests.conformance.pack import cases
from tests.conformance.renaming import Renaming
from tests.conformance.test_engine import EXCUSED

WAITING = ("external:", "unknown:peer")
NAMED = re.compile("service:(?:[^/]*/)*([^/]+)")


def at_once(case):
    """Whether nothing in a case waits 30 s for a callee that never comes."""
    return not any(edge["callee"].startswith(WAITING) for edge in case.expected["edges"])


def attempted(url, dialect, chosen, seconds=0.0):
    trial = run.Run(url, url, DIALECTS[dialect], Http({}))
    attempts = trial.attempts(chosen)
    trial.send(attempts)
    trial.wait(attempts, seconds, every=0.1)
    return attempts


def test_a_collector_gets_the_score_that_it_has_in_process(tmp_path):
    chosen = [case for case in cases() if at_once(case) and not case.leases and not case.counts]
    with serving(tmp_path, "--port", "0") as process:
        url = process.await_ready()
        right = attempted(url, "weft", [case for case in chosen if case.name not in EXCUSED], 20.0)
        wrong = attempted(url, "weft", [case for case in chosen if case.name in EXCUSED])
    assert [line for attempt in right for line in attempt.wrong] == []
    assert len(right) > 100
    assert [attempt for attempt in wrong if attempt.wrong]


# ---- servers that answer in other dialects, with the oracle's graph


class Server(Quiet, BaseHTTPRequestHandler):
    bodies: list = []  # noqa: RUF012 - emptied by the fixture
    worse = 0  # calls that every edge has too many

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        refuses = self.path != "/v1/traces" or self.headers.get("authorization") == "wrong"
        self.bodies += [] if refuses else [body]
        self._answer(401 if refuses else 200, {})

    def do_GET(self):
        asked = urlsplit(self.path)
        self._answer(200, ANSWERS[asked.path](self._edges(), parse_qs(asked.query)))

    def _edges(self):
        spans = [span for body in self.bodies for span in conventions.spans(body)]
        found = sums.edges(Oracle(spans).calls).items()
        between = [(NAMED.fullmatch(a), NAMED.fullmatch(b), edge) for (a, b), edge in found]
        return [
            (unquote(a[1]), unquote(b[1]), edge.calls + self.worse, edge.errors)
            for a, b, edge in between
            if a and b
        ]

    def _answer(self, status, content):
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def links(edges):
    """Edges of one pair of names added up, as servers without environments do."""
    summed = {}
    for caller, callee, calls, errors in edges:
        before = summed.get((caller, callee), (0, 0))
        summed[caller, callee] = before[0] + calls, before[1] + errors
    return [(*ends, *figures) for ends, figures in summed.items()]


def jaeger(edges, query):
    assert int(query["lookback"][0]) > 0 < int(query["endTs"][0])
    return {"data": [{"parent": a, "child": b, "callCount": calls} for a, b, calls, _ in links(edges)]}


def zipkin(edges, query):
    assert set(query) == {"lookback", "endTs"}
    rows = links(edges)
    return [
        {"parent": a, "child": b, "callCount": n, **({"errorCount": e} if e else {})} for a, b, n, e in rows
    ]


def prometheus(edges, query):
    failed = query["query"][0] == "traces_service_graph_request_failed_total"
    series = [
        {
            "metric": {"client": a, "server": b, "connection_type": ""},
            "value": [1, str(errors if failed else calls)],
        }
        for a, b, calls, errors in edges
    ]
    return {"status": "success", "data": {"resultType": "vector", "result": series}}


ANSWERS = {"/api/dependencies": jaeger, "/api/v2/dependencies": zipkin, "/api/v1/query": prometheus}


@contextmanager
def serving_graphs():
    Server.bodies, Server.worse = [], 0
    with answering(Server) as address:
        yield address


@pytest.mark.parametrize("dialect", ["jaeger", "zipkin", "prometheus"])
def test_a_server_with_the_oracles_graph_gets_every_case_right(dialect):
    with serving_graphs() as url:
        attempts = attempted(url, dialect, cases())
    asked = [attempt for attempt in attempts if not attempt.skipped]
    assert [line for attempt in asked for line in attempt.wrong] == []
    assert len(asked) > 90


def test_a_server_that_counts_too_much_gets_them_wrong():
    with serving_graphs() as url:
        Server.worse = 1
        attempts = attempted(url, "jaeger", cases())
    assert all(attempt.wrong for attempt in attempts if not attempt.skipped)


def test_the_command_prints_a_line_for_each_case_and_the_score(capsys):
    with serving_graphs() as url:
        words = ["--target", url, "--dialect", "jaeger", "--pause", "0", "--wait", "0", "--only", "a_late_*"]
        assert run.main(words) == 0
        Server.worse = 1
        assert run.main(words) == 1
    shown = capsys.readouterr().out
    assert "ok    a_late_callee_takes_the_call_back_from_its_host  (R3.4 D2)" in shown
    assert "4 of 4 cases right, 0 skipped" in shown
    assert "web -> cart: calls expected 1, found 2" in shown
    assert "0 of 4 cases right, 0 skipped" in shown


def test_a_refused_request_fails_its_case_alone(capsys):
    with serving_graphs() as url:
        words = ["--target", url, "--dialect", "jaeger", "--wait", "0", "--only", "every_callee_*"]
        assert run.main([*words, "--header", "authorization: wrong"]) == 1
    assert "401" in capsys.readouterr().out


def test_a_server_that_is_not_there_is_named(capsys):
    assert run.main(["--target", "http://127.0.0.1:9", "--only", "every_callee_*"]) == 2
    assert "http://127.0.0.1:9/v1/traces" in capsys.readouterr().err


def test_a_renamed_case_keeps_what_it_says():
    """The oracle finds the renamed edges in the renamed spans, for every case."""
    renaming = Renaming("r1.000.", 0x1234_5678_9ABC_DEF1, 86_400_000_000_000)
    for case in cases():
        if case.leases:
            continue
        spans = [span for body in case.bodies for span in conventions.spans(renaming.body(body))]
        wanted = {(e["caller"], e["callee"]): e["calls"] for e in renaming.edges(case.expected["edges"])}
        assert {ends: edge.calls for ends, edge in sums.edges(Oracle(spans).calls).items()} == wanted, (
            case.name
        )
