"""A disk that fills up: spans are refused with a reason, nothing is harmed, and room heals it without a restart."""

import os
import subprocess
from contextlib import contextmanager
from itertools import count

import pytest

from benchmarks.collector import Collector
from benchmarks.load import Connection
from benchmarks.pool import Pass, Pool
from benchmarks.questions import Asker
from tests.waiting import wait_until

SIZE, FILLER = 64 << 20, 36 << 20
PER_BODY = 1024
NOON = 1_780_000_000_000_000_000
PASSES = 40
FLOORS = {"floor": "8MiB", "no room at all": "0"}
"""The limit of free disk at which the collector refuses; with none, the system refuses it."""


@contextmanager
def small_disk(folder):
    """A file system of SIZE bytes at a folder."""
    folder.mkdir()
    if os.geteuid():
        pytest.skip("mounting a small tmpfs needs root")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class Sender:
    """Posts bodies of the pool one after the other, each once."""

    def __init__(self, url):
        self.pool = Pool.of(PER_BODY, 64 * PER_BODY, seed=5)
        self.acknowledged = []
        self._url = url
        self._bodies = ((Pass(n, NOON), body) for n in count() for body in range(self.pool.bodies))

    def until_refused(self, most=PASSES * 64):
        """Send until a body is refused; the refusal."""
        connection = Connection(self._url)
        try:
            for _ in range(most):
                answer = self.send(connection)
                if answer.status != 200:
                    return answer
        finally:
            connection.close()
        raise AssertionError(f"{len(self.acknowledged)} bodies were taken, and the disk was never full")

    def send(self, connection):
        replay, body = next(self._bodies)
        answer = connection.post(self.pool.mended(body, replay), "identity")
        if answer.status == 200:
            self.acknowledged.append((replay, body))
        return answer

    def is_taken(self):
        connection = Connection(self._url)
        try:
            return self.send(connection).status == 200
        finally:
            connection.close()


def missing(url, sender):
    """Acknowledged bodies of which a trace or span is not shown; each body's first and last span is asked for."""
    asker, found = Asker(url), []
    try:
        for replay, body in sender.acknowledged:
            traces, spans = sender.pool.ids(body, replay)
            for row in (0, -1):
                asked = asker.ask(f"/api/v1/traces/{bytes(traces[row]).hex()}")
                if bytes(spans[row]).hex().encode() not in asked.body:
                    found.append((replay, body))
    finally:
        asker.close()
    return found


@pytest.mark.parametrize("floor", FLOORS)
def test_a_full_disk_refuses_harms_nothing_and_heals(tmp_path, floor):
    settings = ("--free-disk-bytes", FLOORS[floor], "--log-file-bytes", "2MiB")
    with small_disk(tmp_path / "disk") as disk:
        filler = disk / "filler"
        filler.write_bytes(bytes(FILLER))
        collector = Collector(disk / "weft", settings)
        try:
            collector.await_ready()
            sender = Sender(collector.url)
            refusal = sender.until_refused()
            assert refusal.status in {503, 507}
            assert any(word in refusal.body.lower() for word in (b"disk", b"space", b"storage")), refusal.body
            assert refusal.retry_after > 0
            assert missing(collector.url, sender) == []
            filler.unlink()
            wait_until(sender.is_taken)
            collector.kill()
            collector = Collector(disk / "weft", settings)
            collector.await_ready()
            assert missing(collector.url, sender) == []
            lost = collector.json("/api/v1/status")["counters"]["log_blocks_lost"]
            assert sum(lost.values()) == 0
        finally:
            if collector.process.poll() is None:
                collector.stop()
