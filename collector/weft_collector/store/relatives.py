"""Traces with spans in several log files: which these are, and their older spans.

**Elders.** Each segment notes, for those of its traces that had spans in older files, the oldest of these files. So
it can be told whether all that ever came of a trace is still there: what the older spans of a trace had booked is only
known if none of them is gone by retention. `docs/segments.md` has the bytes:

    4 bytes     number of traces, n
    4 bytes     0
    8 n bytes   low halves of their ids, ascending
    8 n bytes   number of the oldest log file of each

Numbers are little-endian; the checksum is that of the index.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["MOST_OLDER", "Elder", "Elders", "Relatives", "relatives_of"]

MOST_OLDER: Final = 1 << 17
"""Older spans of one trace that are read: what one file costs must not grow with the age of a trace."""
_HEADER_BYTES: Final = 8

Words = NDArray[np.uint64]


class Elder(Protocol):
    """The part of a segment that is needed here."""

    @property
    def number(self) -> int:
        """Of its log file."""
        ...

    @property
    def elders(self) -> "Elders":
        """Its traces with older spans."""
        ...

    def spans_in(self, traces: Words) -> NDArray[np.int64]:
        """How many spans each of some traces has here."""
        ...

    def spans_of(self, traces: Words, columns: Sequence[str]) -> pa.Table:
        """Some columns of the spans of some traces."""
        ...


class Elders(NamedTuple):
    """The oldest log files of some traces.

    Attributes:
        traces: Low halves of ids, ascending.
        oldest: As many numbers of log files.
    """

    traces: Words
    oldest: Words

    @classmethod
    def of(cls, older: Sequence[Elder], relatives: Mapping[int, Words]) -> "Elders":
        """Those of a file; see `relatives_of`."""
        having = [(segment, relatives[segment.number]) for segment in older if segment.number in relatives]
        nothing = [np.zeros(0, np.uint64)]
        traces = np.concatenate([*nothing, *(asked for _, asked in having)])
        oldest = np.concatenate([*nothing, *(s.elders.oldest_of(asked, s.number) for s, asked in having)])
        order = np.lexsort((oldest, traces))
        traces, oldest = traces[order], oldest[order]
        first = np.ones(len(traces), np.bool_)
        first[1:] = traces[1:] != traces[:-1]
        return cls(traces[first], oldest[first])

    @classmethod
    def from_bytes(cls, view: memoryview) -> "Elders":
        """What `to_bytes` made; none in an empty view."""
        words = np.frombuffer(view, "<u8") if len(view) else np.zeros(1, np.uint64)
        count = int(words[0])
        return cls(words[1 : 1 + count], words[1 + count :])

    @property
    def files(self) -> tuple[int, ...]:
        """Numbers of the log files in which the traces began, each once."""
        return tuple(np.unique(self.oldest).tolist())

    def to_bytes(self) -> bytes:
        """The section of the index file."""
        return (
            len(self.traces).to_bytes(_HEADER_BYTES, "little") + np.concatenate(self).astype("<u8").tobytes()
        )

    def oldest_of(self, traces: Words, number: int) -> Words:
        """The oldest log file of each of some traces; `number`, the segment's own, where it has no older one."""
        found = np.full(len(traces), number, np.uint64)
        if len(self.traces):
            at = np.minimum(np.searchsorted(self.traces, traces), len(self.traces) - 1)
            known = self.traces[at] == traces
            found[known] = self.oldest[at[known]]
        return found


class Relatives(NamedTuple):
    """The older spans of a file's traces.

    Attributes:
        tables: One for each segment that has some, the oldest first; rows as in the segment.
        gone: How many traces are left out since some of their spans are gone by retention.
        many: How many are left out since they have more than MOST_OLDER older spans.
    """

    tables: list[pa.Table]
    gone: int = 0
    many: int = 0


def relatives_of(
    older: Sequence[Elder],
    relatives: Mapping[int, Words],
    elders: Elders,
    columns: Sequence[str],
    gone_through: int,
) -> Relatives:
    """Read the older spans of traces, as far as all of them are there.

    Args:
        older: All segments, the oldest first.
        relatives: By number of a segment, the low halves of the ids of the traces that it has, ascending.
        elders: In which log files these traces began.
        columns: What to read.
        gone_through: The last log file that is gone.
    """
    having = [(segment, relatives[segment.number]) for segment in older if segment.number in relatives]
    if not having:
        return Relatives([])
    place = [np.searchsorted(elders.traces, asked) for _, asked in having]
    counts = np.zeros(len(elders.traces), np.int64)
    for (segment, asked), at in zip(having, place, strict=True):
        counts[at] += segment.spans_in(asked)
    gone = elders.oldest <= np.uint64(gone_through)
    many = (counts > MOST_OLDER) & ~gone
    chosen = ((s, asked[~(gone | many)[at]]) for (s, asked), at in zip(having, place, strict=True))
    tables = [segment.spans_of(asked, columns) for segment, asked in chosen if len(asked)]
    return Relatives(tables, int(gone.sum()), int(many.sum()))
