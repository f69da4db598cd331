import socket
import threading
import time

import httpx
import pytest
from opentelemetry import propagate, trace

import weft
from tests.agent.programs import python
from weft.agent import Agent, flush_all
from weft.context import Process
from weft.default import GLOBAL, autostart
from weft.errors import SettingError
from weft.testing import RecordingReporter
from weft.textmap import TextMap


def test_init_serves_the_global_api(collector):
    agent = weft.init(service="cart", collector=collector.url)
    with trace.get_tracer("library").start_as_current_span("work"):
        pass
    assert weft.flush(10)
    ((resource, span),) = collector.spans
    assert (resource["service.name"], span.name) == ("cart", "work")
    assert resource["service.instance.id"] == agent.instance
    assert isinstance(propagate.get_global_textmap(), TextMap)
    assert trace.get_tracer_provider() is GLOBAL
    assert GLOBAL.force_flush(10_000)


def test_a_second_init_returns_the_same_agent(reporter, caplog):
    agent = weft.init(service="cart", parts=reporter.parts())
    assert weft.init() is agent
    assert weft.init(service="cart") is agent
    assert weft.init(service="other") is agent
    assert "weft.Agent(service='other')" in caplog.text


def test_a_tracer_asked_for_before_init_works_after_it(reporter):
    early = trace.get_tracer("early")
    weft.init(service="cart", parts=reporter.parts())
    early.start_span("s").end()
    assert [span.name for span in reporter.spans] == ["s"]


def test_after_shutdown_nothing_is_recorded_and_init_starts_anew(reporter):
    weft.init(service="one", parts=reporter.parts())
    assert weft.shutdown()
    assert weft.shutdown()
    trace.get_tracer("t").start_span("lost").end()
    second = RecordingReporter()
    weft.init(service="two", parts=second.parts())
    trace.get_tracer("t").start_span("kept").end()
    assert (reporter.closed, reporter.spans) == (True, [])
    assert [span.resource.service for span in second.spans] == ["two"]


def test_flush_and_shutdown_without_init_are_true():
    assert weft.flush()
    assert weft.shutdown()


def test_the_agent_of_weft_run_gives_way_to_a_name_in_the_code(monkeypatch):
    monkeypatch.setenv("WEFT_SERVICE", "guessed")
    autostart()
    started = Process.default
    assert started.service == "guessed"
    assert weft.init(service="guessed") is started
    assert weft.init(service="cart").service == "cart"
    assert weft.init(service="third").service == "cart"


def test_wrong_arguments_are_told_at_once():
    with pytest.raises(SettingError, match="collector"):
        weft.Agent(service="a", collector="localhost")
    with pytest.raises(SettingError, match="servise"):
        weft.init(servise="a")
    assert Process.default is None


def test_a_disabled_agent_does_nothing(reporter, monkeypatch):
    from weft.hooks import install

    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    agent = weft.init(service="cart", parts=reporter.parts())
    agent.provider.get_tracer("t").start_span("s").end()
    trace.get_tracer("t").start_span("s").end()
    assert reporter.spans == []
    assert install._applied == {}


def test_two_agents_keep_their_identities(collector):
    one, two = (Agent(name, collector=collector.url) for name in ("one", "two"))
    with one.provider.get_tracer("t").start_as_current_span("of one"):
        httpx.post(collector.url + "/under-one", content=b"")
    with two.provider.get_tracer("t").start_as_current_span("of two"):
        httpx.post(collector.url + "/under-two", content=b"")
    httpx.post(collector.url + "/alone", content=b"")  # nobody's: there is no default agent
    calls = [
        headers
        for path, headers in zip(collector.paths, collector.headers, strict=True)
        if path != "/v1/traces"
    ]
    collector.requests.clear()
    assert flush_all(10)
    found = {(resource["service.name"], span.name) for resource, span in collector.spans}
    assert found == {("one", "of one"), ("one", "POST"), ("two", "of two"), ("two", "POST")}
    assert f";one;{one.instance}" in calls[0]["tracestate"]
    assert f";two;{two.instance}" in calls[1]["tracestate"]
    assert "traceparent" not in calls[2]
    assert one.shutdown(5)
    assert two.shutdown(5)


