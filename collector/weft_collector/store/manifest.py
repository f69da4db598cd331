"""The manifest: which derived files of the data folder count.

Sealing writes the files of a segment first, each durably under its own name, and the manifest last, in one
step. So whatever the manifest names is whole, and whatever it does not name is the remains of a crash: it is
removed at the next start, and the log that it came from is read again.

The manifest is one small JSON text, rewritten as a whole: some 300 bytes for each log file. Refused: appending a
record for each change; that is a second log with a recovery of its own, for a file that is written every few
seconds at most.
"""

import json
import re
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from weft_collector.errors import CorruptLog
from weft_collector.store.durable import put
from weft_collector.store.files import Files, ReadFiles

__all__ = [
    "MANIFEST",
    "STAYING",
    "Manifest",
    "Schemas",
    "Sealed",
    "counts_name",
    "derived_names",
    "frozen_counts_name",
    "frozen_name",
    "index_name",
    "load_manifest",
    "read_manifest",
    "rollup_name",
    "save_manifest",
    "spans_name",
]

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
_FROZEN_COUNTS: Final = "frozen-counts-"
_DERIVED: Final = re.compile(
    r"(?:(?:spans|rollup|counts|frozen|frozen-counts)-\d{8,18}\.parquet|index-\d{8,18}\.weft)"
)


def spans_name(number: int) -> str:
    """Name of the Parquet file with the spans of a log file."""
    return f"spans-{number:08d}.parquet"


def index_name(number: int) -> str:
    """Name of the index over the spans of a log file."""
    return f"index-{number:08d}.weft"


def rollup_name(number: int) -> str:
    """Name of what a log file adds to the rollups."""
    return f"rollup-{number:08d}.parquet"


def counts_name(number: int) -> str:
    """Name of what a log file adds to the edge counts; the file is there if it adds anything."""
    return f"counts-{number:08d}.parquet"


def frozen_name(number: int) -> str:
    """Name of the sum of the rollups of log files that are gone, the last of them by number."""
    return f"frozen-{number:08d}.parquet"


def frozen_counts_name(number: int) -> str:
    """Name of the sum of their edge counts."""
    return f"{_FROZEN_COUNTS}{number:08d}.parquet"


STAYING: Final = (rollup_name, counts_name)
"""The files that stay when their log file goes."""


def derived_names(files: ReadFiles) -> list[str]:
    """All files in the folder that are derived from the log, whether they count or not."""
    return [name for name in files.names() if _DERIVED.fullmatch(name)]


@dataclass(frozen=True, slots=True)
class Schemas:
    """Versions of the derived files; what is of another version is derived again.

    Attributes:
        spans: Of the Parquet columns.
        index: Of the index file.
        rollup: Of the rollup's cells.
        counts: Of the edge counts; manifests older than these do not name it.
    """

    spans: int
    index: int
    rollup: int
    counts: int = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is derived from one log file.

    Attributes:
        number: Of the log file.
        rows: Distinct spans; with 0 there is no segment.
        duplicates: Spans that stand in this file or an older one already.
        oldest: Numbers of the older files in which traces of this one began.
        earliest_ns: Earliest start of a span.
        latest_ns: Latest start of a span.
        arrived_ns: Arrival of the last record, by which the file ages.
        files: Name and bytes of each file.
        gone: The log file and its segment went by retention; only what it added to the sums is left.
    """

    number: int
    rows: int
    duplicates: int
    oldest: tuple[int, ...]
    earliest_ns: int
    latest_ns: int
    arrived_ns: int
    files: dict[str, int]
    gone: bool = False

    @property
    def size_bytes(self) -> int:
        """Bytes of all its files."""
        return sum(self.files.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """What counts.

    Attributes:
        schemas: Versions of all files named.
        sealed: By number, without holes but for files that went by retention.
        frozen: Sums of log files that are gone, as files and their bytes; empty if there are none.
        frozen_through: The last log file whose sums are in `frozen`.
    """

    schemas: Schemas
    sealed: tuple[Sealed, ...] = ()
    frozen: dict[str, int] = field(default_factory=dict)
    frozen_through: int = 0

    @property
    def through(self) -> int:
        """The last log file that need not be read again; 0 if all must be."""
        return max((part.number for part in self.sealed), default=self.frozen_through)

    @property
    def gone_through(self) -> int:
        """The last log file that went by retention; the oldest go first."""
        return max((part.number for part in self.sealed if part.gone), default=self.frozen_through)

    @property
    def rollups(self) -> list[str]:
        """The files whose sum the rollup is."""
        frozen = [name for name in self.frozen if not name.startswith(_FROZEN_COUNTS)]
        return [*frozen, *(rollup_name(part.number) for part in self.sealed)]

    @property
    def counts(self) -> list[str]:
        """The files whose sum the edge counts are."""
        frozen = [name for name in self.frozen if name.startswith(_FROZEN_COUNTS)]
        return frozen + [name for part in self.sealed if (name := counts_name(part.number)) in part.files]

    def names(self) -> set[str]:
        """All files that count."""
        return {name for part in self.sealed for name in part.files} | set(self.frozen)


def save_manifest(files: Files, manifest: Manifest) -> None:
    """Make this the manifest, durably; all files that it names must be durable by name and content."""
    text = json.dumps({"format": FORMAT, **asdict(manifest)}, separators=(",", ":"))
    put(files, MANIFEST, f"{zlib.crc32(text.encode()):08x} {text}\n".encode())
    files.sync_folder()


def load_manifest(files: ReadFiles, schemas: Schemas) -> Manifest:
    """The manifest; an empty one, too, if not all its files are there.

    Raises:
        CorruptLog: A newer Weft wrote it.
    """
    manifest = read_manifest(files, schemas)
    return manifest if _all_there(files, manifest) else Manifest(schemas)


def read_manifest(files: ReadFiles, schemas: Schemas) -> Manifest:
    """The manifest; an empty one if there is none, it is damaged, or its files are of other versions.

    Raises:
        CorruptLog: A newer Weft wrote it.
    """
    empty = Manifest(schemas)
    try:
        data = bytes(files.map(MANIFEST))
    except FileNotFoundError:
        return empty
    checksum, _, text = data.rstrip(b"\n").partition(b" ")
    if checksum != f"{zlib.crc32(text):08x}".encode():
        return empty
    found = json.loads(text)
    if found.pop("format") > FORMAT:
        raise CorruptLog(
            f"{MANIFEST} was written by a newer Weft: install that, or choose another data folder."
        )
    manifest = _manifest(found)
    return manifest if manifest.schemas == schemas else empty


def _manifest(found: dict[str, Any]) -> Manifest:
    parts: list[dict[str, Any]] = found.pop("sealed")
    for part in parts:
        part["oldest"] = tuple(part["oldest"])  # JSON knows lists only
    sealed = tuple(Sealed(**part) for part in parts)
    return Manifest(schemas=Schemas(**found.pop("schemas")), sealed=sealed, **found)


def _all_there(files: ReadFiles, manifest: Manifest) -> bool:
    sizes = {name: size for part in manifest.sealed for name, size in part.files.items()} | manifest.frozen
    there = set(files.names())
    return all(name in there and files.size(name) == size for name, size in sizes.items())
