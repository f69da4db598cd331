"""Derived state over a log and a folder, as the collector puts it together."""

from weft_collector.derive import Derived, DeriveOptions
from weft_collector.sealing import SCHEMAS, Limits, Sealer
from weft_collector.store.catalog import Catalog
from weft_collector.testing import ManualClock

KEEP = Limits(1 << 50, 1 << 62, ManualClock())


def derived_over(log, files, decoder, telemetry, *, limits=KEEP, **options):
    """Derived state with a sealer of its own; `stop` ends both."""
    options = DeriveOptions(**{"pairing_entries": 1024, **options})
    return Derived(
        log, decoder, telemetry, Sealer(Catalog(files, log, SCHEMAS), log, telemetry, limits), options
    )
