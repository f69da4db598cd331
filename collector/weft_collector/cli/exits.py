"""Exit codes, and the errors that carry them.

0   done
1   failed: what was wrong is on standard error
2   called wrongly, or a library is missing
3   no collector answers
130 ended by Ctrl-C

CollectorError
|-- NotReachable       no collector answers at the address            3
|-- CollectorRefused   the collector answered, but not with what was asked for   1
|-- CannotRead         a file cannot be read, or is not what it should be   1
|-- PortTaken          another process listens there                  1
`-- CannotWrite        the file or the terminal does not take the output   1
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from weft_collector.config import BadSetting
from weft_collector.errors import CollectorError, MissingLibrary

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "NOT_REACHABLE",
    "OK",
    "USAGE",
    "CannotRead",
    "CannotWrite",
    "CollectorRefused",
    "NotReachable",
    "PortTaken",
    "exit_code",
]

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_REACHABLE: Final = 3
INTERRUPTED: Final = 130


class NotReachable(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """No collector answers at an address."""

    title: ClassVar[str] = "No collector answers"


class CollectorRefused(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """The collector answered with a problem."""

    title: ClassVar[str] = "The collector refused"


class PortTaken(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """Another process listens at the address."""

    title: ClassVar[str] = "The port is taken"


class CannotRead(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """A file cannot be read, or is not what it should be."""

    title: ClassVar[str] = "The file cannot be imported"


class CannotWrite(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """The output cannot go where it was to go."""

    title: ClassVar[str] = "The output cannot be written"


_CODES: Final[Mapping[type[CollectorError], int]] = MappingProxyType(
    {NotReachable: NOT_REACHABLE, MissingLibrary: USAGE, BadSetting: USAGE}
)


def exit_code(error: CollectorError) -> int:
    """The code with which a command ends that raised an error."""
    return _CODES.get(type(error), FAILED)
