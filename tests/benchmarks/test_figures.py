"""Figures know whether they hold their gates, and survive their way through JSON and docs/figures.md."""

import argparse
import json

import pytest

from benchmarks import run
from benchmarks.calibration import DRIFT
from benchmarks.figures import Figure, command
from benchmarks.large import rows


@pytest.mark.parametrize(
    ("value", "gate", "met"),
    [(5, "<= 5", True), (5.1, "<= 5", False), (350, ">= 350", True), (349, ">= 350", False), (1, "", None)],
)
def test_a_gate_is_held_up_to_its_bound(value, gate, met):
    assert Figure("x", value, "ms", gate).met is met


def test_json_has_what_a_program_needs(capsys):
    figures = [Figure("a", 2.5, "ms", "<= 3", "<= 1", noisy=True), Figure("b", 1, "s", "<= 0.5")]
    assert command(lambda _: figures, argparse.ArgumentParser(), ["--json"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {"name": "a", "value": 2.5, "unit": "ms", "gate": "<= 3", "goal": "<= 1", "noisy": True, "met": True},
        {"name": "b", "value": 1, "unit": "s", "gate": "<= 0.5", "goal": "", "noisy": False, "met": False},
    ]


def test_the_rows_of_a_large_run_are_found_again_in_the_page():
    figures = [Figure("load", 1234.5, "k spans/s", ">= 350", ">= 500"), Figure("spans", 100, "M")]
    page = f"# Figures\n\nprose | with bars\n\n{rows(figures)}\n\nmore\n"
    assert run.large_figures(page) == [f._replace(name=f"large: {f.name}") for f in figures]


def test_a_page_without_a_large_run_has_none():
    assert run.large_figures("# Figures\n") == []


class Drifts:
    """A machine that is slower by the given parts of its speed, look by look."""

    def __init__(self, *drifts):
        self._drifts = list(drifts)

    def drift(self):
        return self._drifts.pop(0)


@pytest.mark.parametrize(
    ("drifts", "runs", "noisy"),
    [
        ((0, 0), 1, False),
        ((0, DRIFT + 0.01, 0, 0), 2, False),
        ((DRIFT + 0.01, 0, 0, 0), 2, False),
        ((0, 1, 1, 0, 0, 1), 3, True),
    ],
)
def test_a_part_that_drifts_is_repeated_and_then_called_noisy(monkeypatch, drifts, runs, noisy):
    ran = []

    def run_part(part):
        ran.append(part)
        return [Figure("a", 1, "ms")]

    monkeypatch.setattr(run, "run_part", run_part)
    assert run.trusted_part("decode", Drifts(*drifts), 2) == [Figure("a", 1, "ms", noisy=noisy)]
    assert len(ran) == runs


def test_nothing_is_repeated_when_time_is_short(monkeypatch):
    monkeypatch.setattr(run, "run_part", lambda _: [Figure("a", 1, "ms")])
    assert run.trusted_part("decode", Drifts(0, 1), 0) == [Figure("a", 1, "ms", noisy=True)]
