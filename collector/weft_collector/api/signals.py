"""Metrics and logs, whatever they come through: what is kept of them, and what their senders are told.

Weft keeps traces, and of metrics the agents' edge counts. An answer of 404 to the rest would fill the log of a
client that sends everything to one endpoint, silence would hide a misunderstanding; so a body is acknowledged,
and the partial success says what of it is not kept: to each client at most once in ten minutes, in between
nothing is said of it. What was refused of the edge counts is said every time.

Bodies are inflated and sorted beside the event loop. Edge counts go on to the intake, and through it into the
log, as spans do: the answer comes when they are durable.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from weft_collector.api.parts import Parts
from weft_collector.errors import BodyTooLarge, RefusedBody, UnsupportedEncoding
from weft_collector.intake import Accepted, Intake
from weft_collector.store.ports import RecordKind, Transport
from weft_collector.telemetry import Telemetry
from weft_collector.wire import metrics, metrics_json
from weft_collector.wire.compression import inflate
from weft_collector.wire.metrics import Metrics
from weft_collector.wire.other_signals import count_log_records

__all__ = ["SIGNALS", "Reminder", "Sent", "Signal", "SignalIntake", "Told", "signal_intake"]

_QUIET_NS: Final = 600_000_000_000
_CLIENTS: Final = 4096
_NOTHING: Final = Accepted(0, ())
_REASONS: Final[Mapping[type[RefusedBody], str]] = MappingProxyType(
    {BodyTooLarge: "too_large", UnsupportedEncoding: "encoding"}
)


class Signal(NamedTuple):
    """A signal of which little or nothing is kept.

    Attributes:
        name: As in its path and in the counter.
        counted: The JSON name of the number of its refused parts.
        reminder: What a client is told that sends what is not kept.
        sort_out: An inflated body, and whether it is JSON, to what is kept and how much else there is.
    """

    name: str
    counted: str
    reminder: str
    sort_out: Callable[[bytes, bool], Metrics]


class Sent(NamedTuple):
    """A body as it came.

    Attributes:
        body: Its bytes.
        encoding: Its content-encoding, None for none.
        transport: The door it came through.
        client: Who sent it, by what can be seen of it.
    """

    body: bytes
    encoding: str | None
    transport: Transport
    client: tuple[str, ...]


class Told(NamedTuple):
    """What a sender is told: how many parts were refused, and why."""

    rejected: int
    message: str


class Reminder:
    """Who was told within the last ten minutes; of very many clients the one told longest ago is forgotten.

    Args:
        clock_ns: The time in ns since the epoch.
    """

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._told: OrderedDict[tuple[str, ...], int] = OrderedDict()

    def is_due(self, client: tuple[str, ...]) -> bool:
        """Whether a client is to be told; if so, it counts as told from now on."""
        now = self._clock_ns()
        told = self._told.get(client)
        if told is not None and 0 <= now - told < _QUIET_NS:
            return False
        self._told[client] = now
        self._told.move_to_end(client)
        if len(self._told) > _CLIENTS:
            self._told.popitem(last=False)
        return True


class SignalIntake:
    """Takes bodies of these signals.

    Args:
        intake: Where edge counts go.
        telemetry: Where the rest is counted.
        reminder: Who was told.
        inflated_bytes: Largest body after decompression.
    """

    def __init__(self, intake: Intake, telemetry: Telemetry, reminder: Reminder, inflated_bytes: int) -> None:
        self._intake = intake
        self._telemetry = telemetry
        self._reminder = reminder
        self._inflated_bytes = inflated_bytes

    async def take(self, signal: Signal, sent: Sent) -> Told:
        """Take a body, and wait until what is kept of it is durable.

        Raises:
            RefusedBody: It cannot be inflated or read, or holds too many edge counts.
            Unavailable: The edge counts cannot be taken now; the body is to be sent again later.
        """
        try:
            found = await asyncio.to_thread(self._sorted, signal, sent)
        except RefusedBody as error:
            self._telemetry.count("bodies_refused", _REASONS.get(type(error), "malformed"))
            raise
        accepted = _NOTHING
        if found.edge_counts:
            accepted = await self._intake.submit(
                found.edge_counts, None, sent.transport, RecordKind.EDGE_COUNTS
            )
        self._telemetry.count("parts_not_kept", signal.name, found.others)
        due = found.others > 0 and self._reminder.is_due((*sent.client, signal.name))
        return _told(accepted, found.others if due else 0, signal.reminder)

    def _sorted(self, signal: Signal, sent: Sent) -> Metrics:
        inflated = inflate(sent.body, sent.encoding, self._inflated_bytes)
        return signal.sort_out(inflated, sent.transport is Transport.HTTP_JSON)


def signal_intake(parts: Parts) -> SignalIntake:
    """The one for a transport of a collector."""
    return SignalIntake(parts.intake, parts.telemetry, Reminder(parts.clock_ns), parts.surface.inflated_bytes)


def _told(accepted: Accepted, others: int, reminder: str) -> Told:
    refused = sum(count for _, count in accepted.rejected)
    reasons = [f"{reason}: {count}" for reason, count in accepted.rejected]
    return Told(refused + others, ", ".join([*reasons, *([reminder] if others else [])]))


def _metrics(body: bytes, is_json: bool) -> Metrics:
    return metrics_json.sort_out(body) if is_json else metrics.sort_out(body)


def _logs(body: bytes, is_json: bool) -> Metrics:
    return Metrics(b"", count_log_records(body, is_json=is_json))


SIGNALS: Final[Mapping[str, Signal]] = MappingProxyType(
    {
        signal.name: signal
        for signal in (
            Signal(
                "metrics",
                "rejectedDataPoints",
                "Weft keeps traces and edge counts, not other metrics; this is said once in ten minutes.",
                _metrics,
            ),
            Signal(
                "logs",
                "rejectedLogRecords",
                "Weft keeps traces, not logs; this is said once in ten minutes.",
                _logs,
            ),
        )
    }
)
"""By name."""
