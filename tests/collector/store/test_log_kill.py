"""A real process writes to a real disk and is killed at a random moment, again and again on the same log."""

import os
import random
import signal
import struct
import subprocess
import sys
import threading

import pytest

from tests.collector.store.logs import open_log
from weft_collector.store.files import RealFiles
from weft_collector.store.log import LogOptions
from weft_collector.telemetry import Telemetry

OPTIONS = LogOptions(file_bytes=100_000, block_bytes=8_000, floor_bytes=0)

# Groups of records with running numbers; a number is printed as soon as its group is synced.
WRITER = """
import pathlib, random, sys
from weft_collector.store.files import RealFiles
from weft_collector.store.log import Log, LogOptions
from weft_collector.store.ports import Record
from weft_collector.telemetry import Telemetry
log = Log(RealFiles(pathlib.Path(sys.argv[1])), Telemetry(), LogOptions(100_000, 8_000, floor_bytes=0))
number, chance = int(sys.argv[2]), random.Random(sys.argv[2])
print("ready", flush=True)
while True:
    group = []
    for _ in range(chance.randint(1, 40)):
        group.append(Record(1, number, 1, chance.randbytes(chance.choice([10, 300, 20_000]))))
        number += 1
    log.append(group)
    log.sync()
    print(number - 1, flush=True)
"""


def run_and_kill(folder, first, seconds):
    """The highest number that was acknowledged before the process was killed."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(first)], stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"ready\n"
    timer = threading.Timer(seconds, os.kill, (writer.pid, signal.SIGKILL))
    timer.start()
    lines, _ = writer.communicate()
    timer.join()
    assert writer.returncode == -signal.SIGKILL
    whole = [line for line in lines.splitlines(keepends=True) if line.endswith(b"\n")]
    return int(whole[-1]) if whole else first - 1


def campaign(folder, rounds):
    chance, first, torn = random.Random(rounds), 0, 0
    for _ in range(rounds):
        acknowledged = run_and_kill(folder, first, chance.uniform(0.02, 0.3))
        telemetry = Telemetry()
        log = open_log(RealFiles(folder), OPTIONS, telemetry)
        numbers = [record.arrived_ns for _, record in log.replay()]
        log.close()
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > acknowledged
        assert telemetry.value("log_blocks_lost") == 0
        torn += telemetry.value("log_tails_torn")
        first = len(numbers)
    print(f"{first} records in {rounds} rounds, {torn} torn tails")
    assert first > 0


def test_every_acknowledged_record_survives_kill_9(tmp_path):
    campaign(tmp_path, 3)


@pytest.mark.long
def test_every_acknowledged_record_survives_50_kills(tmp_path):
    campaign(tmp_path, 50)


def test_records_are_not_mixed_up_by_a_tail_that_a_kill_left(tmp_path):
    log = open_log(RealFiles(tmp_path), OPTIONS)
    log.close()
    run_and_kill(tmp_path, 0, 0.2)
    newest = max(tmp_path.glob("*.weft"))
    newest.write_bytes(newest.read_bytes() + struct.pack("<8sI", b"WeftBlk\n", 1))
    telemetry = Telemetry()
    log = open_log(RealFiles(tmp_path), OPTIONS, telemetry)
    numbers = [record.arrived_ns for _, record in log.replay()]
    log.close()
    assert numbers == list(range(len(numbers)))
    assert telemetry.value("log_tails_torn") == 1
