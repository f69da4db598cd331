"""The process that runs one SQL query: DuckDB, confined; a program of its own that imports nothing of Weft.

It is started with an empty environment and takes a job on its standard input. What a query can reach is what
the parent hands over: paths of Parquet files, tables in Arrow's stream format, and the answers to requests for
attributes, which the parent reads out of the log. It opens no other file and has no network.

The walls, from the outside in: limits of the system on memory, processor time, files and their size; DuckDB
without external access (but for the listed files), extensions, temporary files or scans of Python's variables,
its configuration locked; and one SELECT statement, told by DuckDB's own parser.

Frames, both ways: one letter, eight bytes of length (little-endian), the payload.
    in:  J the job as JSON; T one table; V values of an attribute
    out: A the rows whose attribute is asked for; R rows of the answer; E an error; D the end, as JSON
"""

import inspect
import json
import os
import resource
import sys
import threading
from typing import Any

FRAME_BYTES = 1 << 30
BATCH_ROWS = 8192
UDF = "weft_attribute"
POINTER = ("_table", "Block", "Body", "Offset", "Length", "ResourceId")
IDS = ("TraceId", "SpanId", "ParentSpanId")


class Pipe:
    """The frames to and from the parent."""

    def __init__(self) -> None:
        self._in, self._out = sys.stdin.buffer, sys.stdout.buffer
        self._lock = threading.Lock()

    def send(self, letter: bytes, payload: bytes) -> None:
        """Write one frame."""
        self._out.write(letter + len(payload).to_bytes(8, "little") + payload)
        self._out.flush()

    def receive(self, letter: bytes) -> bytes:
        """Read the frame that must come now."""
        head = self._in.read(9)
        length = int.from_bytes(head[1:], "little")
        if head[:1] != letter or length > FRAME_BYTES:
            raise SystemExit(3)
        return self._in.read(length)

    def ask(self, payload: bytes) -> bytes:
        """Have the parent answer a request for attributes; one at a time."""
        with self._lock:
            self.send(b"A", payload)
            return self.receive(b"V")


def limit(job: dict[str, Any]) -> None:
    """Ask the system to hold this process to its limits."""
    for name, most in (
        (resource.RLIMIT_AS, job["address_bytes"]),
        (resource.RLIMIT_CPU, job["cpu_seconds"]),
        (resource.RLIMIT_NOFILE, 64 + len(job["files"])),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (most, most))


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def attribute_function(pipe: Pipe) -> Any:
    """What DuckDB calls for the attributes of some rows."""
    import pyarrow as pa  # noqa: PLC0415 - after the limits are set
    from pyarrow import ipc  # noqa: PLC0415 - likewise

    def attribute(*columns: Any) -> Any:
        arrays: list[Any] = [c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in columns]
        sink = pa.BufferOutputStream()
        asked = pa.table(dict(zip((*POINTER, "key"), arrays, strict=True)))
        with ipc.new_stream(sink, asked.schema) as writer:
            writer.write_table(asked)
        answer = ipc.open_stream(pipe.ask(sink.getvalue().to_pybytes())).read_all()
        return answer.column(0).combine_chunks()

    kind = inspect.Parameter.POSITIONAL_ONLY  # DuckDB counts the parameters
    parameters = [inspect.Parameter(name, kind) for name in (*POINTER, "key")]
    attribute.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # documented for this use
    return attribute


def view(tables: list[str], names: list[str]) -> str:
    """The view `spans`: the columns of all tables, ids as hex."""
    columns = ", ".join(f"lower(hex({n})) AS {n}" if n in IDS else f'"{n}"' for n in names)
    return f"CREATE VIEW spans AS SELECT {columns}, _table FROM ({' UNION ALL '.join(tables)})"  # noqa: S608 - no input