def hang() -> socket.socket:
    """A collector that accepts and never answers."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    return listening


@pytest.mark.parametrize("kind", ["dead", "hanging", "500"])
def test_a_sick_collector_changes_nothing_for_the_host(kind, collector):
    collector.status = 500
    with hang() as listening:
        port = {"dead": 9, "hanging": listening.getsockname()[1], "500": collector.server_address[1]}[kind]
        agent = Agent("cart", collector=f"http://127.0.0.1:{port}", delay=0.001, timeout=30.0)
        tracer = agent.provider.get_tracer("t")
        costs = []
        for _ in range(2000):
            begin = time.thread_time()
            tracer.start_span("s", attributes={"a": 1}).end()
            costs.append(time.thread_time() - begin)
        begin = time.monotonic()
        assert not agent.flush(0.3)
        agent.shutdown(1.0)
        assert time.monotonic() - begin < 4
    assert sum(agent.dropped.values()) == 2000
    assert sorted(costs)[-10] < 0.005  # the very slowest pay for a garbage collection of this process


PROGRAM = """
import sys, weft
from opentelemetry import trace
agent = weft.init(service="short", collector=sys.argv[1])
trace.get_tracer("t").start_span("last words").end()
"""


def test_the_last_spans_are_sent_when_a_program_ends(collector):
    result = python(PROGRAM, collector.url)
    assert (result.returncode, result.stderr) == (0, "")
    assert collector.names() == ["last words"]


def test_the_last_spans_are_sent_when_a_program_fails(collector):
    result = python(PROGRAM + "raise SystemExit(3)", collector.url)
    assert result.returncode == 3
    assert collector.names() == ["last words"]


def test_a_program_ends_in_time_with_a_hanging_collector():
    with hang() as listening:
        begin = time.monotonic()
        result = python(
            PROGRAM + "import time; print(time.monotonic())", f"http://127.0.0.1:{listening.getsockname()[1]}"
        )
        ended = time.monotonic()
    assert result.returncode == 0
    assert ended - float(result.stdout) < 5  # the deadline of 2 s, and a loaded machine
    assert ended > begin


def test_a_program_ends_with_a_dead_collector_and_one_line():
    result = python(PROGRAM, "http://127.0.0.1:9")
    assert result.returncode == 0
    assert result.stderr.count("\n") == 1
    assert "the collector cannot be reached" in result.stderr


FORK = """
import os, sys, threading, warnings, weft
warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on: a fork of a process with threads
from opentelemetry import trace
agent = weft.init(service="forking", collector=sys.argv[1], delay=0.01)
tracer = trace.get_tracer("t")
stop = threading.Event()
def busy():
    while not stop.wait(0.001):
        tracer.start_span("busy").end()
worker = threading.Thread(target=busy, daemon=True); worker.start()
inherited = tracer.start_span("inherited")
for n in range(10):
    pid = os.fork()
    if pid == 0:
        inherited.end()  # the parent's to send
        tracer.start_span(f"child {n}").end()
        assert weft.flush(20)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set(); worker.join()
inherited.end()
"""


def test_each_forked_child_is_an_instance_of_its_own(collector):
    result = python(FORK, collector.url, timeout=100)
    assert (result.returncode, result.stderr) == (0, "")
    by_name: dict[str, set] = {}
    for resource, span in collector.spans:
        by_name.setdefault(span.name, set()).add((resource["service.instance.id"], resource["process.pid"]))
    children = [by_name[f"child {n}"] for n in range(10)]
    assert all(len(child) == 1 for child in children)
    assert len(set.union(*children, by_name["busy"])) == 11
    assert by_name["inherited"] == by_name["busy"]


def test_the_sdk_is_never_imported(collector):
    program = PROGRAM + (
        "import httpx, sqlite3, uvicorn\n"
        "httpx.get(sys.argv[1]); sqlite3.connect(':memory:').execute('select 1')\n"
        "assert weft.flush(10)\n"
        "heavy = 'opentelemetry.sdk', 'opentelemetry.exporter', 'google'\n"
        "loaded = [m for m in sys.modules if m.startswith(heavy)]\n"
        "assert not loaded, loaded\n"
    )
    result = python(program, collector.url)
    assert (result.returncode, result.stderr) == (0, "")


def test_import_weft_loads_next_to_nothing():
    program = "import sys; before = set(sys.modules); import weft; print(*(set(sys.modules) - before))"
    assert python(program).stdout.split() == ["weft"]


def test_import_weft_is_fast():
    program = "import time; t = time.process_time(); import weft; print(time.process_time() - t)"
    assert min(float(python(program).stdout) for _ in range(3)) < 0.080


def test_many_threads_lose_nothing(collector):
    agent = Agent("busy", collector=collector.url, queue_spans=100_000)
    tracer = agent.provider.get_tracer("t")

    def work():
        for _ in range(1000):
            with tracer.start_as_current_span("outer"):
                tracer.start_span("inner").end()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert agent.shutdown(20)
    assert len(collector.spans) == 8000
    assert agent.dropped == {}
