"""What a span says about an exception."""

import traceback

from weft.guard import guarded
from weft.values import UNREADABLE


def type_name(error: BaseException) -> str:
    """Return the name of the error's class with its module, as `error.type` wants it."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def stacktrace(error: BaseException) -> str:
    """Return the error's traceback as Python prints it, with its causes."""
    return _stacktrace(error) or UNREADABLE


@guarded
def _stacktrace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
