"""The two ways in which a stray access of a kernel is caught, and that they catch one."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.guarded import Guarded, Side

ROOT = Path(__file__).parents[2]

CHECKED = """
import random
from tests.fuzz.checked import Watch
from tests.collector.wire import otlp_factory
from tests.collector.wire.test_refusals import mutated
from weft_collector.errors import MalformedBody
from weft_collector.kernel import kernel, load8, load64, store8
from weft_collector.store import block_tokens
from weft_collector.wire import otlp_protobuf

@kernel
def stray(p: int, end: int) -> int:
    store8(p - 1, 7)
    return load8(p) + load8(end - 1) + load64(end - 7)

watch, draw = Watch(), random.Random(5)
decoder, tokens = otlp_protobuf.Decoder(), block_tokens.BlockTokens()
watch.own(decoder, tokens)
bodies = list(otlp_factory.realistic(8, 4, 3))
kept = 0
for round in range(1500):
    body = draw.choice(bodies)
    body = body if round < 8 else body[: draw.randrange(len(body))] if round % 2 else mutated(draw, body)
    with watch.body(body):
        try:
            kept += len(decoder.decode(body, otlp_factory.NOW).spans.name)
        except MalformedBody:
            pass
        tokens.tokens(body)
assert watch.violations == 0, watch.first
assert kept > 100
area = bytearray(range(100, 200))
with watch.body(memoryview(area)[10:20]) as _:
    import numpy
    begin = numpy.frombuffer(area, numpy.uint8).ctypes.data + 10
    assert stray(begin, begin + 10) == 110 + 119
assert area[9] == 109
print("violations", watch.violations, watch.first)
"""

GUARDED = """
import ctypes, sys
from tests.fuzz.guarded import Guarded, Side

area = Guarded(5000)
area.place(b"end")
assert ctypes.string_at(area.address + area.room - 3, 3) == b"end"
area.place(b"begin", Side.BEGIN)
assert ctypes.string_at(area.address, 5) == b"begin"
print("inside", flush=True)
ctypes.string_at(area.address - 1 if sys.argv[1] == "begin" else area.address + area.room, 1)
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def test_no_access_of_the_checked_build_is_outside_and_a_stray_one_would_be_counted():
    ran = run(CHECKED)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("violations 2 1 bytes at ")


@pytest.mark.parametrize("side", ["begin", "end"])
def test_a_read_beyond_the_guard_is_a_crash(side):
    ran = run(GUARDED, side)
    assert ran.stdout == "inside\n", ran.stderr
    assert ran.returncode < 0


def test_a_body_lies_where_it_was_asked_for():
    area = Guarded(5000)
    assert bytes(area.place(b"one")) == b"one"
    assert bytes(area.place(b"two", Side.BEGIN)) == b"two"
    assert len(area.place(b"")) == 0
    assert len(area.place(bytes(area.room))) == area.room >= 5000
    with pytest.raises(ValueError, match="do not fit"):
        area.place(bytes(area.room + 1))
