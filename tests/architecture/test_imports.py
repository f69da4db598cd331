"""The import contracts of pyproject.toml hold, and break when something forbidden slips in."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    )
    paths = ":".join(str(root / name) for name in ("agent", "collector", "dashboard"))
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--config", str(root / "pyproject.toml")],
        cwd=root, env={"PYTHONPATH": paths, "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_contracts_hold():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_heavy_import_in_the_agent_breaks_a_contract(tmp_path):
    for name in ("agent", "collector", "dashboard", "pyproject.toml"):
        source = ROOT / name
        ignore = shutil.ignore_patterns("static", "__pycache__")
        shutil.copytree(source, tmp_path / name, ignore=ignore) if source.is_dir() else shutil.copy(
            source, tmp_path
        )
    with (tmp_path / "agent/weft/span.py").open("a") as module:
        module.write("\nimport networkx\nimport weft_collector.errors\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert result.stdout.count("BROKEN") >= 2
