"""`weft run`: starts a Python program with the agent in it and no change to its code.

The command is executed in place of this process, with a folder in front of PYTHONPATH that holds a
`sitecustomize` module, which every Python process imports at its start. Settings travel by the environment,
so worker processes of servers get them as well.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from weft.errors import CommandError, SettingError
from weft.settings import read, traces_url

FOLDER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "autostart")  # noqa: PTH100, PTH118, PTH120 - pathlib costs start-up time
BESIDE: Final = os.path.dirname(sys.executable)  # noqa: PTH120
"""Where the commands of this Python's environment are, should it not be activated."""
NAMED_BY: Final = ("WEFT_SERVICE", "OTEL_SERVICE_NAME")
_APPLICATION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?")
"""What servers call an application: `shop.cart:app`."""
_OPTIONS_WITH_VALUE: Final = {"-W", "-X", "-c"}


def run(service: str | None, collector: str | None, command: Sequence[str]) -> int:
    """Replace this process by `command` with the agent in it; returns only by an exception.

    Raises:
        CommandError: there is no command, or it cannot be started.
    """
    if not command:
        raise CommandError("weft run needs a command: weft run --service cart -- uvicorn app:app")
    program = shutil.which(command[0]) or shutil.which(command[0], path=BESIDE)
    if program is None:
        raise CommandError(f"weft run: {command[0]}: command not found")
    sys.stdout.flush()
    try:
        os.execve(program, list(command), environment(os.environ, service, collector, command))  # noqa: S606 - what the user asked for
    except OSError as error:
        raise CommandError(f"weft run: {command[0]}: {error.strerror}") from error


def environment(
    given: Mapping[str, str], service: str | None, collector: str | None, command: Sequence[str]
) -> dict[str, str]:
    """Return the environment that starts the agent in `command`.

    Raises:
        CommandError: the collector's address cannot be used.
    """
    made = dict(given)
    made["PYTHONPATH"] = os.pathsep.join(filter(None, (FOLDER, given.get("PYTHONPATH"))))
    named = any(given.get(name) for name in NAMED_BY) or "service.name=" in given.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    if service or not named:
        made["WEFT_SERVICE"] = service or name_of(command)
    if collector:
        made["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = _checked(collector)
    return made


def _checked(collector: str) -> str:
    try:
        read({}, {"collector": collector})
    except SettingError as error:
        raise CommandError(f"weft run: {error}") from error
    return traces_url(collector)


def name_of(command: Sequence[str]) -> str:
    """Return the name that a command suggests: of the application's module, the script, the program."""
    application = next((word for word in command[1:] if _APPLICATION.fullmatch(word)), None)
    if application is not None:
        return application.partition(":")[0].rpartition(".")[2]
    program = _stem(command[0])
    return (_name_of_python(command[1:]) if program.startswith("python") else None) or program


def _name_of_python(arguments: Sequence[str]) -> str | None:
    words = iter(arguments)
    for word in words:
        if word == "-m":
            return next(words, None)
        if word in _OPTIONS_WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return _stem(word)
    return None


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]  # noqa: PTH119, PTH122 - pathlib costs start-up time
