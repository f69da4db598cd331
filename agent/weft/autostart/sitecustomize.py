# ruff: noqa: INP001, PTH100, PTH120, PLC0415 - found by its folder, and as little imported as possible at every start
"""Starts the agent in a process begun by `weft run`: Python imports a module of this name at its start.

Whatever goes wrong here costs one line on stderr and never the program. A `sitecustomize` that the
environment had before is run first.
"""

import importlib.util
import os
import sys
from importlib.machinery import PathFinder

HERE = os.path.dirname(os.path.abspath(__file__))


def run_the_one_behind() -> None:
    """Execute the `sitecustomize` that this one hides, if there is one."""
    others = [path for path in sys.path if os.path.abspath(path or ".") != HERE]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def start_agent() -> None:
    """Make the default agent from the environment that `weft run` left."""
    try:
        from weft.default import autostart
    except ImportError as error:
        sys.stderr.write(f"weft: not started in {sys.executable}: {error}\n")
        return
    autostart()


run_the_one_behind()
start_agent()
