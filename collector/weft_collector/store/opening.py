"""Opening a log folder: cut off what a crash left unfinished, and find where to go on.

A process never appends to a file of an earlier one. A sync of that file may have failed, which nobody
remembers now, and ever since the system answers "all well" for bytes that are only in its cache. What is
acknowledged must not lie behind such bytes, so each process that writes begins a file of its own.
"""

from typing import Final, NamedTuple

from weft_collector.errors import StorageFailed
from weft_collector.store.files import Files
from weft_collector.store.notices import Event, Listener, Notice
from weft_collector.store.recovery import Extent, copy_torn_tail, file_name, file_numbers, find_end
from weft_collector.telemetry import Telemetry

__all__ = ["OpenEnd", "open_end"]

_RETRY_SECONDS: Final = 5.0


class OpenEnd(NamedTuple):
    """Where the log goes on.

    Attributes:
        sizes: Bytes of every log file, by number.
        sequence: Sequence number of the next block.
    """

    sizes: dict[int, int]
    sequence: int


def open_end(files: Files, telemetry: Telemetry, listener: Listener) -> OpenEnd:
    """Find the end of the log, cut off a torn tail, and make durable what is left.

    Raises:
        StorageFailed: The disk refuses to be written.
        CorruptLog: The log is of a newer format, or the disk cannot read it.
    """
    try:
        older = [Extent(n, files.size(file_name(n))) for n in file_numbers(files)]
        if not older:
            return OpenEnd({}, 1)
        newest = older.pop()
        end = find_end(files, newest)
        if end.offset < newest.size:
            aside = copy_torn_tail(files, newest, end.offset)
            telemetry.count("log_tails_torn")
            listener(_torn(newest, end.offset, aside))
        kept = [*older, *_settle(files, newest._replace(size=end.offset))]
        while end.sequence is None and older:
            end = find_end(files, older.pop())
    except OSError as error:
        raise StorageFailed(f"The log cannot be opened: {error}.", _RETRY_SECONDS) from error
    return OpenEnd(dict(kept), 1 if end.sequence is None else end.sequence + 1)


def _settle(files: Files, newest: Extent) -> list[Extent]:
    """Make the file end there, for good: what a killed process left unsynced will be shown, so it must last.

    A file without a whole block goes.
    """
    name = file_name(newest.number)
    if newest.size:
        files.truncate(name, newest.size)
    else:
        files.remove(name)
    files.sync_folder()
    return [newest] if newest.size else []


def _torn(newest: Extent, end: int, aside: str) -> Notice:
    name = file_name(newest.number)
    text = f"The unfinished end of {name}, {newest.size - end} bytes, was cut off and kept as {aside}."
    return Notice(Event.TORN, newest.number, text)
