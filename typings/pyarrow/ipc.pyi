# What the collector uses of pyarrow.ipc.
from contextlib import AbstractContextManager
from typing import Protocol

from pyarrow import Buffer, BufferOutputStream, Schema, Table

class _Writer(Protocol):
    def write_table(self, table: Table) -> None: ...

class _Reader(Protocol):
    def read_all(self) -> Table: ...

def new_stream(sink: BufferOutputStream, schema: Schema) -> AbstractContextManager[_Writer]: ...
def open_stream(source: Buffer) -> AbstractContextManager[_Reader]: ...
