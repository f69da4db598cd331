"""The errors of the agent.

    WeftError
    ├── SettingError     an argument of `weft.init` or `weft.Agent` that cannot be used (also a ValueError)
    └── CommandError     `weft run` was asked for something that it cannot start

They are raised at start-up only, to the one who wrote the wrong value. A running service never sees an
exception of the agent: what fails inside a hook is counted by `weft.guard`.
"""


class WeftError(Exception):
    """Root of the agent's errors; its text says what was wrong and what to do."""


class SettingError(WeftError, ValueError):
    """A setting has a value that cannot be used."""


class CommandError(WeftError):
    """The command line cannot be carried out."""
