import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.agent.programs import environment
from tests.waiting import wait_until
from weft import run
from weft.errors import CommandError

WEFT = [sys.executable, "-c", "from weft.command import main; raise SystemExit(main())"]

APP = """
import httpx
from fastapi import FastAPI
app = FastAPI()

@app.get("/outer/{n}")
async def outer(n: int, port: int):
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}/inner")).json()

@app.get("/inner")
async def inner():
    return 1
"""


def weft(*arguments, cwd, **variables) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WEFT, *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd, timeout=60, env=environment(**variables),
    )  # fmt: skip


@contextlib.contextmanager
def serving(*command, cwd, log: Path, **variables):
    """A server in a process of its own; yields its port, ends it by SIGTERM."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [*map(str, command)], stdout=out, stderr=out, cwd=cwd, env=environment(**variables)
        )
        try:
            yield int(
                wait_until(lambda: re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text())).group(
                    1
                )
            )
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        finally:
            process.kill()
            process.wait()


def tree(collector) -> list[tuple[str, str, str]]:
    """(service, name, name of the parent) of each span."""
    names = {span.span_id: span.name for _, span in collector.spans}
    return sorted(
        (resource["service.name"], span.name, names.get(span.parent_span_id, "-"))
        for resource, span in collector.spans
    )


EXPECTED = [("shop", "GET", "GET /outer/{n}"), ("shop", "GET /inner", "GET"), ("shop", "GET /outer/{n}", "-")]


def test_uvicorn_without_a_change_to_the_code(tmp_path, collector):
    (tmp_path / "shop.py").write_text(APP)
    command = [*WEFT, "run", "--service", "shop", "--collector", collector.url, "--"]
    with serving(*command, "uvicorn", "shop:app", "--port", 0, cwd=tmp_path, log=tmp_path / "log") as port:
        assert httpx.get(f"http://127.0.0.1:{port}/outer/1?port={port}").json() == 1
    assert tree(collector) == EXPECTED, (
        tmp_path / "log"
    ).read_text()  # sent when SIGTERM came, if not before


def test_uvicorn_with_init_in_the_applications_module(tmp_path, collector):
    (tmp_path / "shop.py").write_text(
        f"import weft\nweft.init(service='shop', collector='{collector.url}')\n{APP}"
    )
    command = [sys.executable, "-m", "uvicorn", "shop:app", "--port", 0]
    with serving(*command, cwd=tmp_path, log=tmp_path / "log") as port:
        httpx.get(f"http://127.0.0.1:{port}/outer/1?port={port}")
    assert tree(collector) == EXPECTED, (tmp_path / "log").read_text()


def test_uvicorn_with_an_application_that_is_wrapped_already(tmp_path, collector):
    (tmp_path / "shop.py").write_text(
        f"import weft\nagent = weft.Agent(service='shop', collector='{collector.url}')\n"
        f"{APP}\napp = agent.asgi(app)\n"
    )
    command = [
        *WEFT,
        "run",
        "--service",
        "other",
        "--collector",
        collector.url,
        "--",
        sys.executable,
        "-m",
        "uvicorn",
    ]
    with serving(*command, "shop:app", "--port", 0, cwd=tmp_path, log=tmp_path / "log") as port:
        httpx.get(f"http://127.0.0.1:{port}/outer/1?port={port}")
    assert tree(collector) == EXPECTED, (tmp_path / "log").read_text()


def test_a_script(tmp_path, collector):
    (tmp_path / "orders.py").write_text(
        "import sqlite3, sys\n"
        "from opentelemetry import trace\n"
        "assert sys.argv == ['orders.py', '--flag', 'x']\n"
        "with trace.get_tracer('t').start_as_current_span('batch'):\n"
        "    sqlite3.connect('orders.db').execute('select 1')\n"
    )
    result = weft(
        "run", "--collector", collector.url, "--", sys.executable, "orders.py", "--flag", "x", cwd=tmp_path
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert tree(collector) == [("orders", "SELECT orders.db", "batch"), ("orders", "batch", "-")]


def test_a_package(tmp_path, collector):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/__main__.py").write_text(
        "import sqlite3; sqlite3.connect(':memory:').execute('select 1')"
    )
    result = weft("run", "--collector", collector.url, "--", sys.executable, "-m", "jobs", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert tree(collector) == [("jobs", "SELECT :memory:", "-")]


def test_the_name_in_the_code_wins(tmp_path, collector):
    (tmp_path / "x.py").write_text(
        "import weft, sqlite3; weft.init(service='cart'); sqlite3.connect(':memory:').execute('select 1')"
    )
    weft("run", "--service", "x", "--collector", collector.url, "--", sys.executable, "x.py", cwd=tmp_path)
    assert tree(collector) == [("cart", "SELECT :memory:", "-")]


def test_a_sitecustomize_that_was_there_is_run_too(tmp_path, collector):
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.theirs = 'was run'")
    result = weft(
        "run",
        "--collector",
        collector.url,
        "--",
        sys.executable,
        "-c",
        "print(theirs)",
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path),
    )
    assert (result.stdout, result.stderr) == ("was run\n", "")


def test_exit_codes_pass_through(tmp_path):
    assert weft("run", "--", sys.executable, "-c", "raise SystemExit(7)", cwd=tmp_path).returncode == 7


def test_a_python_without_the_agent_goes_on_with_one_line(tmp_path):
    result = subprocess.run(
        [sys.executable, "-S", str(Path(run.FOLDER) / "sitecustomize.py")],
        capture_output=True, text=True, check=False, env={"PATH": os.defpath}, cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0
    assert "weft: not started" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_program_that_is_no_python_is_started_as_it_is(tmp_path):
    assert weft("run", "--", "echo", "hello", cwd=tmp_path).stdout == "hello\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "weft run needs a command"),
        (["--"], "weft run needs a command"),
        (["--", "no-such-program-here"], "no-such-program-here: command not found"),
        (["--collector", "localhost", "--", "echo"], "expected http://host:port"),
    ],
)
def test_what_cannot_be_started_is_told_in_a_line(tmp_path, arguments, message):
    result = weft("run", *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_environment():
    made = run.environment({"PYTHONPATH": "/theirs", "HOME": "/h"}, "cart", "http://c:1", ["python"])
    assert made["PYTHONPATH"] == run.FOLDER + os.pathsep + "/theirs"
    assert made["WEFT_SERVICE"] == "cart"
    assert made["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == "http://c:1/v1/traces"
    assert made["HOME"] == "/h"
    assert "WEFT_COLLECTOR" not in made


@pytest.mark.parametrize(
    "given",
    [{"OTEL_SERVICE_NAME": "a"}, {"WEFT_SERVICE": "a"}, {"OTEL_RESOURCE_ATTRIBUTES": "service.name=a"}],
)
def test_a_name_of_the_environment_is_kept(given):
    assert run.environment(given, None, None, ["python"]).get("WEFT_SERVICE") == given.get("WEFT_SERVICE")
    assert run.environment(given, "cart", None, ["python"])["WEFT_SERVICE"] == "cart"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("uvicorn shop.cart:app --port 8000", "cart"),
        ("gunicorn -w 4 shop:create_app() -b 127.0.0.1:80", "shop"),
        ("python -m uvicorn shop:app", "shop"),
        ("python app.py", "app"),
        ("/usr/bin/python3.12 -X dev -u /srv/shop/main.py --name x", "main"),
        ("python -m shop.worker", "shop.worker"),
        ("python -c pass", "python"),
        ("python", "python"),
        ("celery worker", "celery"),
    ],
)
def test_a_command_suggests_a_name(command, name):
    assert run.name_of(command.split()) == name


def test_a_program_that_cannot_be_executed(tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(CommandError, match="No such file"):
        run.run(None, None, [str(broken)])
