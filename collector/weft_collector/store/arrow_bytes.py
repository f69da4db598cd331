"""Arrow tables as bytes and back, without a copy on the way back."""

import pyarrow as pa

__all__ = ["table_bytes", "table_of"]


def table_bytes(table: "pa.Table") -> bytes:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def table_of(view: memoryview) -> "pa.Table":
    """The table in the bytes of an Arrow IPC stream; it looks at them in place."""
    with pa.ipc.open_stream(pa.py_buffer(view)) as reader:
        return reader.read_all()
