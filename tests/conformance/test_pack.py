"""The pack is what its stories tell, shows every rule and every defect, and can be read."""

import json
import re
from pathlib import Path

import pytest

from tests.conformance import pack, writing

PAGE = Path(__file__).parents[2] / "docs/graph-rules.md"
RULES = set(re.findall(r'<a id="(R\d+\.\d+)"', PAGE.read_text()))
NAMES = writing.stories()
CASES = pack.cases()

NEED_NO_CASE = {
    "R4.12": "twenty thousand nodes",
    "R5.7": "tests/collector/graph/test_histogram.py",
    "R5.14": "a figure of traces, not of edges",
    "R6.1": "how memory stays bounded, not what is computed",
    "R6.2": "as before",
    "R6.3": "as before",
    "R6.4": "as before",
}


def shown():
    return {rule for case in CASES for rule in case.expected["rules"]}


def test_the_folders_are_those_that_are_told():
    assert [case.name for case in CASES] == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_holds_what_its_story_tells(name):
    folder = pack.CASES / name
    held = {file.name: file.read_text() for file in folder.iterdir()}
    assert held == writing.written(name), "run: python -m tests.conformance.writing"


def test_there_are_enough_cases():
    assert len(CASES) >= 120


def test_every_rule_has_a_case():
    assert RULES - shown() == set(NEED_NO_CASE)


def test_every_rule_that_a_case_shows_is_written_down():
    defects = {f"D{n}" for n in range(1, 22)} - {"D19"}
    assert shown() - RULES == defects | {"Zipkin"}


def test_the_index_names_every_case_below_its_rules():
    assert (pack.CASES / "README.md").read_text() == writing.index_page(), (
        "run: python -m tests.conformance.writing"
    )


def test_ids_are_unique_to_a_case():
    traces = {
        case.name: set(re.findall(r'"traceId": "([0-9a-f]+)"', json.dumps(case.bodies))) for case in CASES
    }
    low = [trace[16:] for of_case in traces.values() for trace in {t[16:].rjust(32) for t in of_case}]
    assert len(low) == len(set(low))
