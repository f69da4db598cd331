"""The methods that are served over gRPC: path -> what becomes of a message.

A method gets a message's bytes as they came and gives the answer's bytes; nothing is generated, and nothing
is parsed on the way. To serve another one, add a class and a row in `methods`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from weft_collector.api.lifecycle import Lifecycle, State
from weft_collector.api.otlp_answers import accepted_response, export_response
from weft_collector.api.parts import Parts
from weft_collector.api.signals import SIGNALS, Sent, Signal, SignalIntake, signal_intake
from weft_collector.errors import NotFound
from weft_collector.intake import Intake
from weft_collector.store.ports import Transport

__all__ = ["LOGS", "METRICS", "TRACES", "Message", "Method", "encoding_of", "methods"]

TRACES: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
METRICS: Final = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
LOGS: Final = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
HEALTH: Final = "/grpc.health.v1.Health/Check"

# HealthCheckRequest, whole: for the server (the field left out, or empty), or for the service that we have.
_SERVICE: Final = TRACES[1:].rpartition("/")[0].encode()
_ASKED: Final = frozenset({b"", b"\x0a\x00", b"\x0a" + bytes([len(_SERVICE)]) + _SERVICE})
# HealthCheckResponse, whole: SERVING and NOT_SERVING.
_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"


class Message(NamedTuple):
    """A message as it came.

    Attributes:
        body: Its bytes.
        client: Who sent it, by what can be seen of it.
    """

    body: bytes
    client: tuple[str, ...]


class Method(Protocol):
    """One method of the table."""

    def admit(self) -> None:
        """Called before the message is received.

        Raises:
            CollectorError: It need not be sent at all.
        """
        ...

    async def answer(self, message: Message) -> bytes:
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

    async def answer(self, message: Message) -> bytes:
        """See Method."""
        body = message.body
        return accepted_response(await self._intake.submit(body, encoding_of(body), Transport.GRPC))


class OtherSignal:
    """`Export` of metrics or logs: edge counts to the intake, the rest acknowledged."""

    def __init__(self, lifecycle: Lifecycle, intake: SignalIntake, signal: Signal) -> None:
        self._lifecycle = lifecycle
        self._intake = intake
        self._signal = signal

    def admit(self) -> None:
        """See Method."""
        self._lifecycle.require_ready()

    async def answer(self, message: Message) -> bytes:
        """See Method."""
        sent = Sent(message.body, encoding_of(message.body), Transport.GRPC, message.client)
        return export_response(*await self._intake.take(self._signal, sent))


class Health:
    """`Health/Check`, by which orchestrators ask whether spans are taken."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def admit(self) -> None:
        """See Method: this one answers at any time."""

    async def answer(self, message: Message) -> bytes:
        """See Method."""
        if message.body not in _ASKED:
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
    lifecycle, others = parts.lifecycle, signal_intake(parts)
    return MappingProxyType(
        {
            TRACES: Traces(lifecycle, parts.intake),
            METRICS: OtherSignal(lifecycle, others, SIGNALS["metrics"]),
            LOGS: OtherSignal(lifecycle, others, SIGNALS["logs"]),
            HEALTH: Health(lifecycle),
        }
    )
