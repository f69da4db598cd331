"""Decompression bombs on every door of a real collector: refused, and never in memory."""

import re
import time
from pathlib import Path

import grpc
import httpx
import pytest
import zstandard

from tests.collector import bombs
from tests.collector.api import bodies
from tests.collector.cli.process import serving
from weft_collector.api.grpc_methods import LOGS, METRICS, TRACES

EXTRA = 100_000_000
"""Bytes of memory that a bomb may cost."""
TYPE = {"content-type": "application/x-protobuf"}


class Memory:
    """Resident memory of a process, in bytes."""

    def __init__(self, pid):
        self._folder = Path(f"/proc/{pid}")
        if not self._folder.exists():
            pytest.skip("memory is measured through /proc")

    def of(self, name):
        return int(re.search(rf"{name}:\s+(\d+) kB", (self._folder / "status").read_text())[1]) * 1024

    def begin(self):
        """Forget the peak; the memory from here on."""
        (self._folder / "clear_refs").write_text("5")
        self._before = self.of("VmRSS")

    @property
    def extra(self):
        return self.of("VmHWM") - self._before


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A collector that has taken spans already."""
    with serving(tmp_path_factory.mktemp("bombs"), "--port", "0") as process:
        process.url = process.await_ready()
        process.memory = Memory(process.process.pid)
        send(process, bodies.shop(time.time_ns()))
        yield process
        send(process, bodies.shop(time.time_ns()))


def send(target, content, path="/v1/traces", **headers):
    return httpx.post(f"{target.url}{path}", content=content, headers=TYPE | headers, timeout=60)


def chunks(body):
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]


@pytest.mark.parametrize("pack", [bytes, chunks], ids=["whole", "chunked"])
@pytest.mark.parametrize(("encoding", "body"), bombs.BOMBS, ids=bombs.NAMES)
def test_a_bomb_over_http_is_refused_and_costs_little_memory(target, encoding, body, pack):
    target.memory.begin()
    response = send(target, pack(body), **{"content-encoding": encoding})
    assert response.status_code == 413
    assert target.memory.extra < EXTRA


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs"])
@pytest.mark.parametrize(("encoding", "body"), bombs.BOMBS, ids=bombs.NAMES)
def test_a_bomb_of_another_signal_is_refused_likewise(target, path, encoding, body):
    target.memory.begin()
    response = send(target, body, path, **{"content-encoding": encoding})
    assert response.status_code == 413
    assert target.memory.extra < EXTRA


def small_parts(path, size):
    """A body of that size in which every part is as small as can be, by what it becomes."""
    head = bytes([0x0A, *[0x80 | size & 127, 0x80 | size >> 7 & 127, 0x80 | size >> 14 & 127, size >> 21]])
    yield head + b"\x12\x00" * (size // 2), "application/x-protobuf"
    yield b"\x0a\x00" * (size // 2), "application/x-protobuf"
    name = {"/v1/metrics": b"resourceMetrics", "/v1/logs": b"resourceLogs"}[path]
    yield b'{"' + name + b'":[' + b"{}," * (size // 3) + b"{}]}", "application/json"


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs"])
@pytest.mark.parametrize("which", range(3))
def test_a_body_of_the_smallest_parts_costs_little_memory(target, path, which):
    body, content_type = list(small_parts(path, 24 << 20))[which]
    target.memory.begin()
    headers = {"content-encoding": "zstd", "content-type": content_type}
    response = send(target, zstandard.ZstdCompressor().compress(body), path, **headers)
    assert response.status_code == 413
    assert target.memory.extra < EXTRA


@pytest.mark.parametrize("path", [METRICS, LOGS])
@pytest.mark.parametrize("bomb", bombs.BOMBS[:3], ids=bombs.NAMES[:3])
def test_a_bomb_of_another_signal_over_grpc_is_refused_likewise(target, path, bomb):
    target.memory.begin()
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(target.grpc, options) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(path)(bomb[1], timeout=60)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert target.memory.extra < EXTRA


@pytest.mark.parametrize("bomb", bombs.BOMBS[:3], ids=bombs.NAMES[:3])
def test_a_bomb_over_grpc_is_refused_and_costs_little_memory(target, bomb):
    target.memory.begin()
    # Sent as it is, without the compressed flag, by a client that has nothing against it.
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(target.grpc, options) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(TRACES)(bomb[1], timeout=60)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert target.memory.extra < EXTRA
