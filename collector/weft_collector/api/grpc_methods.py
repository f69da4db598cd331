"""The methods that are served over gRPC: path -> what becomes of a message.

A method gets the message's bytes as they came and gives the answer's bytes; nothing is generated, and nothing
is parsed on the way. To serve another one, add a class and a row in `methods`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from weft_collector.api.lifecycle import Lifecycle, State
from weft_collector.api.otlp_answers import accepted_response
from weft_collector.api.parts import Parts
from weft_collector.errors import NotFound
from weft_collector.intake import Intake
from weft_collector.store.ports import Transport

__all__ = ["TRACES", "Method", "encoding_of", "methods"]

TRACES: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
HEALTH: Final = "/grpc.health.v1.Health/Check"

# HealthCheckRequest, whole: for the server (the field left out, or empty), or for the service that we have.
_SERVICE: Final = TRACES[1:].rpartition("/")[0].encode()
_ASKED: Final = frozenset({b"", b"\x0a\x00", b"\x0a" + bytes([len(_SERVICE)]) + _SERVICE})
# HealthCheckResponse, whole: SERVING and NOT_SERVING.
_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"


class Method(Protocol):
    """One method of the table."""

    def admit(self) -> None:
        """Called before the message is received.

        Raises:
            CollectorError: It need not be sent at all.
        """
        ...

    async def answer(self, message: bytes) -> bytes:
        """The answer to a message.

        Raises:
            CollectorError: It is refused.
        """
        ...


class Traces:
    """`TraceService/Export`: spans to the intake."""

    def __init__(self, lifecycle: Lifecycle, intake: Intake) -> None:
        self._lifecycle = lifecycle
        self._intake = intake

    def admit(self) -> None:
        """See Method."""
        self._lifecycle.require_ready()

    async def answer(self, message: bytes) -> bytes:
        """See Method."""
        return accepted_response(await self._intake.submit(message, encoding_of(message), Transport.GRPC))


class Health:
    """`Health/Check`, by which orchestrators ask whether spans are taken."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def admit(self) -> None:
        """See Method: this one answers at any time."""

    async def answer(self, message: bytes) -> bytes:
        """See Method."""
        if message not in _ASKED:
            raise NotFound(f"Health is told of the whole server, or of {_SERVICE.decode()}.")
        return _SERVING if self._lifecycle.state is State.READY else _NOT_SERVING


def encoding_of(message: bytes) -> str | None:
    """The content-encoding of a message, by its first bytes.

    gRPC core keeps the header grpc-encoding and the compressed flag of a message to itself. The first bytes
    say the same: an export request begins with 0x0a, its only field. 0x1f, as gzip begins, would be a group
    that ends before it began; 0x78, as zlib begins, would be field 15, which OTLP does not have.
    """
    if message.startswith(b"\x1f\x8b"):
        return "gzip"
    is_zlib = message.startswith(b"\x78") and int.from_bytes(message[:2], "big") % 31 == 0
    return "deflate" if is_zlib else None


def methods(parts: Parts) -> Mapping[str, Method]:
    """The table."""
    return MappingProxyType({TRACES: Traces(parts.lifecycle, parts.intake), HEALTH: Health(parts.lifecycle)})
