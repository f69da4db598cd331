"""A pool of OTLP bodies, made once and replayed with fresh ids and times for as long as a load lasts.

Making a span costs tens of microseconds, replaying one must cost next to nothing: the load generator would
otherwise measure itself. So bodies are serialized once, kept on disk, and mended before each sending at the
few places where spans differ between replays. The places are known, since protobuf keeps the order of fields:

    0A 10 <trace id> 12 08 <span id> [22 08 <parent id>] 2A <name> 30 <kind> 39 <start> 41 <end> ...

A pass is one replay of the whole pool. Its ids are those of the pool, xored with numbers that are drawn from
the seed and the pass: so spans stay in their traces, parents stay parents, no pass repeats another, and which
ids a body carried can be computed again from (seed, pass, body) without having kept them. An xor could turn
one id in 2^64 into zero, which is no id.

Numpy writes the numbers through a view of the bytes as 64-bit numbers that begin at every byte.

Replayed attribute values repeat with each pass: figures of bytes a span are fair for codecs that see a few
hundred KiB at a time, as the log's do, and flattering for dictionaries over everything.
"""

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.wire import otlp_factory

POOL_SPANS: Final = 1 << 18
FOLDER: Final = Path(tempfile.gettempdir()) / "weft-benchmark-pools"
FORMAT: Final = 2
COLUMNS: Final = ("trace_hi", "trace_lo", "parent_id", "span_id", "start", "end")
U64: Final = np.dtype("<u8")
Numbers = NDArray[np.uint64]


class Places(NamedTuple):
    """Of each span of the pool: where its numbers stand in the bytes, what they are, and its kind.

    Attributes:
        at: Offsets in the pool's bytes, one row for each of COLUMNS, written in this order. A span without a
            parent has its own id's place for the parent's: what is written there first is written over.
        values: The numbers as little-endian ones, one row for each of COLUMNS.
        trace_start: When the span's trace began, in ns since the first of the pool.
        kind: The span's kind.
        first: Ordinal of each body's first span, and the number of all.
        bounds: Offset of each body in the pool's bytes, and their size.
    """

    at: NDArray[np.int64]
    values: Numbers
    trace_start: Numbers
    kind: NDArray[np.uint8]
    first: NDArray[np.int64]
    bounds: NDArray[np.int64]


class Pass(NamedTuple):
    """One replay of the pool.

    Attributes:
        number: Its number.
        begin_ns: Start of its first trace, in ns since the epoch.
        stretch: By how much traces lie further apart than in the pool.
    """

    number: int
    begin_ns: int
    stretch: float = 1.0


