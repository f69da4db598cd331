"""The built wheel holds what users need, and only that."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return archive.namelist()


@pytest.mark.parametrize(
    "file",
    [
        "weft/__init__.py",
        "weft/py.typed",
        "weft_collector/py.typed",
        "weft_collector/cli/serve.py",
        "weft_dashboard/py.typed",
        "weft_dashboard/static/index.html",
        "weft_dashboard/static/vendor/MANIFEST.json",
    ],
)
def test_the_wheel_holds(wheel, file):
    assert file in wheel


def test_the_wheel_holds_the_three_packages_only(wheel):
    tops = {name.partition("/")[0] for name in wheel}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"weft", "weft_collector", "weft_dashboard"}
