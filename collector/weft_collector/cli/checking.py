"""Reading a data folder from its beginning, to compare what is derived with what is there."""

import time
from collections.abc import Callable
from contextlib import suppress

from weft_collector.config import Config
from weft_collector.derive import Derived, DeriveOptions
from weft_collector.errors import RefusedBody
from weft_collector.sealing import SCHEMAS, Limits
from weft_collector.store.catalog import Catalog
from weft_collector.store.files import RealFiles
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import RecordKind
from weft_collector.telemetry import Telemetry
from weft_collector.verifying import Checker, Findings
from weft_collector.wire import edge_counts
from weft_collector.wire import limits as wire_limits
from weft_collector.wire.otlp_protobuf import Decoder

__all__ = ["check_folder"]


def check_folder(config: Config, progress: Callable[[str], None]) -> tuple[Findings, int]:
    """Compare everything in the data folder with the log; also how many blocks of the log are lost.

    Args:
        config: Names the folder and the bounds of the tables.
        progress: Is given a line now and then.

    Raises:
        FolderInUse: A collector runs on the folder.
    """
    telemetry, files = Telemetry(), RealFiles(config.data)
    log = Log(files, telemetry, LogOptions(floor_bytes=0))
    try:
        checker = Checker(
            Catalog(files, log, SCHEMAS), log, telemetry, Limits(config.retention_bytes, 0, time.time_ns)
        )
        checker.begin(lambda number: progress(f"comparing, log file {number}"))
        return _compare(config, log, checker, telemetry), telemetry.value("log_blocks_lost")
    finally:
        log.close()


def _compare(config: Config, log: Log, checker: Checker, telemetry: Telemetry) -> Findings:
    decoder = Decoder(wire_limits.Limits(inflated_bytes=wire_limits.LARGEST_BODY))
    options = DeriveOptions(pairing_entries=config.pairing_entries, head_spans=1)
    derived = Derived(log, decoder, telemetry, checker, options)
    derived.through = 0  # nothing counts as sealed: all of it is derived, and goes to the checker
    derived.counts.load(checker.gone_counts())
    for position, record in log.replay():
        with suppress(RefusedBody):  # the collector passes over it, too
            if record.kind == RecordKind.SPANS:
                decoded = decoder.decode(record.body, record.arrived_ns, record.limits)
                derived.apply(decoded, position, record.arrived_ns)
            elif record.kind == RecordKind.EDGE_COUNTS:
                counted = edge_counts.read(record.body, record.arrived_ns, record.limits)
                derived.apply_counts(counted, position, record.arrived_ns)
    derived.resumed()
    return checker.end()
