"""Calls as Parquet, one row group a chunk; the only module that imports pyarrow, and only on use."""

from collections.abc import Iterable, Iterator
from typing import Any

from weft_collector.errors import MissingLibrary
from weft_collector.export.columns import COLUMNS, Chunk, Kind

__all__ = ["parquet_bytes"]


class _Sink:
    """A file that hands on what was written since it was asked last; positions count from its beginning."""

    def __init__(self) -> None:
        self.closed = False
        self._written: list[bytes] = []
        self._position = 0

    def write(self, data: Any) -> int:
        taken = bytes(data)
        self._written.append(taken)
        self._position += len(taken)
        return len(taken)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def taken(self) -> bytes:
        data = b"".join(self._written)
        self._written.clear()
        return data


def parquet_bytes(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """A Parquet file, piece by piece.

    Raises:
        MissingLibrary: pyarrow is not installed; raised at the call, before the first piece.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - large, and loaded on use only
        from pyarrow import parquet  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as error:
        raise MissingLibrary("Parquet needs pyarrow.", 'pip install "weft[collector]"') from error

    types = {Kind.TIME: pa.timestamp("ns", tz="UTC"), Kind.TEXT: pa.string(), Kind.NUMBER: pa.float64()}
    schema = pa.schema([pa.field(column.name, types[column.kind]) for column in COLUMNS])

    def pieces() -> Iterator[bytes]:
        sink = _Sink()
        with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
            for chunk in chunks:
                arrays = [pa.array(cells, field.type) for cells, field in zip(chunk, schema, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                yield sink.taken()
        yield sink.taken()

    return pieces()
