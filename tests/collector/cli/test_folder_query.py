"""`weft query --data` beside a collector that runs, and on folders that are none."""

import hashlib
import json
import signal
import threading
import time

import httpx
import pytest

from tests.collector.api import bodies
from tests.collector.cli.process import serving, weft
from tests.waiting import wait_until

NOW = time.time_ns() - 10**9
QUESTIONS = [
    "SELECT * FROM spans WHERE SpanName != 'later' ORDER BY TraceId, SpanId, SpanKind",
    "SELECT ServiceName, count(*), sum(Duration) FROM spans WHERE SpanName != 'later' GROUP BY 1 ORDER BY 1",
    "SELECT SpanId, attributes('service.instance.id') FROM spans WHERE SpanName != 'later' ORDER BY 1",
]


def shop(start, number=0, name="GET /cart"):
    calls = [bodies.Call("web", "cart", number + i, start + i * bodies.MS, name=name) for i in range(5)]
    return bodies.body(*calls)


def send(url, content):
    headers = {"content-type": "application/x-protobuf"}
    return httpx.post(f"{url}/v1/traces", content=content, headers=headers)


def state(folder):
    """Names, times and contents of the files of a folder."""
    return {
        path.name: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in (folder / "data").iterdir()
    }


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with sealed log files, whose collector is gone."""
    folder = tmp_path_factory.mktemp("kept")
    for number in range(2):
        with serving(folder, "--port", "0") as process:
            send(process.await_ready(), shop(NOW, 100 * number)).raise_for_status()
            assert process.stop() == 0
    return folder


def ask(folder, sql, *options):
    return weft(
        folder, "query", "--data", folder / "data", sql, "--format", "json", "--limit", "100000", *options
    )


def answered(folder, sql):
    done = ask(folder, sql)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_folder_answers_as_its_collector_does_while_that_takes_spans(kept):
    with serving(kept, "--port", "0") as process:
        url = process.await_ready()
        send(url, shop(NOW, 1000)).raise_for_status()
        stop, sent = threading.Event(), []

        def keep_sending():
            while not stop.is_set():
                sent.append(send(url, shop(NOW, 10_000 + 10 * len(sent), "later")).status_code)

        sender = threading.Thread(target=keep_sending)
        sender.start()
        try:
            for sql in QUESTIONS:
                before = len(sent)
                wait_until(lambda before=before: len(sent) > before, 30)
                asked = {"sql": sql, "limit": 100_000}
                theirs = httpx.post(f"{url}/api/v1/query", json=asked, timeout=60).json()
                ours = answered(kept, sql)
                assert ours == theirs
                assert len(ours["rows"]) > 1
            acknowledged = len(sent)
            (found,) = answered(kept, "SELECT count(*) FROM spans WHERE SpanName = 'later'")["rows"]
            assert found[0] >= 10 * acknowledged > 0
        finally:
            stop.set()
            sender.join()
        assert set(sent) == {200}
        assert process.stop() == 0


def test_a_folder_without_a_collector_is_read_and_left_as_it_is(kept):
    before = state(kept)
    assert answered(kept, "SELECT count(*) FROM spans WHERE SpanName != 'later'")["rows"][0][0] >= 20
    assert state(kept) == before


def test_what_a_killed_collector_has_acknowledged_is_there_and_its_folder_stays_as_it_is(tmp_path):
    with serving(tmp_path, "--port", "0") as process:
        url = process.await_ready()
        for number in range(20):
            send(url, shop(NOW, 10 * number)).raise_for_status()
        process.stop(signal.SIGKILL)
    newest = max((tmp_path / "data").glob("log-*"))
    newest.write_bytes(newest.read_bytes() + newest.read_bytes()[:100])  # a block that was begun
    before = state(tmp_path)
    assert answered(tmp_path, "SELECT count(*) FROM spans")["rows"] == [[200]]
    assert state(tmp_path) == before


def test_the_formats_and_the_cap_are_those_of_a_collector(kept):
    done = weft(
        kept,
        "query",
        "--data",
        "data",
        "SELECT SpanId FROM spans ORDER BY 1",
        "--limit",
        "1",
        "-o",
        "rows.csv",
    )
    assert done.returncode == 0, done.stderr
    assert b"more rows" in done.stderr
    assert (kept / "rows.csv").read_text().splitlines() == ["SpanId", f"{1:016x}"]
    done = ask(kept, "DROP VIEW spans")
    assert (done.returncode, b"Only SELECT" in done.stderr) == (1, True)
    done = ask(kept, "SELECT * FROM read_text('/etc/passwd')")
    assert (done.returncode, b"Permission" in done.stderr) == (1, True)


def test_a_damaged_file_is_named_with_what_mends_it(kept):
    file = min((kept / "data").glob("spans-*"))
    content = file.read_bytes()
    file.write_bytes(content[:-100])
    done = ask(kept, "SELECT count(*) FROM spans")
    file.write_bytes(content)
    assert done.returncode == 1
    assert file.name in done.stderr.decode()
    assert "weft rebuild" in done.stderr.decode()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda data: None, "there is no"),
        (lambda data: data.write_text("x"), "is no folder"),
        (lambda data: data.mkdir(), "no log in it"),
        (lambda data: (data.mkdir(), (data / "notes.txt").write_text("x")), "no log in it"),
    ],
    ids=["none", "file", "empty", "foreign"],
)
def test_what_is_no_data_folder_is_said_to_be_none_and_left_alone(tmp_path, make, says):
    make(tmp_path / "data")
    there = sorted(tmp_path.rglob("*"))
    done = ask(tmp_path, "SELECT 1")
    told = done.stderr.decode()
    assert (done.returncode, says in told, "`weft serve` shows" in told) == (2, True, True), told
    assert sorted(tmp_path.rglob("*")) == there


def test_the_folder_of_a_collector_that_has_got_nothing_yet_has_no_rows(tmp_path):
    with serving(tmp_path, "--port", "0") as process:
        url = process.await_ready()
        sql = "SELECT * FROM spans"
        theirs = httpx.post(f"{url}/api/v1/query", json={"sql": sql}, timeout=60)
        assert theirs.json()["rows"] == []
        assert answered(tmp_path, sql) == theirs.json()
        assert process.stop() == 0


def test_a_folder_and_a_collector_are_not_asked_at_once(tmp_path):
    done = ask(tmp_path, "SELECT 1", "--collector", "http://127.0.0.1:1")
    assert (done.returncode, b"one of them" in done.stderr) == (2, True)
