"""Running a query over a data folder, by the same parts that the collector runs it by."""

from functools import partial
from pathlib import Path
from typing import Final

import click

from weft_collector.cli.announcing import Announcer, announcer
from weft_collector.config import BadSetting
from weft_collector.folder import Folder
from weft_collector.query.sql.formats import FORMATS
from weft_collector.query.sql.runner import Answer, Sql
from weft_collector.store.files import LOCK_NAME, FolderReader
from weft_collector.store.manifest import MANIFEST
from weft_collector.store.notices import Notice
from weft_collector.store.recovery import file_numbers
from weft_collector.store.segment import parquet_file
from weft_collector.telemetry import Telemetry

__all__ = ["FORMATS", "ask"]


def ask(folder: Path, sql: str, rows: int) -> Answer:
    """Run one SELECT statement over the spans of a data folder; nothing in it is changed.

    Args:
        folder: The folder; a collector may be running on it.
        sql: The statement.
        rows: How many rows at most.

    Raises:
        BadSetting: The folder is no data folder, or cannot be read.
        CollectorError: What is in it cannot be read, or the query cannot be answered.
    """
    files = FolderReader(folder)
    shown = announcer()
    try:
        _check(folder, files)
        spans = Folder(files, Telemetry(), partial(_tell, shown), shown.progress)
        return Sql(spans, spans.log, partial(parquet_file, folder)).run(sql, rows)
    except OSError as error:
        raise BadSetting(f"data: {folder} cannot be read: {error.strerror}.") from error
    finally:
        shown.done()


def _check(folder: Path, files: FolderReader) -> None:
    """Tell a data folder, however little is in it, from any other."""
    if not folder.exists():
        raise BadSetting(f"data: there is no {folder}; {_NEXT}")
    if not folder.is_dir():
        raise BadSetting(f"data: {folder} is no folder; {_NEXT}")
    if not (MANIFEST in files.names() or file_numbers(files) or (folder / LOCK_NAME).exists()):
        raise BadSetting(f"data: {folder} is no data folder, there is no log in it; {_NEXT}")


_NEXT: Final = "name the folder that `weft serve` shows behind `data` as it starts."


def _tell(shown: Announcer, notice: Notice) -> None:
    shown.done()
    click.echo(f"log {notice.event}: {notice.text}", err=True)
