"""The resources and scopes of a segment: the exact bytes of each, once.

A row keeps the bytes where they are small and there are few; any sender can fill a log with large resources,
so beyond a bound a row only says where the log has the bytes.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from weft_collector.store.arrow_bytes import table_bytes
from weft_collector.store.ports import Position, SpanBytes
from weft_collector.store.span_columns import Texts

__all__ = ["Dictionary", "DictionaryBuilder"]

_INLINE_BYTES: Final = 8 << 20
_LONGEST_INLINE: Final = 16 << 10

_SCHEMA: Final = pa.schema(
    [
        ("Bytes", pa.binary()),  # null where only the place is kept
        ("SchemaUrl", pa.string()),
        ("Block", pa.uint32()),
        ("Body", pa.uint32()),
        ("Offset", pa.uint32()),
        ("Length", pa.uint32()),
    ]
)


class DictionaryBuilder:
    """Collects what the runs of a segment name, run by run.

    Args:
        runs: How many runs there are.
        texts: The texts of schema URLs.
    """

    def __init__(self, runs: int, texts: Texts) -> None:
        self.ids = np.zeros(runs, np.int64)
        self._texts = texts
        self._known: dict[tuple[bytes, int], int] = {}
        self._rows: list[tuple[Any, ...]] = []
        self._inline = 0

    def add(self, run: int, content: bytes, schema_url: int, place: tuple[int, ...]) -> None:
        """Note what a run names: a message, the text id of its schema URL, and block, body, offset and length."""
        number = self._known.get((content, schema_url))
        if number is None:
            number = self._known[content, schema_url] = len(self._rows)
            is_inline = len(content) <= _LONGEST_INLINE and self._inline + len(content) <= _INLINE_BYTES
            self._inline += len(content) if is_inline else 0
            self._rows.append((content if is_inline else None, self._texts.text(schema_url), *place))
        self.ids[run] = number

    def to_bytes(self) -> bytes:
        """The section of the index file."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(_SCHEMA)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
        return table_bytes(pa.table(arrays, schema=_SCHEMA))


class Dictionary:
    """Reads the section.

    Args:
        number: Of the log file.
        table: Its rows.
        log: Where long ones are read.
    """

    def __init__(self, number: int, table: "pa.Table", log: SpanBytes) -> None:
        self._number, self._table, self._log = number, table, log

    def get(self, row: int) -> tuple[bytes, str]:
        """The bytes, and the schema URL beside them."""
        found: dict[str, Any] = self._table.slice(row, 1).to_pylist()[0]
        if found["Bytes"] is not None:
            return found["Bytes"], found["SchemaUrl"]
        position = Position(self._number, found["Block"], found["Body"])
        return self._log.read(position, found["Offset"], found["Length"]), found["SchemaUrl"]
