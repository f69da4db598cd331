# What the collector uses of pyarrow.parquet.
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from pyarrow import (
    BufferOutputStream,
    BufferReader,
    FixedSizeBufferWriter,
    PythonFile,
    RecordBatch,
    Schema,
    Table,
)

class ParquetWriter:
    def __init__(self, where: PythonFile, schema: Schema, compression: str = "snappy") -> None: ...
    def write_batch(self, batch: RecordBatch) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

class ParquetFile:
    def __init__(self, source: BufferReader, *, page_checksum_verification: bool = False) -> None: ...
    def read(self) -> Table: ...
    def read_row_groups(
        self, row_groups: Sequence[int], columns: Sequence[str] | None = None, use_threads: bool = True
    ) -> Table: ...

def read_table(source: BufferReader) -> Table: ...
def write_table(
    table: Table,
    where: BufferOutputStream | FixedSizeBufferWriter,
    *,
    row_group_size: int = ...,
    use_dictionary: Sequence[str] | bool = ...,
    write_statistics: Sequence[str] | bool = ...,
    compression: str | Mapping[str, str] = ...,
    compression_level: Mapping[str, int] | None = ...,
    store_schema: bool = ...,
    write_page_checksum: bool = ...,
) -> None: ...
