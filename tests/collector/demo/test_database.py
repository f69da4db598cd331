import sqlite3
from contextlib import closing

from weft_collector.demo import database


def test_every_product_has_a_stock(tmp_path):
    with closing(sqlite3.connect(database.create(tmp_path))) as connection:
        rows = connection.execute("SELECT name, pieces FROM product JOIN stock ON product = id").fetchall()
    assert len(rows) == database.PRODUCTS
    assert all(pieces > 0 for _, pieces in rows)


def test_two_processes_may_use_it_at_once(tmp_path):
    path = database.create(tmp_path)
    with closing(sqlite3.connect(path)) as writer, closing(sqlite3.connect(path)) as reader:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE stock SET pieces = 1")
        assert reader.execute("SELECT count(*) FROM product").fetchone() == (database.PRODUCTS,)
        writer.rollback()