def prepare(pipe: Pipe, job: dict[str, Any]) -> Any:
    """A connection that sees the spans and nothing else."""
    import duckdb  # noqa: PLC0415 - after the limits are set
    from pyarrow import ipc  # noqa: PLC0415 - likewise

    con: Any = duckdb.connect(":memory:")
    con.execute("SET TimeZone='UTC'")
    for setting in (
        "python_enable_replacements=false",
        "autoinstall_known_extensions=false",
        "autoload_known_extensions=false",
        "allow_community_extensions=false",
        "temp_directory=''",
        f"memory_limit='{job['memory_bytes']}B'",
        f"threads={job['threads']}",
        f"allowed_paths=[{', '.join(quoted(file['path']) for file in job['files'])}]",
        "enable_external_access=false",
    ):
        con.execute(f"SET {setting}")
    names = job["columns"]
    listed = ", ".join(f'"{name}"' for name in names)
    parts = [
        f"SELECT {listed}, {int(file['table'])} AS _table FROM read_parquet({quoted(file['path'])})"  # noqa: S608
        for file in job["files"]
    ]
    for number in job["tables"]:
        con.register(f"_rows_{int(number)}", ipc.open_stream(pipe.receive(b"T")).read_all())
        parts.append(f"SELECT {listed}, {int(number)} AS _table FROM _rows_{int(number)}")  # noqa: S608 - no input
    con.create_function(
        UDF, attribute_function(pipe), [*["BIGINT"] * len(POINTER), "VARCHAR"], "VARCHAR",
        type="arrow", null_handling="special", side_effects=False,
    )  # fmt: skip
    con.execute(view(parts, names))
    con.execute("SET lock_configuration=true")
    return con


def checked(sql: str) -> str:
    """The one SELECT statement of a text."""
    import duckdb  # noqa: PLC0415 - after the limits are set

    statements = duckdb.extract_statements(sql)
    if len(statements) != 1:
        raise ValueError(f"Write one SELECT statement; these are {len(statements)}.")
    kind = statements[0].type.name
    if kind != "SELECT":
        raise ValueError(f"Only SELECT can be run here, and this is {kind}.")
    return str(statements[0].query)


def expanded(sql: str) -> str:
    """The statement with the span's pointer given to each call of `attributes`.

    A macro cannot do that: its columns are bound where it is made. DuckDB's own tokens tell a call from a text, a
    comment or a column of that name. `s.attributes('key')` is the attribute of one table of a join.
    """
    import duckdb  # noqa: PLC0415 - after the limits are set

    starts = [start for start, _ in duckdb.tokenize(sql)]
    ends = [*starts[1:], len(sql)]
    words = [sql[start:end] for start, end in zip(starts, ends, strict=True)]
    plain = [word.partition("--")[0].partition("/*")[0].strip().lower() for word in words]
    for at in range(len(words) - 1):
        if plain[at] == "attributes" and plain[at + 1] == "(":
            owner = plain[at - 2] + "." if at > 1 and plain[at - 1] == "." else ""
            words[at] = UDF
            words[at + 1] = "(" + "".join(f'{owner}"{name}", ' for name in POINTER)
            if owner:
                words[at - 2] = words[at - 1] = ""
    return sql[: starts[0]] + "".join(words) if starts else sql


def answer(pipe: Pipe, con: Any, job: dict[str, Any]) -> None:
    """Run the query and send its rows, up to the caps."""
    import pyarrow as pa  # noqa: PLC0415 - after the limits are set
    from pyarrow import ipc  # noqa: PLC0415 - likewise

    reader = con.execute(expanded(checked(job["sql"]))).to_arrow_reader(BATCH_ROWS)
    left, room, truncated = job["rows"], job["bytes"], False
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            kept = batch.slice(0, left)
            room -= kept.nbytes
            truncated = batch.num_rows > left or room < 0
            if room >= 0:
                writer.write_batch(kept)
                left -= kept.num_rows
            if truncated:
                break
    pipe.send(b"R", sink.getvalue().to_pybytes())
    pipe.send(b"D", json.dumps({"truncated": truncated}).encode())


def main() -> None:
    """Take a job and answer it."""
    pipe = Pipe()
    job = json.loads(pipe.receive(b"J"))
    limit(job)
    try:
        con = prepare(pipe, job)
        answer(pipe, con, job)
    except MemoryError:
        pipe.send(
            b"E", json.dumps({"kind": "OutOfMemory", "text": "The process has no memory left."}).encode()
        )
    except Exception as error:  # noqa: BLE001 - whatever went wrong is told to the parent
        told = {"kind": type(error).__name__, "text": str(error)}
        pipe.send(b"E", json.dumps(told).encode())


if __name__ == "__main__":
    main()
    os._exit(0)  # threads of the libraries need not be waited for
