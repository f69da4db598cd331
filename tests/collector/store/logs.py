"""Records, small logs, and what is in them."""

import random

from weft_collector.store.blocks import HEADER_BYTES, parse_header
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Record
from weft_collector.telemetry import Telemetry

SMALL = LogOptions(file_bytes=2_000, block_bytes=400, floor_bytes=0)


def record(number: int, size: int = 100) -> Record:
    """A record that no compression shortens much, told from others by its arrival and its bytes."""
    return Record(1, number, 1, random.Random(number).randbytes(size), 1, number % 3)


def open_log(files, options=SMALL, telemetry=None, notices=None) -> Log:
    listener = None if notices is None else notices.append
    return Log(files, telemetry or Telemetry(), options, listener)


def append(log, *records):
    positions = log.append(list(records))
    log.sync()
    return positions


def contents(log) -> list[Record]:
    return [record for _, record in log.replay()]


def reopened(files, options=SMALL, telemetry=None, notices=None) -> list[Record]:
    log = open_log(files, options, telemetry, notices)
    found = contents(log)
    log.close()
    return found


def blocks(files, name) -> list[tuple[int, int]]:
    """Offset and size of each block of an undamaged file."""
    data, at, found = files.content(name), 0, []
    while at < len(data):
        size = parse_header(data[at : at + HEADER_BYTES]).size
        found.append((at, size))
        at += size
    return found
