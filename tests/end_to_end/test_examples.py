"""The programs of `examples/`, run as their README files say."""

import re
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.weft_command import calls, collector, free_port, python, running, weft
from tests.waiting import wait_until
from weft_collector.demo.addresses import is_free

pytestmark = pytest.mark.timeout(300)  # a first start compiles the collector's kernels

EXAMPLES = Path(__file__).parents[2] / "examples"
QUICKSTART = EXAMPLES / "quickstart"
PROGRAM = EXAMPLES / "stock_opentelemetry/program.py"
USUAL_PORT = 4318


@pytest.fixture(scope="module")
def on_usual_port():
    """Whether this machine lets us have port 4318, so that programs need no settings."""
    return is_free(USUAL_PORT)


@pytest.fixture(scope="module")
def url(tmp_path_factory, on_usual_port):
    port = USUAL_PORT if on_usual_port else free_port()
    with collector(tmp_path_factory.mktemp("collector"), port) as address:
        yield address


def test_an_unmodified_opentelemetry_program_appears_without_settings(url, on_usual_port, tmp_path):
    settings = {}
    if not on_usual_port:
        print(f"port {USUAL_PORT} is taken by somebody else: OTEL_EXPORTER_OTLP_ENDPOINT={url} is set")
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": url}
    with running(python(PROGRAM), tmp_path, **settings) as program:
        assert program.end() == 0, program.output
    wait_until(lambda: "service:orders->service:billing" in calls(url))
    shown = {edge: n for edge, n in calls(url).items() if "orders" in edge or "billing" in edge}
    assert shown == {"client:->service:orders": 3, "service:orders->service:billing": 3}


def test_the_program_is_unmodified():
    assert not re.search(r"^ *(import|from) +weft|environ|endpoint", PROGRAM.read_text(), re.MULTILINE)


def uvicorn(app, port):
    return python("-m", "uvicorn", app, "--app-dir", QUICKSTART, "--port", port)


def test_the_quickstart_shows_its_two_services(url, tmp_path):
    front, back = free_port(), free_port()
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "BACK": f"http://127.0.0.1:{back}"}
    zero_code = weft("run", "--service", "back", "--", *map(str, uvicorn("back:app", back)))
    with (
        running(zero_code, tmp_path, **settings) as one,
        running(uvicorn("front:app", front), tmp_path, **settings) as two,
    ):
        one.await_output("Uvicorn running")
        two.await_output("Uvicorn running")
        answer = httpx.get(f"http://127.0.0.1:{front}/", params={"name": "you"})
        assert answer.json() == {"text": "Hello, you!"}
        wait_until(lambda: calls(url).get("service:front->service:back"))
    shown = {edge: n for edge, n in calls(url).items() if "front" in edge or "back" in edge}
    assert shown == {"client:->service:front": 1, "service:front->service:back": 1}


def test_the_readme_shows_what_the_program_does():
    lines = re.search(r"```python\n(.*?)```", (QUICKSTART / "README.md").read_text(), re.DOTALL)[1]
    program = (QUICKSTART / "front.py").read_text().splitlines()
    assert all(line in program for line in lines.splitlines())


def test_the_readmes_commands_exist():
    text = "".join(path.read_text() for path in EXAMPLES.rglob("README.md"))
    assert {line.split()[1] for line in re.findall(r"^\$ (weft .*)$", text, re.MULTILINE)} == {
        "serve",
        "run",
        "graph",
    }
