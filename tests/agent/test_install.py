import importlib
import sys
import threading
from types import ModuleType

import pytest

from tests.agent.programs import python
from weft.hooks import install


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library `hookable` on the path, and a hook for it."""
    (tmp_path / "hookable.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    hook = ModuleType("hook_of_hookable")
    hook.apply = lambda module: setattr(module, "value", module.value + 1)
    hook.undo = lambda module: setattr(module, "value", module.value - 1)
    monkeypatch.setitem(sys.modules, "hook_of_hookable", hook)
    monkeypatch.setattr(install, "HOOKS", {"lib": ("hookable", "hook_of_hookable")})
    yield hook
    install.remove()
    sys.modules.pop("hookable", None)


def load():
    return importlib.import_module("hookable")


def test_a_library_is_hooked_when_it_is_imported(library):
    install.install(["lib"])
    assert "hookable" not in sys.modules
    module = load()
    assert module.value == 2
    install.remove()
    assert module.value == 1
    assert install._finder not in sys.meta_path


def test_a_library_that_is_there_is_hooked_at_once(library):
    module = load()
    install.install(["lib"])
    assert module.value == 2


def test_it_is_hooked_once(library):
    install.install(["lib"])
    install.install(["lib"])
    module = load()
    install.install(["lib"])
    importlib.reload(module)
    assert module.value == 1  # executed anew, and the hook is in force already
    assert list(install._applied) == ["hookable"]


def test_looking_for_a_library_is_not_importing_it(library):
    import importlib.util

    install.install(["lib"])
    assert importlib.util.find_spec("hookable")
    assert install._applied == {}
    assert load().value == 2


def test_a_library_that_is_not_installed_stays_so(library, monkeypatch):
    monkeypatch.setattr(install, "HOOKS", {"lib": ("not_there_at_all", "hook_of_hookable")})
    install.install(["lib"])
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("not_there_at_all")


def test_a_hook_that_breaks_leaves_the_import_alone(library):
    library.apply = lambda module: 1 / 0
    install.install(["lib"])
    assert load().value == 1
    assert install._applied == {}


def test_a_library_that_breaks_raises_its_own_error_and_can_be_imported_again(library, tmp_path):
    source = tmp_path / "hookable.py"
    source.write_text("raise ValueError('theirs')\n")
    install.install(["lib"])
    with pytest.raises(ValueError, match="theirs"):
        load()
    source.write_text("value = 10  # mended\n")
    importlib.invalidate_caches()
    assert load().value == 11


def test_threads_that_import_at_once_get_it_hooked_once(library):
    install.install(["lib"])
    values = []
    threads = [threading.Thread(target=lambda: values.append(load().value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [2] * 8


def test_an_unknown_name_is_logged(caplog):
    install.install(["telepathy"])
    assert "telepathy" in caplog.text


def test_nothing_is_imported_that_the_service_does_not_import():
    program = (
        "import sys, weft; weft.init(service='a')\n"
        "print(sorted({'httpx', 'sqlite3', 'uvicorn'} & set(sys.modules)))"
    )
    assert python(program).stdout.strip() == "[]"


def test_real_libraries_in_either_order():
    program = (
        "import sys, weft\n{before}\nweft.init(service='a')\n"
        "import httpx, sqlite3, uvicorn\n"
        "from weft.hooks import install\n"
        "print(sorted(install._applied), hasattr(httpx.HTTPTransport.handle_request, '__wrapped__'))\n"
    )
    for before in ("", "import httpx, sqlite3, uvicorn"):
        result = python(program.format(before=before))
        assert result.stdout.strip() == "['httpx', 'sqlite3', 'uvicorn.server'] True", result.stderr
