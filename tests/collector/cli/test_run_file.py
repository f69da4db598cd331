import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from weft_collector.cli import run_file
from weft_collector.cli.run_file import Running

OURS = Running("http://127.0.0.1:4318", os.getpid(), "/data")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "weft" / "collector.json"


def dead_pid():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_what_is_written_can_be_read_by_this_user_only(file):
    run_file.write(file, OURS)
    assert run_file.read(file) == OURS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_a_file_of_a_process_that_is_gone_is_ignored(file):
    run_file.write(file, Running("http://127.0.0.1:1", dead_pid(), "/data"))
    assert run_file.read(file) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"url": 1}',
        '{"url": "x", "pid": "y", "data": ""}',
        '{"url": "x", "pid": 0, "data": ""}',
    ],
)
def test_a_file_without_sense_is_ignored(file, text):
    file.parent.mkdir()
    file.write_text(text)
    assert run_file.read(file) is None


def test_a_missing_file_is_none(file):
    assert run_file.read(file) is None


def test_only_its_own_note_is_removed(file):
    run_file.write(file, OURS)
    run_file.forget(file, OURS.pid + 1)
    assert json.loads(file.read_text())["pid"] == OURS.pid
    run_file.forget(file, OURS.pid)
    run_file.forget(file, OURS.pid)
    assert not file.exists()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WEFT_RUN_FILE": "/x/y.json", "XDG_RUNTIME_DIR": "/run/1"}, "/x/y.json"),
        ({"XDG_RUNTIME_DIR": "/run/1"}, "/run/1/weft/collector.json"),
        ({}, str(Path("~/.local/state/weft/collector.json").expanduser())),
    ],
)
def test_the_place_follows_the_environment(environ, expected):
    assert str(run_file.location(environ)) == expected
