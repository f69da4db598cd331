"""Running one SQL query in a process of its own, and ending it when its time is over.

The parent keeps the log: the child asks it for attributes, and is given the rows of tables that are no files.
Whatever the child does, the parent waits no longer than the limit, reads no frame that is larger than was
agreed, and goes on.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import pyarrow as pa
from pyarrow import ipc

from weft_collector.errors import BadQuery, CollectorError, MissingLibrary, QueryTooCostly, Unavailable
from weft_collector.query.catalog import Catalog
from weft_collector.query.sql.attribute_rows import FilesGone, attribute_texts
from weft_collector.store.ports import SpanBytes, SpanTable
from weft_collector.store.span_schema import SCHEMA

__all__ = ["MOST_ROWS", "Answer", "Sql", "SqlLimits"]

MOST_ROWS: Final = 100_000
LONGEST_SQL: Final = 64 << 10
_CHILD: Final = Path(__file__).with_name("child.py")
_FRAME_HEAD: Final = 9
_ASKED_BYTES: Final = 64 << 20
_ATTEMPTS: Final = 3
_NO_FILE: Final = frozenset(
    {"IOException", "PermissionException"}
)  # DuckDB's word for an allowed file that is gone
_OVER: Final = frozenset({"OutOfMemoryException", "OutOfMemory", "MemoryError"})


@dataclass(frozen=True, slots=True)
class SqlLimits:
    """Bounds of one query.

    Attributes:
        seconds: Time until it is ended.
        answer_bytes: Bytes of the answer's rows.
        memory_bytes: Memory that DuckDB may use.
        address_bytes: Address space of the process, libraries included.
        threads: Threads.
        at_once: Queries that run at a time.
    """

    seconds: float = 30.0
    answer_bytes: int = 64 << 20
    memory_bytes: int = 512 << 20
    address_bytes: int = 8 << 30
    threads: int = 2
    at_once: int = 1


class Answer(NamedTuple):
    """Rows of a query.

    Attributes:
        rows: The rows.
        truncated: Whether there are more than the caps let through.
    """

    rows: pa.Table
    truncated: bool


class Sql:
    """SQL over a catalog; any thread may ask.

    Args:
        catalog: The spans.
        log: Their bytes.
        file_of: The Parquet file of a table; None for one that has none, whose rows are handed over instead.
        limits: Bounds.
    """

    def __init__(
        self,
        catalog: Catalog,
        log: SpanBytes,
        file_of: Callable[[SpanTable], Path | None],
        limits: SqlLimits | None = None,
    ) -> None:
        self._catalog = catalog
        self._log = log
        self._file_of = file_of
        self._limits = limits or SqlLimits()
        self._slots = threading.BoundedSemaphore(self._limits.at_once)

    def run(self, sql: str, rows: int = 1000) -> Answer:
        """Run one SELECT statement.

        Args:
            sql: The statement. It sees the view `spans` and the function `attributes(key)`.
            rows: How many rows at most.

        Raises:
            BadQuery: It is no SELECT that DuckDB understands; the text says where.
            QueryTooCostly: Its time or memory was used up.
            Unavailable: Others run.
        """
        if not 1 <= rows <= MOST_ROWS:
            raise BadQuery(f"limit={rows} is out of range: 1 to {MOST_ROWS}.")
        if len(sql) > LONGEST_SQL:
            raise BadQuery(f"The statement has {len(sql)} characters; at most {LONGEST_SQL}.")
        if not self._slots.acquire(timeout=self._limits.seconds):
            raise Unavailable("Another SQL query runs; ask again later.", self._limits.seconds)
        try:
            return self._run(sql, rows)
        finally:
            self._slots.release()

    def _run(self, sql: str, rows: int) -> Answer:
        """Run it over the tables of this moment; should retention remove some meanwhile, over those of a later one."""
        for _ in range(_ATTEMPTS):
            tables = self._catalog.tables()
            try:
                return self._attempt(tables, sql, rows)
            except FilesGone:
                if {table.number for table in tables} <= {table.number for table in self._catalog.tables()}:
                    raise
        raise Unavailable(
            "Retention removed files while the query read them, again and again; ask again, or for newer spans."
        )

    def _attempt(self, tables: Sequence[SpanTable], sql: str, rows: int) -> Answer:
        with _started(self._limits.seconds) as child:
            try:
                self._hand_over(child, tables, sql, rows)
                return self._listen(child, tables)
            except (BrokenPipeError, EOFError):
                raise QueryTooCostly(self._why_gone(child)) from None

    def _hand_over(self, child: "_Child", tables: Sequence[SpanTable], sql: str, rows: int) -> None:
        limits = self._limits
        files = {
            number: path for number, table in enumerate(tables) if (path := self._file_of(table)) is not None
        }
        others = [number for number in range(max(len(tables), 1)) if number not in files]
        job = {
            "sql": sql,
            "rows": rows,
            "bytes": limits.answer_bytes,
            "columns": SCHEMA.names,
            "files": [{"table": number, "path": str(path)} for number, path in files.items()],
            "tables": others,
            "memory_bytes": limits.memory_bytes,
            "address_bytes": limits.address_bytes,
            "cpu_seconds": int(limits.seconds * limits.threads) + 1,
            "threads": limits.threads,
        }
        child.send(b"J", json.dumps(job).encode())
        for number in others:
            child.send(
                b"T",
                _stream(tables[number].read(SCHEMA.names) if tables else pa.Table.from_batches([], SCHEMA)),
            )

    def _listen(self, child: "_Child", tables: Sequence[SpanTable]) -> Answer:
        rows: pa.Table | None = None
        while True:
            letter, payload = child.receive(self._limits.answer_bytes + _ASKED_BYTES)
            match letter:
                case b"A":
                    texts = attribute_texts(tables, self._log, ipc.open_stream(payload).read_all())
                    child.send(b"V", _stream(pa.Table.from_pydict({"text": pa.array(texts, pa.string())})))
                case b"R":
                    rows = ipc.open_stream(payload).read_all()
                case b"D" if rows is not None:
                    return Answer(rows, bool(json.loads(payload)["truncated"]))
                case b"E":
                    raise _refusal(json.loads(payload))
                case _:
                    raise EOFError

    def _why_gone(self, child: "_Child") -> str:
        if child.timed_out:
            return (
                f"The query was ended after {self._limits.seconds:g} s; narrow it, by Timestamp for example."
            )
        return "The query was ended: it used up its processor time or memory. Narrow it, or aggregate less."


def _refusal(told: dict[str, Any]) -> CollectorError:
    kind, text = str(told["kind"]), str(told["text"])
    if kind in _OVER:
        first = text.partition("\n")[0]
        return QueryTooCostly(f"The query needs more memory than it may use ({first}); narrow it.")
    if kind == "ModuleNotFoundError":
        return MissingLibrary("SQL needs duckdb.", 'pip install "weft[collector]"')
    return FilesGone(text) if kind in _NO_FILE else BadQuery(text)


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


class _Child:
    """The process, and the frames to and from it."""

    def __init__(self, process: subprocess.Popen[bytes], ways: tuple[IO[bytes], IO[bytes]]) -> None:
        self._process = process
        self._in, self._out = ways
        self.timed_out = False

    def end(self) -> None:
        """Kill it: its time is over."""
        self.timed_out = True
        self._process.kill()

    def send(self, letter: bytes, payload: bytes) -> None:
        """Write one frame."""
        self._in.write(letter + len(payload).to_bytes(8, "little"))
        self._in.write(payload)
        self._in.flush()

    def receive(self, most: int) -> tuple[bytes, bytes]:
        """Read one frame of at most so many bytes.

        Raises:
            EOFError: The process is gone, or does not keep to the protocol.
        """
        head = self._out.read(_FRAME_HEAD)
        length = int.from_bytes(head[1:], "little")
        if len(head) < _FRAME_HEAD or length > most:
            raise EOFError
        payload = self._out.read(length)
        if len(payload) < length:
            raise EOFError
        return head[:1], payload


@contextmanager
def _started(seconds: float) -> Generator[_Child]:
    """A child with nothing of our environment, killed at the end whatever happens."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own file
        [sys.executable, "-I", "-B", str(_CHILD)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/",
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    child = _Child(process, (process.stdin, process.stdout))
    timer = threading.Timer(seconds, child.end)
    timer.start()
    try:
        yield child
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                pipe.close()
        timer.join()
