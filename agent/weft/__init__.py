"""Weft's agent: records the calls that a service makes and receives.

`import weft` loads nothing but this file; each public name brings its module when it is first used.
"""

TYPE_CHECKING = False  # what type checkers take for typing's own; importing typing costs 8 ms
if TYPE_CHECKING:
    from weft import errors as errors
    from weft.agent import Agent as Agent
    from weft.default import asgi as asgi
    from weft.default import flush as flush
    from weft.default import init as init
    from weft.default import shutdown as shutdown
    from weft.errors import WeftError as WeftError

__version__ = "0.1.0"

__all__ = ["Agent", "WeftError", "__version__", "asgi", "errors", "flush", "init", "shutdown"]

_HOMES = {
    "Agent": "weft.agent",
    "WeftError": "weft.errors",
    "asgi": "weft.default",
    "errors": "weft.errors",
    "flush": "weft.default",
    "init": "weft.default",
    "shutdown": "weft.default",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'weft' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 (a bare `import weft` needs no import machinery)

    module = import_module(_HOMES[name])
    return module if name == "errors" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
