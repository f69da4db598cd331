import os
import subprocess
import sys
from pathlib import Path

import pytest

from weft_collector.cli import main as command_line
from weft_collector.cli.main import COMMANDS, Command, main

HEAVY = {"numpy", "numba", "fastapi", "uvicorn", "httpx", "networkx", "pyarrow", "rich", "matplotlib"}


def weft(*arguments, **options):
    command = [str(Path(sys.executable).with_name("weft")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


def test_help_names_every_command_with_examples_and_exit_codes(capfd):
    assert main(["--help"]) == 0
    shown = capfd.readouterr().out
    for name, row in COMMANDS.items():
        assert f"weft {name}" in shown
        assert row.summary in shown
    assert "weft graph --format svg -o shop.svg" in shown
    assert "no collector answers" in shown


def test_help_of_the_process_is_immediate():
    """Processor time, which is wall time on a machine that has nothing else to do."""

    def seconds():
        before = os.times()
        assert weft("--help").returncode == 0
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(seconds() for _ in range(5)) < 0.3


def test_help_loads_nothing_heavy():
    program = "import sys; from weft_collector.cli.main import main; main(['--help']); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {name.partition(".")[0] for name in result.stdout.splitlines()[-1].split()} & HEAVY


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name, capfd):
    assert main([name, "--help"]) == 0
    assert f"weft {name}" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("typed", "meant"), [("srve", "serve"), ("grpah", "graph"), ("exprot", "export"), ("rum", "run")]
)
def test_a_misspelt_command_is_answered_with_what_was_meant(typed, meant, capfd):
    assert main([typed]) == 2
    assert f"did you mean {meant}" in capfd.readouterr().err


def test_a_word_that_looks_like_nothing_is_answered_with_the_list(capfd):
    assert main(["xyzzy"]) == 2
    assert (
        "serve, demo, graph, explain, query, export, import, rebuild, verify and run"
        in capfd.readouterr().err
    )


@pytest.mark.parametrize(
    "words",
    [
        ["graph", "--format", "gif"],
        ["graph", "extra"],
        ["export"],
        ["export", "calls", "--window"],
        ["--nope"],
    ],
)
def test_a_wrong_call_ends_with_2_and_says_why(words, capfd):
    assert main(words) == 2
    out, err = capfd.readouterr()
    assert err.strip() or out.strip()


def test_a_missing_library_is_named_with_the_line_that_installs_it(monkeypatch, capfd):
    table = {**COMMANDS, "graph": Command("weft_collector.cli.no_such_leaf", "graph", "x")}
    monkeypatch.setattr(command_line, "COMMANDS", table)
    assert main(["graph"]) == 2
    assert 'pip install "weft[collector]"' in capfd.readouterr().err


def test_no_collector_ends_with_3_and_says_what_to_do(tmp_path):
    environ = {"PATH": "", "WEFT_RUN_FILE": str(tmp_path / "none"), "HOME": str(tmp_path)}
    result = weft("graph", "--collector", "http://127.0.0.1:9", env=environ)
    assert result.returncode == 3
    assert "weft serve" in result.stderr
    assert not result.stdout


def test_a_command_ends_quietly_when_its_reader_goes(monkeypatch, capfd):
    def gone(*_args, **_options):
        raise BrokenPipeError

    monkeypatch.setattr(command_line.Commands, "main", gone)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    assert main(["graph"]) == 1
    assert not capfd.readouterr().err
