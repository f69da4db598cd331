"""The shop's database, as catalog and inventory use it: one SQLite file, two services.

Nothing here knows of tracing: the agent records the statements of the standard library's `sqlite3`.
"""

import sqlite3
from collections.abc import Sequence

from weft_collector.demo.counters import Counters, Edge
from weft_collector.demo.database import FILE
from weft_collector.demo.services.service import FOLDER
from weft_collector.demo.topology import SHOP_DATABASE

Row = tuple[object, ...]


class Database:
    """A connection to the shop's database that counts its statements.

    Args:
        service: Who asks.
        counters: The counters of that service.
    """

    def __init__(self, service: str, counters: Counters) -> None:
        self._edge = Edge(service, SHOP_DATABASE)
        self._counters = counters
        self._connection = sqlite3.connect(FOLDER / FILE, isolation_level=None)

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Run one statement and return its rows. Takes well below a millisecond, so it may block the loop."""
        rows: list[Row] = self._connection.execute(statement, values).fetchall()
        self._counters.call(self._edge)
        return rows
