"""Reading a data folder without its collector, which may be running on it.

**What is shown** is what a collector that opened the folder now would show: the segments that the manifest names,
and the log files behind them up to the last whole block, decoded by the same kernels into the same columns. So
whatever was acknowledged before the folder was looked at is there. Only a text that came after the collector's table
of texts was full may be known here, and `other` there.

**No lock is taken and nothing is written:** the folder is seen through `ReadFiles`, which has no call that writes.
What another process does meanwhile:

- *The log grows.* It is read as far as it was whole. The end of a write that is under way looks like the end that
  a crash has left: it is left out. A group that the collector refuses just then may be seen; its senders know
  nothing but "unknown" of it, too.
- *A log file is sealed.* It stays where it is, and is read like any other.
- *Retention removes files.* The manifest gives them up before they go. So a file that is not there is either not
  named any more, and the newer manifest tells what is, or it is lost.

**Bound.** What is in no segment is held in memory, so there may be eight million such spans: twice as many as a
collector lets wait. A folder that has more (its segments are of another version, or lost) has to be derived again.

Refused: decoding the whole log instead of reading segments (minutes, and more memory than there is), and asking the
collector for its tables (there may be none, and it has an API).
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from weft_collector.errors import CorruptLog, QueryTooCostly, RefusedBody, Unavailable
from weft_collector.sealing import SCHEMAS
from weft_collector.store.files import ReadFiles
from weft_collector.store.held import HeldTables
from weft_collector.store.log_reader import LogReader, whole_part
from weft_collector.store.manifest import Manifest, Sealed, index_name, read_manifest, spans_name
from weft_collector.store.notices import Listener
from weft_collector.store.ports import Position, Record, RecordKind, SpanTable
from weft_collector.store.recovery import file_numbers
from weft_collector.store.segment import Segment
from weft_collector.store.unsealed import Unsealed
from weft_collector.telemetry import Telemetry
from weft_collector.wire.columns import Decoded
from weft_collector.wire.limits import LARGEST_BODY, Limits
from weft_collector.wire.otlp_protobuf import Decoder

__all__ = ["Folder", "decoded_records"]

MOST_UNSEALED: Final = 1 << 23
_ATTEMPTS: Final = 5
_RETRY_SECONDS: Final = 1.0


class Folder:
    """The spans of a data folder as tables; a Catalog.

    Args:
        files: The folder.
        telemetry: Where damage is counted.
        listener: Is told of damage.
        progress: Is given a line now and then while the log is read.
        most_unsealed: How many spans may be in no segment.

    Attributes:
        log: The bytes of the spans.
    """

    def __init__(
        self,
        files: ReadFiles,
        telemetry: Telemetry,
        listener: Listener,
        progress: Callable[[str], None],
        most_unsealed: int = MOST_UNSEALED,
    ) -> None:
        self.log = LogReader(files, telemetry, listener)
        self._files, self._progress, self._most = files, progress, most_unsealed

    def tables(self) -> list[SpanTable]:
        """All spans, as tables in the order of the log; each call looks at the folder anew.

        Raises:
            CorruptLog: A file is damaged or lost, or a newer Weft wrote it.
            QueryTooCostly: Too many spans are in no segment.
            Unavailable: Retention is faster than the reading.
            OSError: The system refuses.
        """
        for _ in range(_ATTEMPTS):
            manifest = read_manifest(self._files, SCHEMAS)
            try:
                tables = self._open(manifest)
            except FileNotFoundError as error:
                name = Path(error.filename).name
                if name in read_manifest(self._files, SCHEMAS).names():
                    raise CorruptLog(_MISSING.format(name=name)) from error
                continue
            if read_manifest(self._files, SCHEMAS).gone_through <= manifest.through:
                return tables
        raise Unavailable(
            "Retention removes the files of the folder faster than they can be read; ask again, or ask the "
            "collector that runs on it.",
            _RETRY_SECONDS,
        )

    def _open(self, manifest: Manifest) -> list[SpanTable]:
        segments = [self._segment(part) for part in manifest.sealed if part.rows and not part.gone]
        numbers = [number for number in file_numbers(self._files) if number > manifest.through]
        self._progress("reading the log")  # the very first time kernels are compiled, which takes a while
        decoder, unsealed = Decoder(Limits(inflated_bytes=LARGEST_BODY)), Unsealed()
        records = self.log.records(*whole_part(self._files, numbers))
        for position, _, decoded in decoded_records(records, decoder):
            unsealed.append(decoded, position)
            self._progress(f"reading the log, {len(unsealed):,} spans that are in no segment yet")
            if len(unsealed) > self._most:
                raise QueryTooCostly(_TOO_MANY.format(most=self._most))
        return HeldTables(decoder.strings, self.log).of(unsealed.pieces, segments)

    def _segment(self, part: Sealed) -> Segment:
        for name in (spans_name(part.number), index_name(part.number)):
            size = self._files.size(name)
            if size != part.files.get(name):
                raise CorruptLog(
                    f"{name} has {size} bytes, and the manifest says {part.files.get(name)}: `weft rebuild` "
                    "makes it anew from the log."
                )
        return Segment(self._files, part, self.log)


def decoded_records(
    records: Iterable[tuple[Position, Record]], decoder: Decoder
) -> Iterator[tuple[Position, Record, Decoded]]:
    """The records that hold spans, decoded; the others are passed over, as the collector does."""
    for position, record in records:
        if record.kind == RecordKind.SPANS:
            try:
                decoded = decoder.decode(record.body, record.arrived_ns, record.limits)
            except RefusedBody:
                continue
            yield position, record, decoded


_MISSING: Final = "{name} is missing: `weft rebuild` makes what is derived anew from the log."
_TOO_MANY: Final = (
    "More than {most:,} spans of this folder are in no segment yet, and all of them would have to be held in "
    "memory. `weft rebuild`, or a start of the collector, makes the segments."
)
