"""What can go wrong while the demo runs; part of the collector's error tree.

CollectorError
`-- DemoFailed         the demo cannot go on; the message says which part and why
    |-- ProcessDied    a process ended that should run
    `-- TooSlow        something did not happen in time
"""

from typing import ClassVar

from weft_collector.errors import CollectorError


class DemoFailed(CollectorError):  # noqa: N818 - reads as what happened, as all of this tree
    """The demo cannot go on."""

    title: ClassVar[str] = "The demo failed"


class ProcessDied(DemoFailed):
    """A process of the demo ended by itself; the message holds the end of its output."""

    title: ClassVar[str] = "A process of the demo died"


class TooSlow(DemoFailed):
    """A process did not get ready, or the graph did not fill, in time."""

    title: ClassVar[str] = "The demo took too long"
