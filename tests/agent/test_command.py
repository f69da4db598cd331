import time

import pytest

import weft
from tests.agent.programs import python
from weft import command
from weft.command import MissingError, load, main


class Entry:
    def __init__(self, result):
        self._result = result

    def load(self):
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


@pytest.fixture
def installed(monkeypatch):
    """Chooses what announces itself in the entry point group."""

    def choose(*results):
        monkeypatch.setattr(command, "entry_points", lambda group: [Entry(result) for result in results])

    return choose


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"weft {weft.__version__}\n"


def test_the_version_is_that_of_the_distribution():
    import tomllib

    from tests.agent.programs import ROOT

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == weft.__version__


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"], []])
def test_help_without_the_collector(installed, capsys, arguments):
    installed()
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "weft run" in out
    assert 'pip install "weft[collector]"' in out


def test_help_with_the_collector_lists_everything(installed, capsys):
    installed(lambda words: print("Collector:", *words))
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "weft run" in out
    assert "Collector: --help" in out


def test_other_verbs_are_the_collectors(installed):
    seen = []
    installed(lambda words: seen.append(words) or 3)
    assert main(["serve", "--port", "1"]) == 3
    installed(seen.append)
    assert main(["graph"]) == 0
    assert seen == [["serve", "--port", "1"], ["graph"]]


def test_a_missing_library_is_named_with_the_line_that_installs_it(installed, capsys):
    installed(ModuleNotFoundError("No module named 'fastapi'", name="fastapi"))
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == 'weft serve needs the library fastapi: pip install "weft[collector]"\n'


def test_without_the_collector_its_verbs_say_what_to_install(installed, capsys):
    installed()
    assert main(["serve"]) == 2
    assert 'pip install "weft[collector]"' in capsys.readouterr().err
    with pytest.raises(MissingError):
        load("serve")


def test_run_explains_itself(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", "--help"])
    assert ended.value.code == 0
    assert "weft run --service cart -- uvicorn app:app" in capsys.readouterr().out


def test_the_process_own_arguments_are_used(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["weft", "--version"])
    assert main() == 0
    assert "weft" in capsys.readouterr().out


def test_help_is_quick():
    program = (
        "import time; t = time.process_time()\n"
        "from weft import command\n"
        "command.entry_points = lambda group: []\n"
        "command.main(['--help']); print(time.process_time() - t)\n"
    )
    begin = time.monotonic()
    assert min(float(python(program).stdout.split()[-1]) for _ in range(3)) < 0.150
    assert time.monotonic() > begin