class Pool:
    """The bodies, mended in place: whoever mends one must be done with sending it before it is mended again.

    Args:
        data: All bodies, one after the other.
        places: What can be mended.
        seed: Loads with different seeds share no id.
    """

    def __init__(self, data: NDArray[np.uint8], places: Places, seed: int = 0) -> None:
        self._data = data
        self._everywhere = np.ndarray(len(data) - 7, U64, data.data, 0, (1,))
        self._places = places
        self.seed = seed

    @classmethod
    def of(cls, spans: int, total: int = POOL_SPANS, seed: int = 0) -> Self:
        """The pool with bodies of `spans` spans of a shop."""
        count = max(2, total // spans)
        return cls.kept(f"shop-{spans}-{total}", lambda: otlp_factory.realistic(count, spans), seed)

    @classmethod
    def kept(cls, name: str, make: Callable[[], Iterable[bytes]], seed: int = 0) -> Self:
        """The pool of a name, made if there is none yet in the system's temporary folder."""
        path = FOLDER / f"{name}-{FORMAT}-{_fingerprint()}.npz"
        if not path.exists():
            print(f"making the bodies {name}, once ...", file=sys.stderr, flush=True)
            _write(path, *_assembled(make()))
        with np.load(path) as kept:
            return cls(kept["data"], Places(*(kept[field] for field in Places._fields)), seed)

    @property
    def bodies(self) -> int:
        """How many bodies a pass has."""
        return len(self._places.bounds) - 1

    @property
    def spans(self) -> int:
        """How many spans a pass has."""
        return int(self._places.first[-1])

    @property
    def bytes_per_span(self) -> float:
        """Mean size of a span on the wire."""
        return len(self._data) / self.spans

    @cached_property
    def span_ns(self) -> int:
        """Time from the first trace of a pass to the last."""
        return int(self._places.trace_start.max())

    def mended(self, body: int, replay: Pass) -> memoryview:
        """A body with the ids and times of a pass; valid until it is mended again."""
        rows = self._rows(body)
        numbers = self._numbers(rows, replay)
        for at, column in zip(self._places.at[:, rows], numbers, strict=True):
            self._everywhere[at] = column
        start, end = self._places.bounds[body : body + 2].tolist()
        return self._data.data[start:end]

    def ids(self, body: int, replay: Pass) -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
        """Trace ids (16 bytes) and span ids (8 bytes) of the spans of a body in a pass."""
        trace_hi, trace_lo, _, span_id, *_ = self._numbers(self._rows(body), replay)
        traces = np.ascontiguousarray(np.stack([trace_hi, trace_lo], axis=1)).view("V16").ravel()
        return traces, span_id.view("V8")

    def kinds(self, body: int) -> NDArray[np.uint8]:
        """Kinds of the spans of a body."""
        return self._places.kind[self._rows(body)]

    def spans_of(self, body: int) -> int:
        """How many spans a body has."""
        rows = self._rows(body)
        return rows.stop - rows.start

    def _rows(self, body: int) -> slice:
        return slice(*self._places.first[body : body + 2].tolist())

    def _numbers(self, rows: slice, replay: Pass) -> list[Numbers]:
        key = self._key(replay.number)
        values = self._places.values
        shift = np.uint64(replay.begin_ns) + self._moved(rows, replay.stretch)
        ids = [values[i, rows] ^ key[min(i, 2)] for i in range(4)]
        return [*ids, values[4, rows] + shift, values[5, rows] + shift]

    def _moved(self, rows: slice, stretch: float) -> Numbers:
        return (self._places.trace_start[rows] * stretch).astype(np.uint64)

    def _key(self, number: int) -> Numbers:
        digest = hashlib.blake2b(f"{self.seed} {number}".encode(), digest_size=24).digest()
        return np.frombuffer(digest, U64)


def _fingerprint() -> str:
    """Changes with the code that makes bodies, so that no stale pool is used."""
    made_by = (Path(otlp_factory.__file__), Path(__file__).with_name("graph_bodies.py"))
    return hashlib.blake2b(b"".join(p.read_bytes() for p in made_by), digest_size=6).hexdigest()


def _write(path: Path, data: bytes, places: Places) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez(file, data=np.frombuffer(data, np.uint8), **places._asdict())
    Path(file.name).rename(path)


class _Found(NamedTuple):
    """One span as it stands in the pool's bytes."""

    at: tuple[int, ...]
    values: tuple[int, ...]
    trace: bytes
    kind: int


def _assembled(bodies: Iterable[bytes]) -> tuple[bytes, Places]:
    pieces, found, bounds, first = list[bytes](), list[_Found](), [0], [0]
    for body in bodies:
        found += _spans_in(body, bounds[-1])
        pieces.append(body)
        bounds.append(bounds[-1] + len(body))
        first.append(len(found))
    return b"".join(pieces), _places(found, bounds, first)


def _spans_in(body: bytes, base: int) -> Iterator[_Found]:
    """The spans of a body, found by their ids, in the order of its bytes."""
    cursor = 0
    message = ExportTraceServiceRequest.FromString(body)
    for span in (s for r in message.resource_spans for scope in r.scope_spans for s in scope.spans):
        head = b"\x0a\x10" + span.trace_id + b"\x12\x08" + span.span_id
        begin = body.index(head, cursor)
        parent = begin + (len(head) + 2 if span.parent_span_id else 20)
        cursor = begin + len(head) + (10 if span.parent_span_id else 0)
        start = cursor + 2 + len(span.name.encode()) + 3
        assert body[start - 1] == 0x39, "start_time_unix_nano is not where it should be"
        assert body[start + 8] == 0x41, "end_time_unix_nano is not where it should be"
        places = (begin + 2, begin + 10, parent, begin + 20, start, start + 9)
        ids = (span.trace_id[:8], span.trace_id[8:], span.parent_span_id, span.span_id)
        values = (*map(_number, ids), span.start_time_unix_nano, span.end_time_unix_nano)
        yield _Found(tuple(p + base for p in places), values, span.trace_id, span.kind)


def _number(text: bytes) -> int:
    return int.from_bytes(text, "little")


def _places(found: list[_Found], bounds: list[int], first: list[int]) -> Places:
    values = np.array([f.values for f in found], np.uint64).T.copy()
    _, trace = np.unique(np.frombuffer(b"".join(f.trace for f in found), "V16"), return_inverse=True)
    begins = np.full(trace.max() + 1, values[4].max())
    np.minimum.at(begins, trace, values[4])
    values[4:] -= begins[trace]  # within the trace; trace_start says where that lies
    return Places(
        at=np.array([f.at for f in found], np.int64).T.copy(),
        values=values,
        trace_start=begins[trace] - begins.min(),
        kind=np.array([f.kind for f in found], np.uint8),
        first=np.array(first, np.int64),
        bounds=np.array(bounds, np.int64),
    )
