"""The collector's parts, made from its settings."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Final

import click

from weft_collector.api.graphs import Graphs
from weft_collector.api.lifecycle import Lifecycle, State
from weft_collector.api.live import Viewers
from weft_collector.api.parts import Parts, Surface
from weft_collector.api.security import AccessRules
from weft_collector.config import BadSetting, Config
from weft_collector.derive import Derived, DeriveOptions
from weft_collector.errors import CollectorError
from weft_collector.graph.rollup import CELL_BYTES, Bounds
from weft_collector.intake import Intake, IntakeOptions
from weft_collector.query.queries import Queries, Searched
from weft_collector.query.sql.runner import Sql
from weft_collector.render.positions import Positions
from weft_collector.sealing import SCHEMAS, Limits, Sealer
from weft_collector.store.catalog import Catalog
from weft_collector.store.files import RealFiles
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.notices import Notice
from weft_collector.store.segment import parquet_file
from weft_collector.store.tokens import tokens_of
from weft_collector.telemetry import Telemetry
from weft_collector.warming import warm_together
from weft_collector.wire import limits as wire_limits
from weft_collector.wire.otlp_protobuf import Decoder

__all__ = ["Outside", "assemble", "version"]

TICK_SECONDS: Final = 1.0
_SEED_BITS: Final = 62
_FROZEN_SHARE: Final = (
    4  # of the rollups' memory, for the sums of files that are gone, while they are written
)


@dataclass(frozen=True, slots=True)
class Outside:
    """What a collector is given beside its settings.

    Attributes:
        endpoint: Its address, as senders are told it.
        clock_ns: Time in ns since the epoch.
        dashboard: The page's folder, or None.
        listener: Is told of the start's progress.
        tick_seconds: Time between two looks of an event stream at the graph.
        monotonic: Seconds of a clock that never goes back, for the time of a search.
        grpc: Address and port for OTLP over gRPC; empty for none.
    """

    endpoint: str
    clock_ns: Callable[[], int]
    dashboard: Path | None = None
    listener: Callable[[State, str], None] | None = None
    tick_seconds: float = TICK_SECONDS
    monotonic: Callable[[], float] = time.monotonic
    grpc: str = ""


def assemble(config: Config, outside: Outside, *, afresh: bool = False) -> Parts:
    """Open the data folder and put the parts together; nothing runs yet.

    The caller closes `parts.log` at the end.

    Args:
        config: The settings.
        outside: What else it is given.
        afresh: Forget everything that was derived from the log that is there, so that it is derived again.

    Raises:
        FolderInUse: Another collector holds the data folder.
        CorruptLog: The log is of a newer format, or cannot be read.
        StorageFailed: The folder cannot be written.
        BadSetting: The data folder is none.
    """
    telemetry = Telemetry()
    files = _open_folder(config)
    log = Log(files, telemetry, _log_options(config), _tell)
    catalog = _catalog(files, log, afresh=afresh)
    sealer = Sealer(catalog, log, telemetry, _retention(config, outside.clock_ns))
    limits = wire_limits.Limits(body_bytes=config.body_bytes, inflated_bytes=config.inflated_bytes)
    decoder = Decoder(limits)
    derived = Derived(log, decoder, telemetry, sealer, _derive_options(config))
    options = IntakeOptions(outside.clock_ns, limits, config.in_flight_bytes)
    intake = Intake(log, decoder, derived, telemetry, options)
    queries = Queries(Searched(derived, log, tokens_of), telemetry, outside.monotonic)

    return Parts(
        lifecycle=Lifecycle(intake, warm_together, outside.listener),
        intake=intake,
        derived=derived,
        graphs=Graphs(derived, Positions()),
        viewers=Viewers(config.viewers, outside.tick_seconds),
        log=log,
        telemetry=telemetry,
        clock_ns=outside.clock_ns,
        started_ns=outside.clock_ns(),
        surface=_surface(config, outside),
        queries=queries,
        sql=Sql(derived, log, partial(parquet_file, config.data), telemetry),
    )


def _open_folder(config: Config) -> RealFiles:
    try:
        return RealFiles(config.data)
    except OSError as error:
        raise BadSetting(f"data: {config.data} cannot be used as a folder: {error.strerror}.") from error


def _catalog(files: RealFiles, log: Log, *, afresh: bool) -> Catalog:
    try:
        catalog = Catalog(files, log, SCHEMAS)
        if afresh:
            catalog.reset()
    except CollectorError:
        log.close()
        raise
    return catalog


def _retention(config: Config, clock_ns: Callable[[], int]) -> Limits:
    bounds = _rollup_bounds(config)
    frozen = replace(bounds, cells=bounds.cells // _FROZEN_SHARE)
    return Limits(config.retention_bytes, round(config.retention_seconds * 1e9), clock_ns, frozen)


def version() -> str:
    """The release of Weft that is installed."""
    return metadata.version("weft")


def _log_options(config: Config) -> LogOptions:
    return LogOptions(
        file_bytes=config.log_file_bytes,
        floor_bytes=config.free_disk_bytes,
    )


def _derive_options(config: Config) -> DeriveOptions:
    return DeriveOptions(
        pairing_entries=config.pairing_entries,
        head_spans=config.head_spans,
        rollup=_rollup_bounds(config),
        seed=secrets.randbits(_SEED_BITS),
    )


def _rollup_bounds(config: Config) -> Bounds:
    minutes, hours = round(config.minute_seconds / 60), round(config.hour_seconds / 3600)
    return Bounds(config.rollup_bytes // CELL_BYTES, minutes, hours)


def _surface(config: Config, outside: Outside) -> Surface:
    return Surface(
        version=version(),
        endpoint=outside.endpoint,
        body_bytes=config.body_bytes,
        inflated_bytes=config.inflated_bytes,
        receiving_bytes=config.in_flight_bytes,
        body_seconds=config.body_seconds,
        dashboard=outside.dashboard,
        rules=AccessRules.of(config.host, config.allowed_hosts, config.allowed_origins),
        grpc=outside.grpc,
    )


def _tell(notice: Notice) -> None:
    click.echo(f"log {notice.event}: {notice.text}", err=True)
