"""The documents say what the code does: settings, dependencies, verbs."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.architecture import house, settings_page

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def dependencies() -> set[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    lines = [*PROJECT["project"]["dependencies"], *(line for extra in extras for line in extra)]
    lines += PROJECT["dependency-groups"]["dev"]
    return {Requirement(line).name for line in lines} - {"weft"}


# Variables that are no settings of a process: folders and files, each with its row in "Folders and files".
PLACES = {"WEFT_CACHE", "WEFT_RUN_FILE", "WEFT_CHROMIUM"}


def test_the_tables_of_settings_are_those_of_the_code():
    assert settings_page.PAGE.read_text() == settings_page.page(), (
        "run: python -m tests.architecture.settings_page"
    )


def test_the_configuration_page_names_no_variable_that_is_not_read():
    known = {
        name
        for settings in settings_page.TABLES.values()
        for s in settings
        for name in settings_page.names(s)
    }
    assert (
        set(re.findall(r"`((?:WEFT|OTEL)_[A-Z_]+[A-Z])`", settings_page.PAGE.read_text())) <= known | PLACES
    )


@pytest.mark.parametrize("name", sorted(dependencies()))
def test_every_dependency_says_why(name):
    rows = [
        r for r in (ROOT / "docs/dependencies.md").read_text().splitlines() if r.startswith(f"| {name} |")
    ]
    assert len(rows) == 1
    assert all(len(cell.split()) >= 2 for cell in rows[0].strip("| ").split("|")[2:])


def test_contributing_names_every_verb():
    verbs = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert {v for v in verbs if f"`make {v}`" not in page} <= {"help"}


def test_no_document_names_a_path_of_one_machine():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert not [p for p in pages if re.search(r"/(?:work|root|home/[a-z]+)/", p.read_text())]


def test_links_between_documents_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_picture_of_the_house_shows_the_imports_of_today():
    assert house.PICTURE.read_text() == house.picture(), "run: python -m tests.architecture.house"
