"""What users may import, and nothing else by accident."""

import importlib
import pkgutil

import pytest

import weft
import weft_collector
import weft_dashboard

AGENT = {"Agent", "WeftError", "asgi", "flush", "init", "shutdown", "__version__"}


def test_the_agent_exports_what_the_readme_shows():
    assert set(weft.__all__) >= AGENT
    assert all(getattr(weft, name) is not None for name in weft.__all__)
    assert sorted(weft.__all__) == list(weft.__all__)


def test_dir_lists_the_lazy_names():
    assert set(weft.__all__) <= set(dir(weft))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        weft.no_such_name  # noqa: B018


@pytest.mark.parametrize("package", [weft_collector, weft_dashboard])
def test_every_module_says_what_it_is_for(package):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if ".demo.services" in module.name or module.name.endswith("__main__"):
            continue  # programs
        doc = importlib.import_module(module.name).__doc__
        assert doc, module.name
        assert len(doc.split()) >= 4, module.name
