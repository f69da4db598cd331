"""What the app is wired from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from weft_collector.api.graphs import Graphs
from weft_collector.api.lifecycle import Lifecycle
from weft_collector.api.live import Viewers
from weft_collector.api.security import AccessRules
from weft_collector.derive import Derived
from weft_collector.intake import Intake
from weft_collector.query.queries import Queries
from weft_collector.query.sql.runner import Sql
from weft_collector.store.ports import SpanLog
from weft_collector.telemetry import Telemetry

__all__ = ["Parts", "Surface"]


@dataclass(frozen=True, slots=True)
class Surface:
    """The numbers and addresses of the HTTP surface.

    Attributes:
        version: The release, as `/api/v1/status` shows it.
        endpoint: Address that an agent or an exporter is given.
        body_bytes: Largest body as sent.
        inflated_bytes: Largest body after decompression.
        receiving_bytes: Bytes of all bodies that are being received or wait for their answer.
        body_seconds: Time a sender has to deliver a body.
        dashboard: Folder of the page, or None for a collector without one.
        rules: Who is answered.
        grpc: Address and port for OTLP over gRPC, such as `127.0.0.1:4317`; empty for none.
    """

    version: str
    endpoint: str
    body_bytes: int = 16 << 20
    inflated_bytes: int = 64 << 20
    receiving_bytes: int = 64 << 20
    body_seconds: float = 30.0
    dashboard: Path | None = None
    rules: AccessRules = field(default_factory=AccessRules)
    grpc: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the app serves, made and owned by the caller.

    Attributes:
        lifecycle: Started and stopped with the app.
        intake: Where bodies go.
        derived: Where traces and calls come from.
        graphs: Where graphs and layouts come from.
        viewers: The open event streams.
        log: For its size.
        telemetry: The counters.
        clock_ns: Time in ns since the epoch.
        started_ns: When the process started, by that clock.
        surface: Numbers and addresses.
        queries: Searches over the store's tables.
        sql: SQL over them.
    """

    lifecycle: Lifecycle
    intake: Intake
    derived: Derived
    graphs: Graphs
    viewers: Viewers
    log: SpanLog
    telemetry: Telemetry
    clock_ns: Callable[[], int]
    started_ns: int
    surface: Surface
    queries: Queries
    sql: Sql
