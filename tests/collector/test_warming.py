"""Kernels are ready before the collector is, whatever becomes of the process that helps."""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from numba.core.registry import CPUDispatcher

from tests.collector import small_kernels
from tests.waiting import wait_until
from weft_collector import kernel, warming_apart
from weft_collector.errors import NotReady
from weft_collector.warming import STEPS, Step, warm, warm_together

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


def cold_kernels() -> list[str]:
    """The kernels of the collector that are loaded, and neither compiled nor read from the cache."""
    found = [k for k in gc.get_objects() if isinstance(k, CPUDispatcher)]
    entries = [k for k in found if not k.targetoptions.get("no_cpython_wrapper")]
    return [k.__name__ for k in entries if k.__module__.startswith("weft_collector.") and not k.signatures]


def test_no_kernel_is_left_to_be_compiled_when_the_collector_is_ready():
    warm(lambda _: None)
    assert cold_kernels() == []


def test_progress_says_how_many_of_how_many():
    lines: list[str] = []
    warm(lines.append)
    assert lines == [
        f"preparing kernels: {step.name}, {done} of {len(STEPS)} done" for done, step in enumerate(STEPS)
    ]


def test_warming_that_is_told_to_stop_ends_at_its_next_step():
    prepared: list[str] = []

    def report(line: str) -> None:
        if "second" in line:
            raise NotReady("stopping")

    steps = [Step(name, lambda name=name: prepared.append(name)) for name in ("first", "second", "third")]
    with pytest.raises(NotReady):
        warm_together(report, steps, lambda _: nullcontext())
    assert prepared == ["first"]


# ---- with the other process


def run(environ: Mapping[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.collector.small_kernels"]
    return subprocess.Popen(command, env=os.environ | environ, stdout=subprocess.PIPE, text=True)


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    with process:
        text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(text)


def test_what_the_other_process_compiles_is_loaded_from_the_cache(tmp_path):
    found = told(run({"WEFT_CACHE": str(tmp_path)}))
    assert found["misses"] == {"one_more": 1, "one_less": 0}
    assert Path(found["folder"]).parent == tmp_path
    assert found["lines"][0] == "preparing kernels: more, 0 of 2 done"
    assert found["lines"][-1] == "preparing kernels: less, 1 of 2 done"


def test_a_cache_that_cannot_be_written_is_replaced_by_one_that_both_processes_use(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    found = told(run({"WEFT_CACHE": str(blocked)}))
    assert found["misses"] == {"one_more": 1, "one_less": 0}
    assert not Path(found["folder"]).parent.exists()  # it was for this start


def test_two_collectors_may_fill_one_cache_at_once(tmp_path):
    both = [run({"WEFT_CACHE": str(tmp_path)}) for _ in range(2)]
    assert [told(process)["sum"] for process in both] == [2, 2]
    later = told(run({"WEFT_CACHE": str(tmp_path)}))
    assert later["misses"] == {"one_more": 0, "one_less": 0}


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"),
        (sys.executable, "-c", "raise SystemExit(3)"),
        ("/nowhere/to/be/found",),
    ],
)
def test_a_process_that_fails_only_leaves_its_work_to_the_collector(command):
    lines, prepared = [], []
    steps = [Step(name, lambda name=name: prepared.append(name)) for name in ("first", "last")]
    warm_together(lines.append, steps, small_kernels.beside(command))
    assert prepared == ["first", "last"]
    assert lines[-1] == "preparing kernels: last, 1 of 2 done"


def test_a_process_that_takes_too_long_is_given_up_and_killed():
    process = subprocess.Popen(SLEEPER, stdin=subprocess.PIPE)
    other, looks = warming_apart.Other(process, patience=0.3), []
    other.wait(lambda: looks.append(process.poll()))
    assert looks == [None] * 3
    other.end()
    assert process.returncode == -signal.SIGKILL


def test_a_collector_that_is_told_to_stop_leaves_no_process():
    started: list[warming_apart.Other] = []

    @contextmanager
    def start(step: str) -> Generator[warming_apart.Other | None]:
        with warming_apart.running([*SLEEPER, step]) as other:
            started.append(other)
            yield other

    def report(line: str) -> None:
        if "last" in line:
            raise NotReady("stopping")

    with pytest.raises(NotReady):
        warm_together(report, [Step(name, str) for name in ("first", "last")], start)
    assert not started[0].is_running


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


ENDLESS = """
import sys, threading
from weft_collector import warming_apart
inner = "from weft_collector.warming_apart import main; main('tests.collector.endless_step')"
with warming_apart.running([sys.executable, "-c", inner, "endless"]) as other:
    print(other.pid, flush=True)
    threading.Event().wait()
"""


def test_the_other_process_ends_with_a_collector_that_is_killed(tmp_path):
    note = tmp_path / "begun"
    environ = os.environ | {"ENDLESS_NOTE": str(note)}
    collector = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, env=environ)
    assert collector.stdout is not None
    try:
        other = int(collector.stdout.readline())
        wait_until(note.exists, timeout=60)
        assert lives(other)
    finally:
        collector.kill()
        collector.wait()
        collector.stdout.close()
    wait_until(lambda: not lives(other))


# ---- when it is started


def other_of(step: str) -> warming_apart.Other | None:
    with warming_apart.started(step) as other:
        return other


def test_a_process_is_started_if_the_cache_is_not_complete_and_there_is_a_second_core(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "CACHE_FOLDER", tmp_path)
    monkeypatch.setattr(warming_apart, "COMMAND", SLEEPER)
    cores = {0, 1}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    first, second = other_of("x"), other_of("x")
    assert first is not None
    assert not first.is_running
    assert second is None  # the first block has ended well, so the cache is complete
    kernel.completion_mark(tmp_path).unlink()
    cores.remove(1)
    assert other_of("x") is None


def test_a_cache_is_complete_for_the_processor_that_filled_it(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "CACHE_FOLDER", tmp_path)
    assert not kernel.is_complete()
    kernel.note_completion()
    assert kernel.is_complete()
    kernel.completion_mark(tmp_path).rename(tmp_path / "complete-another")
    assert not kernel.is_complete()


def test_a_cache_that_is_gone_is_not_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "CACHE_FOLDER", tmp_path / "gone")
    kernel.note_completion()
    assert not kernel.is_complete()
