"""All spans that are held, as tables in the order of the log; and the files that they lie in.

One thread changes the catalog (the one that seals); any thread reads. What is published is replaced as a whole,
so a reader works on the tables of one moment; files that are removed meanwhile stay readable for it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from weft_collector.errors import StorageFailed
from weft_collector.store.durable import put, remove_drafts
from weft_collector.store.files import Files
from weft_collector.store.manifest import (
    STAYING,
    Manifest,
    Schemas,
    Sealed,
    derived_names,
    load_manifest,
    save_manifest,
)
from weft_collector.store.ports import SpanLog
from weft_collector.store.segment import Segment
from weft_collector.store.span_tables import Segments

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Catalog"]

_RETRY_SECONDS: Final = 5.0


class Catalog:
    """The sealed segments of a data folder.

    Args:
        files: The folder; the caller holds its lock.
        log: The log in it.
        schemas: Versions of the derived files that this program writes.

    Attributes:
        manifest: What counts.
        published: The segments that it names.

    Raises:
        CorruptLog: A newer Weft wrote the manifest.
        StorageFailed: The folder cannot be written.
    """

    def __init__(self, files: Files, log: SpanLog, schemas: Schemas) -> None:
        self._files, self._log = files, log
        try:
            self.manifest = load_manifest(files, schemas)
            self._clean()
        except OSError as error:
            raise StorageFailed(f"The data folder cannot be opened: {error}.", _RETRY_SECONDS) from error
        self.published = Segments(
            Segment(files, s, log) for s in self.manifest.sealed if s.rows and not s.gone
        )

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments, in the order of the log."""
        return self.published.all

    @property
    def segment_bytes(self) -> int:
        """Bytes of the segments: what goes with the log; rollups and edge counts stay longer."""
        return sum(
            part.size_bytes - sum(part.files.get(name(part.number), 0) for name in STAYING)
            for part in self.manifest.sealed
        )

    def add(
        self, sealed: Sealed, contents: Mapping[str, bytes | memoryview], recent: "pa.Table | None" = None
    ) -> None:
        """Make the files of a log file durable, and show them.

        Args:
            sealed: What to say of them; its number is higher than all before.
            contents: The files by name.
            recent: Columns of the segment that are kept in memory until the next one comes; see Segment.
        """
        for name, content in contents.items():
            put(self._files, name, content)
        self._files.sync_folder()
        self._show(replace(self.manifest, sealed=(*self.manifest.sealed, sealed)))
        for segment in self.segments[-2:]:
            segment.recent = recent if segment.number == sealed.number else None

    def forget(self, number: int) -> None:
        """Show the spans of a log file no more, and remove its segment; what it added to the sums stays."""
        kept: list[Sealed] = []
        removed: set[str] = set()
        for part in self.manifest.sealed:
            if part.number == number:
                removed = set(part.files) - {name(number) for name in STAYING}
                files = {name: size for name, size in part.files.items() if name not in removed}
                part = replace(part, files=files, gone=True)  # noqa: PLW2901 - the part as it is kept
            kept.append(part)
        self._show(replace(self.manifest, sealed=tuple(kept)))
        for name in removed:
            self._files.remove(name)

    def freeze(self, contents: dict[str, bytes], through: int) -> None:
        """Put sums of log files that are gone in the place of their own files.

        Args:
            contents: The new files by name.
            through: The last log file in them.
        """
        for name, content in contents.items():
            put(self._files, name, content)
        self._files.sync_folder()
        before = self.manifest
        kept = tuple(part for part in before.sealed if part.number > through)
        frozen = {name: len(content) for name, content in contents.items()}
        self._show(replace(before, sealed=kept, frozen=frozen, frozen_through=through))
        for gone in before.names() - self.manifest.names():
            self._files.remove(gone)

    def reset(self) -> None:
        """Forget everything that the log can tell again."""
        kept = tuple(part for part in self.manifest.sealed if part.gone)
        self._show(replace(self.manifest, sealed=kept))
        self._clean()

    def read(self, name: str) -> memoryview:
        """The bytes of a derived file."""
        return self._files.map(name)

    def _show(self, manifest: Manifest) -> None:
        """Make a manifest the one that counts, and publish its segments."""
        save_manifest(self._files, manifest)
        known = {segment.number: segment for segment in self.segments}
        live = [part for part in manifest.sealed if part.rows and not part.gone]
        segments = Segments(known.get(p.number) or Segment(self._files, p, self._log) for p in live)
        self.manifest, self.published = manifest, segments

    def _clean(self) -> None:
        """Remove what a crash has left: drafts, and derived files that do not count."""
        remove_drafts(self._files)
        names = self.manifest.names()
        for name in derived_names(self._files):
            if name not in names:
                self._files.remove(name)
