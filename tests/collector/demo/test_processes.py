import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.process_table import alive
from tests.waiting import wait_until
from weft_collector.demo.errors import ProcessDied, TooSlow
from weft_collector.demo.processes import Command, Processes

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"


def python(name, program):
    return Command(name, (sys.executable, "-S", "-c", program), dict(os.environ))


@pytest.fixture
def processes(tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    with Processes(folder) as running:
        yield running


def up(processes, name):
    return lambda: "up" in processes.tail(name)


def test_a_stopped_process_is_gone(processes):
    processes.start(python("a", SLEEPER))
    processes.wait_until("a", up(processes, "a"), 10)
    pid = processes.pid("a")
    assert alive(pid)
    processes.stop(["a"])
    assert not alive(pid)


def test_a_killed_process_starts_again(processes):
    processes.start(python("a", SLEEPER))
    first = processes.pid("a")
    processes.kill("a")
    assert not alive(first)
    processes.restart("a")
    assert alive(processes.pid("a"))
    assert processes.pid("a") != first


def test_stopping_what_does_not_run_does_nothing(processes):
    processes.stop(["never started"])


def test_a_process_that_dies_is_told_with_its_last_words(processes):
    processes.start(python("a", "import sys; print('bad luck'); sys.exit(3)"))
    with pytest.raises(ProcessDied, match=r"a ended with code 3(?s:.*)bad luck"):
        processes.wait_until("never", lambda: False, 10)


def test_waiting_has_an_end(processes):
    with pytest.raises(TooSlow, match="the moon: not within 0 s"):
        processes.wait_until("the moon", lambda: False, 0)


def test_a_process_that_ignores_the_request_to_end_is_killed(processes, monkeypatch):
    monkeypatch.setattr("weft_collector.demo.processes.GRACE_SECONDS", 0.1)
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER
    processes.start(python("a", stubborn))
    processes.wait_until("a", up(processes, "a"), 10)
    pid = processes.pid("a")
    processes.stop(["a"])
    assert not alive(pid)


def test_closing_ends_grandchildren_and_removes_the_folder(tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    with Processes(folder) as processes:
        processes.start(python("a", PARENT))
        (grandchild,) = wait_until(lambda: children(processes.pid("a")))
    assert wait_until(lambda: not alive(grandchild))
    assert not folder.exists()


def test_closing_twice_does_no_harm(tmp_path):
    processes = Processes(tmp_path)
    processes.close()
    processes.close()


def test_a_runner_killed_at_once_leaves_nothing(tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    program = f"""
import os, pathlib, sys, time
from weft_collector.demo.processes import Command, Processes
processes = Processes(pathlib.Path({str(folder)!r}))
processes.start(Command("a", (sys.executable, "-S", "-c", {PARENT!r}), dict(os.environ)))
print(processes.pid("a"), flush=True)
time.sleep(600)
"""
    runner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    child = int(runner.stdout.readline())
    (grandchild,) = wait_until(lambda: children(child))
    runner.send_signal(signal.SIGKILL)
    runner.communicate()
    wait_until(lambda: not alive(child) and not alive(grandchild))
    wait_until(lambda: not folder.exists())


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
