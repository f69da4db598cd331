# ruff: noqa: N818 - the names are those of the situations; `except NotFound` reads better without a suffix
"""Every error that the collector raises on purpose.

    CollectorError              what was wrong, where, and what to do
    |-- RefusedBody             the sender's fault: the same body will be refused again
    |   |-- MalformedBody               400
    |   |-- BodyTooLarge                413
    |   |-- UnsupportedEncoding         415, content-encoding
    |   `-- UnsupportedContentType      415, content-type
    |-- Unavailable             nobody's fault: send it again later   503
    |   |-- IntakeFull                  too many bytes in flight
    |   |-- StorageFailed               the disk is full or refuses
    |   `-- NotReady                    starting or stopping
    |-- BadQuery                a window, an id or a format that cannot be read   400
    |-- QueryTooCostly          its time or memory was used up                     422
    |-- CallerGone              nobody waits for the answer any more                 499
    |-- NotFound                no such trace, node, edge or record               404
    |-- CorruptLog              the bytes at a position are not what was written  500
    |-- FolderInUse             another process holds the data folder
    `-- MissingLibrary          an optional library is not installed              501

`title` is a short name of the class of error and `status` the HTTP status that the API answers with;
`str(error)` says what was wrong in this case. Errors of the operating system and of libraries are mapped here
with their cause attached.
"""

from typing import ClassVar

__all__ = [
    "BadQuery",
    "BodyTooLarge",
    "CallerGone",
    "CollectorError",
    "CorruptLog",
    "FolderInUse",
    "IntakeFull",
    "MalformedBody",
    "MissingLibrary",
    "NotFound",
    "NotReady",
    "QueryTooCostly",
    "RefusedBody",
    "StorageFailed",
    "Unavailable",
    "UnsupportedContentType",
    "UnsupportedEncoding",
]


class CollectorError(Exception):
    """Root of the tree; `str(error)` says what was wrong and what to do."""

    title: ClassVar[str] = "The collector failed"
    status: ClassVar[int] = 500


class RefusedBody(CollectorError):
    """A body that will be refused again however often it is sent."""

    title: ClassVar[str] = "The body was refused"
    status: ClassVar[int] = 400


class MalformedBody(RefusedBody):
    """Bytes that are not what they claim to be.

    Attributes:
        position: Offset in bytes of the first wrong byte in the inflated body, or None where it is unknown.
    """

    title: ClassVar[str] = "The body is malformed"

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class BodyTooLarge(RefusedBody):
    """More bytes than the limit, as sent or inflated."""

    title: ClassVar[str] = "The body is too large"
    status: ClassVar[int] = 413


class UnsupportedEncoding(RefusedBody):
    """A content-encoding that the collector does not know."""

    title: ClassVar[str] = "The content-encoding is not supported"
    status: ClassVar[int] = 415


class UnsupportedContentType(RefusedBody):
    """A content-type that the path does not take."""

    title: ClassVar[str] = "The content-type is not supported"
    status: ClassVar[int] = 415


class Unavailable(CollectorError):
    """The collector cannot take the body now; the sender keeps it and tries again.

    Attributes:
        retry_after: Seconds to wait before the next attempt, for the header of the same name.
    """

    title: ClassVar[str] = "The collector cannot take this now"
    status: ClassVar[int] = 503

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class IntakeFull(Unavailable):
    """Too many bytes wait for the disk."""

    title: ClassVar[str] = "The intake is full"


class StorageFailed(Unavailable):
    """The log could not be written or synced; nothing of the group counts as accepted."""

    title: ClassVar[str] = "The storage failed"


class NotReady(Unavailable):
    """The collector is starting, stopping or stopped."""

    title: ClassVar[str] = "The collector is not ready"


class BadQuery(CollectorError):
    """A window, an id, a format or a number that cannot be read or is out of range."""

    title: ClassVar[str] = "The query cannot be read"
    status: ClassVar[int] = 400


class QueryTooCostly(CollectorError):
    """A query that used up its time or memory, and was ended."""

    title: ClassVar[str] = "The query was ended"
    status: ClassVar[int] = 422


class CallerGone(CollectorError):
    """Nobody waits for the answer any more: what makes it ends at once."""

    title: ClassVar[str] = "The caller has gone"
    status: ClassVar[int] = 499


class NotFound(CollectorError):
    """What was asked for is not here, or is no longer here."""

    title: ClassVar[str] = "Not found"
    status: ClassVar[int] = 404


class CorruptLog(CollectorError):
    """The log's bytes at a position are not what was written there."""

    title: ClassVar[str] = "The log is damaged"


class FolderInUse(CollectorError):
    """Another process holds the exclusive lock of the data folder."""

    title: ClassVar[str] = "The data folder is in use"


class MissingLibrary(CollectorError):
    """A library outside of the installed extras is needed.

    Attributes:
        install: The pip line that installs it.
    """

    title: ClassVar[str] = "A library is missing"
    status: ClassVar[int] = 501

    def __init__(self, message: str, install: str) -> None:
        super().__init__(f"{message} Install it with: {install}")
        self.install = install
