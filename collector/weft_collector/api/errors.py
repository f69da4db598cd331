"""Refusals that exist only because there is a network; they join the collector's tree.

CollectorError
|-- CannotListen             the gRPC port is not to be had
|-- Forbidden                403, a browser may not do this
|-- MethodNotAllowed         405
|-- ServerFailed             500, a defect of ours
`-- RefusedBody
    `-- TooSlow              408, the body did not arrive in time
"""

from typing import ClassVar

from weft_collector.errors import CollectorError, RefusedBody

__all__ = ["CannotListen", "Forbidden", "MethodNotAllowed", "ServerFailed", "TooSlow"]


class CannotListen(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """An address that the server cannot listen on."""

    title: ClassVar[str] = "The address cannot be listened on"


class Forbidden(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """A Host or Origin header that the collector does not answer to."""

    title: ClassVar[str] = "Not allowed from there"
    status: ClassVar[int] = 403


class MethodNotAllowed(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """A method that the path does not have.

    Attributes:
        allow: The methods it has, for the header of that name.
    """

    title: ClassVar[str] = "The method is not allowed"
    status: ClassVar[int] = 405

    def __init__(self, message: str, allow: str) -> None:
        super().__init__(message)
        self.allow = allow


class ServerFailed(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """An error that nobody foresaw."""

    title: ClassVar[str] = "The collector failed"


class TooSlow(RefusedBody):
    """A body that did not arrive whole within the time for it."""

    title: ClassVar[str] = "The body came too slowly"
    status: ClassVar[int] = 408
