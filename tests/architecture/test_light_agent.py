"""The agent alone: what `pip install weft` brings, and what `import weft` loads."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
HEAVY = {
    "numpy",
    "numba",
    "networkx",
    "fastapi",
    "uvicorn",
    "starlette",
    "click",
    "rich",
    "pyarrow",
    "matplotlib",
}


def closure(name: str, found: set[str]) -> set[str]:
    """The distribution `name` and all that it needs without extras."""
    if name not in found:
        found.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                closure(requirement.name, found)
    return found


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """A folder that holds the agent and its base dependencies, as a bare install would."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "weft").symlink_to(ROOT / "agent/weft")
    for name in closure("weft", set()) - {"weft"}:
        for file in metadata.files(name) or ():
            top = file.parts[0]
            source = Path(str(metadata.distribution(name).locate_file(top)))
            shared_namespace = top == "opentelemetry"
            if top not in {"..", "__pycache__"} and not shared_namespace and not (folder / top).exists():
                (folder / top).symlink_to(source)
            elif shared_namespace:
                target = folder.joinpath(*file.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    target.symlink_to(Path(str(metadata.distribution(name).locate_file(file))))
    return folder


def python(bare: Path, program: str) -> str:
    """Run `program` with nothing but the bare folder and the standard library on the path."""
    command = [sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(bare)!r})\n{program}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.defpath})
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_base_install_is_small():
    names = closure("weft", set())
    assert not names & {*HEAVY, "opentelemetry-sdk", "protobuf"}
    assert len(names) <= 12


def test_import_weft_loads_nothing_of_the_collector_and_nothing_heavy(bare):
    loaded = set(python(bare, "import weft; print(*sys.modules)").split())
    tops = {name.partition(".")[0] for name in loaded}
    assert "weft" in tops
    assert not tops & {*HEAVY, "weft_collector", "weft_dashboard", "httpx", "asyncio"}
    assert "opentelemetry.sdk" not in loaded


def test_the_bare_agent_records_a_span(bare):
    program = """
import weft
from opentelemetry import trace
agent = weft.init(service="bare", collector="http://127.0.0.1:9")
with trace.get_tracer("test").start_as_current_span("work") as span:
    print(span.get_span_context().is_valid)
weft.shutdown()
"""
    assert python(bare, program).strip() == "True"


def test_a_collector_command_says_what_to_install(bare):
    program = "import weft.command; sys.argv = ['weft', 'serve']; sys.exit(weft.command.main())"
    command = [sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(bare)!r})\n{program}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "weft[collector]" in result.stderr
