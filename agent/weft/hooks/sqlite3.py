"""Statements run by the standard library's sqlite3: one CLIENT span for each of the execute family.

`connect` is replaced by one that makes connections of a subclass, whose cursors are of a subclass too, so
`isinstance` holds for both. The recording class stands behind the host's own class in the order of methods:
what that overrides goes first. Statements themselves are not recorded, only their first word. Fetching rows
and commits are not calls.
"""

import functools
import os
import re
from collections.abc import Callable
from sqlite3 import Connection, Cursor
from types import ModuleType
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from opentelemetry.trace import SpanKind, StatusCode

from weft import __version__, context
from weft.core import Scope
from weft.failure import type_name
from weft.guard import guarded
from weft.provider import Recorded, parent_in, start
from weft.span import Span
from weft.values import text

SCOPE: Final = Scope("weft.sqlite3", __version__)
MEMORY: Final = ":memory:"
LOOKED_AT: Final = 512
"""Characters of a statement in which its first word is looked for."""
KEPT_CLASSES: Final = 64
_FIRST_WORD: Final = re.compile(r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*+([A-Za-z]{1,32})")


def apply(module: ModuleType) -> None:
    """Record the statements of every connection made from now on."""
    wrapped = _connect(module.connect)
    module.connect = module.dbapi2.connect = wrapped  # type: ignore[attr-defined]


def undo(module: ModuleType) -> None:
    """Let connections be plain again."""
    module.connect = module.dbapi2.connect = module.connect.__wrapped__  # type: ignore[attr-defined]


def _connect(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def connect(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 6 and isinstance(kwargs.get("factory", Connection), type):
            kwargs["factory"] = recorded_connection(kwargs.get("factory", Connection))
        return original(*args, **kwargs)

    return connect


@functools.lru_cache(KEPT_CLASSES)
def recorded_connection(base: type[Connection]) -> type[Connection]:
    """Return the subclass of a connection class whose cursors are recorded."""
    return _behind(base, Connection, RecordedConnection)


@functools.lru_cache(KEPT_CLASSES)
def recorded_cursor(base: type[Cursor]) -> type[Cursor]:
    """Return the subclass of a cursor class whose statements are recorded."""
    return _behind(base, Cursor, RecordedCursor)


def _behind(base: type[Any], plain: type[Any], recording: type[Any]) -> type[Any]:
    """Put `recording` between a host's class and the library's own one."""
    if issubclass(base, recording):
        return base
    return type(base.__name__, (recording,) if base is plain else (base, recording), {})


class RecordedConnection(Connection):
    """A connection whose cursors record their statements."""

    def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(database, *args, **kwargs)
        self.weft_namespace: str = namespace(database) or "unknown"

    def cursor(self, factory: Any = Cursor) -> Any:
        """Return a cursor; of a subclass of `factory` where that is a class."""
        return super().cursor(recorded_cursor(factory) if isinstance(factory, type) else factory)

    # Connection's own methods make a plain cursor inside C; documented is that they do this:

    def execute(self, *args: Any) -> Any:
        """Run a statement with a new cursor."""
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Any:
        """Run a statement several times with a new cursor."""
        return self.cursor().executemany(*args)

    def executescript(self, *args: Any) -> Any:
        """Run several statements with a new cursor."""
        return self.cursor().executescript(*args)


def _recorded(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def run(cursor: Cursor, sql: str, *args: Any) -> Any:
        span = begin(cursor, sql)
        try:
            result = method(cursor, sql, *args)
        except BaseException as error:
            end(span, error)
            raise
        end(span, None)
        return result

    return run


class RecordedCursor(Cursor):
    """A cursor that records its statements."""

    execute = _recorded(Cursor.execute)
    executemany = _recorded(Cursor.executemany)
    executescript = _recorded(Cursor.executescript)


@guarded
def begin(cursor: Cursor, sql: str) -> Recorded | None:
    """Start the span of a statement; None if it is not to be recorded."""
    around = context.current()
    core = context.active_core(around)
    if core is None or context.suppressed(around):
        return None
    operation = first_word(sql)
    database = cast("str", getattr(cursor.connection, "weft_namespace", "unknown"))
    span = start(core, SCOPE, f"{operation} {database}".strip(), SpanKind.CLIENT, parent_in(around))
    if type(span) is Span:
        found = {"db.system.name": "sqlite", "db.namespace": database}
        span.fill({**found, "db.operation.name": operation} if operation else found)
    return span


@guarded
def end(span: Recorded | None, error: BaseException | None) -> None:
    """End the span of a statement."""
    if span is None:
        return
    if error is not None:
        span.set_attribute("error.type", type_name(error))
        span.set_status(StatusCode.ERROR, type(error).__name__)
        span.record_exception(error)
    span.end()


@guarded
def namespace(database: Any) -> str:
    """Return the name of a database: its file's base name, or `:memory:`."""
    path = text(os.fsdecode(database), 4096)
    if path.startswith("file:"):
        parts = urlsplit(path)
        path = MEMORY if "mode=memory" in parts.query else unquote(parts.path)
    return os.path.basename(path) or MEMORY  # noqa: PTH119 - pathlib costs import time


def first_word(sql: str) -> str:
    """Return a statement's first word in capitals, behind blanks and comments; empty if there is none."""
    match = _FIRST_WORD.match(sql[:LOOKED_AT])
    return match.group(1).upper() if match else ""
