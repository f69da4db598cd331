"""The shop's database file: products and their stock, made before the services start."""

import sqlite3
from contextlib import closing
from pathlib import Path

FILE = "shop.db"
PRODUCTS = 60
_NAMES = ("lamp", "chair", "desk", "shelf", "rug", "vase")

_SCHEMA = """
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INTEGER NOT NULL);
CREATE TABLE stock (product INTEGER PRIMARY KEY REFERENCES product, pieces INTEGER NOT NULL);
"""


def create(folder: Path) -> Path:
    """Make the file in `folder`; two processes use it at once, hence the write-ahead log."""
    path = folder / FILE
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        rows = [
            (number, f"{_NAMES[number % len(_NAMES)]} {number}", 500 + 37 * number)
            for number in range(PRODUCTS)
        ]
        connection.executemany("INSERT INTO product VALUES (?, ?, ?)", rows)
        connection.executemany(
            "INSERT INTO stock VALUES (?, 1000000)", [(number,) for number in range(PRODUCTS)]
        )
    return path
