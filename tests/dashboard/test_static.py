import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import weft_dashboard
from weft_dashboard import static_dir

STATIC = static_dir()
VENDOR = STATIC / "vendor"
MANIFEST = json.loads((VENDOR / "MANIFEST.json").read_text())["files"]
OWN = sorted(path for path in STATIC.rglob("*") if path.is_file() and VENDOR not in path.parents)
MODULES = [path for path in OWN if path.suffix == ".js"]
STYLES = [path for path in OWN if path.suffix == ".css"]
SHELL_BUDGET = 150_000
# Names of vocabularies, never fetched.
NAMESPACES = (
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1999/xhtml",
    "http://www.w3.org/1998/Math/MathML",
)
SENT = {".js", ".css", ".html", ".svg"}


def name(path: Path) -> str:
    return str(path.relative_to(STATIC))


def test_the_package_exports_its_folder_and_nothing_else():
    assert weft_dashboard.__all__ == ["static_dir"]
    assert (static_dir() / "index.html").is_file()


@pytest.mark.parametrize("row", MANIFEST, ids=lambda row: row["file"])
def test_a_vendored_file_is_the_one_in_the_manifest(row):
    assert hashlib.sha256((VENDOR / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    assert row["version"]
    assert row["licence"] in {"MIT", "Apache-2.0"}
    assert (VENDOR / row["licence_file"]).read_text().strip()


@pytest.mark.parametrize("row", [row for row in MANIFEST if not row["changes"]], ids=lambda row: row["file"])
def test_a_vendored_file_without_changes_is_as_published(row):
    assert row["sha256"] == row["source_sha256"]


def test_nothing_is_vendored_without_a_line_in_the_manifest():
    listed = {row[key] for row in MANIFEST for key in ("file", "licence_file")} | {"MANIFEST.json"}
    assert {path.name for path in VENDOR.iterdir()} == listed


def test_the_page_stays_within_its_budget():
    sent = [path for path in STATIC.rglob("*") if path.suffix in SENT]
    assert sum(path.stat().st_size for path in sent) < SHELL_BUDGET


@pytest.mark.parametrize("path", MODULES + STYLES, ids=name)
def test_a_module_is_short(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", [p for p in STATIC.rglob("*") if p.suffix in SENT], ids=name)
def test_no_file_names_an_address_outside(path):
    text = path.read_text()
    for namespace in NAMESPACES:
        text = text.replace(namespace, "")
    assert not re.findall(r"(?:https?|wss?):\/\/|[\"'(]\/\/\w", text)


IMPORT = re.compile(r"""(?m)(?:^|[;}])(?:import|export)\b[^;"'()=]*?\bfrom\s*["']([^"']+)["']""")


def imports(path: Path) -> list[str]:
    return IMPORT.findall(path.read_text())


@pytest.mark.parametrize("path", [path for path in STATIC.rglob("*.js") if imports(path)], ids=name)
def test_every_import_is_a_relative_path_to_a_file(path):
    for target in imports(path):
        assert target.startswith("."), target
        assert (path.parent / target).is_file(), target


def test_every_module_is_reached_from_the_page():
    reached, waiting = set(), [STATIC / "app.js", STATIC / "theme.js"]
    while waiting:
        path = waiting.pop().resolve()
        if path not in reached:
            reached.add(path)
            waiting += [path.parent / target for target in imports(path)]
    assert reached == {path.resolve() for path in STATIC.rglob("*.js")}


def test_every_module_is_asked_for_at_once():
    html = (STATIC / "index.html").read_text()
    named = re.findall(r'<(?:link rel="modulepreload" href|script src)="([^"]+)"', html)
    assert sorted(named) == sorted(name(path) for path in STATIC.rglob("*.js"))


def test_nothing_turns_text_into_markup_or_code():
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|setTimeout\(['\"]"
    )
    assert [name(path) for path in MODULES if forbidden.search(path.read_text())] == []


def test_no_colour_and_no_style_outside_the_style_sheets():
    inline = re.compile(r"\bstyle=|\.style\b|(?<![\w&\[])#[0-9a-fA-F]{3,8}\b(?!\w)|\brgba?\(")
    assert [name(path) for path in MODULES if inline.search(path.read_text())] == []


def test_colours_are_named_once():
    colour = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\(")
    assert [
        name(path) for path in STYLES if path.name != "tokens.css" and colour.search(path.read_text())
    ] == []


class _Inline(HTMLParser):
    """What a strict Content-Security-Policy would block in index.html."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(tag)
        self.found += [key for key in given if key == "style" or key.startswith("on")]
        self.addresses += [given[key] or "" for key in ("src", "href") if key in given]


def test_the_page_has_nothing_inline_and_only_addresses_relative_to_itself():
    page = _Inline()
    page.feed((STATIC / "index.html").read_text())
    assert page.found == []
    assert page.addresses
    assert [address for address in page.addresses if not (STATIC / address).is_file()] == []


def test_every_style_sheet_is_on_the_page():
    text = (STATIC / "index.html").read_text()
    assert [name(path) for path in STYLES if name(path) not in text] == []


PAIR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
COLOURS = {
    key: (light, dark) for key, light, dark in PAIR.findall((STATIC / "styles/tokens.css").read_text())
}


def luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "surface", "raised", "sunken", "accent-soft"])
@pytest.mark.parametrize("text", ["ink", "muted", "degraded-text", "failing-text"])
def test_text_can_be_read_on_every_ground(text, ground, theme):
    assert contrast(COLOURS[text][theme], COLOURS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("line", ["healthy", "degraded", "failing", "accent", "alive", "control-line"])
def test_lines_that_mean_something_can_be_seen(line, theme):
    assert contrast(COLOURS[line][theme], COLOURS["ground"][theme]) >= 3.0
