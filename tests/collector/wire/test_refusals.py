"""Whatever the bytes are: the same verdict as upb, and no read outside of them."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector.wire import otlp_factory, upb_oracle
from tests.collector.wire.otlp_factory import NOW
from weft_collector.errors import MalformedBody
from weft_collector.wire.otlp_protobuf import Decoder

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


def refuses(decoder: Decoder, body: bytes) -> bool:
    try:
        decoder.decode(body, NOW)
    except MalformedBody as error:
        position = error.position
    else:
        return False
    assert position is not None
    assert 0 <= position <= len(body)
    return True


def test_a_body_cut_anywhere_gets_the_verdict_of_upb(decoder):
    body = next(otlp_factory.realistic(1, 8))
    verdicts = [refuses(decoder, body[:end]) for end in range(len(body))]
    assert verdicts == [upb_oracle.parse(body[:end]) is None for end in range(len(body))]
    assert verdicts.count(True) > len(body) * 0.9


def mutated(draw: random.Random, body: bytes) -> bytes:
    """Some bits flipped, bytes overwritten, removed or doubled."""
    changed = bytearray(body)
    for _ in range(draw.randrange(1, 4)):
        at, length = draw.randrange(len(changed)), draw.randrange(1, 9)
        match draw.randrange(4):
            case 0:
                changed[at] ^= 1 << draw.randrange(8)
            case 1:
                changed[at : at + length] = draw.randbytes(length)
            case 2:
                del changed[at : at + length]
            case _:
                changed[at:at] = changed[at : at + length]
    return bytes(changed)


def compare(decoder: Decoder, seed: int, rounds: int) -> int:
    """Mutate small bodies; the number that upb refuses. Where upb parses, the rows are compared as well."""
    draw = random.Random(seed)
    bodies = list(otlp_factory.realistic(20, 3, seed))
    refused = 0
    for _ in range(rounds):
        body = mutated(draw, draw.choice(bodies))
        parsed = upb_oracle.parse(body)
        assert refuses(decoder, body) == (parsed is None), body.hex()
        if parsed is None:
            refused += 1
            continue
        decoded = decoder.decode(body, NOW)
        rows, wanted = upb_oracle.rows(decoded, decoder.strings, body), upb_oracle.expected(parsed, NOW).spans
        assert [_comparable(row) for row in rows] == [_comparable(row) for row in wanted], body.hex()
    return refused


def _comparable(row):
    return {name: repr(value) if name == "span" else value for name, value in row.items() if name != "scope"}


def test_some_thousands_of_damaged_bodies(decoder):
    refused = compare(decoder, seed=1, rounds=4000)
    assert 1000 < refused < 3900


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_damaged_bodies(decoder, seed):
    compare(decoder, seed, rounds=100_000)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_random_bytes(decoder):
    draw = random.Random(5)
    for _ in range(300_000):
        body = draw.randbytes(draw.randrange(40))
        assert refuses(decoder, body) == (upb_oracle.parse(body) is None), body.hex()


def test_a_refused_body_leaves_the_decoder_usable(decoder):
    body = otlp_factory.request([otlp_factory.span()])
    for end in range(1, len(body)):
        refuses(decoder, body[:end])
    assert len(decoder.decode(body, NOW).spans.name) == 1


GUARDED = """
import random, sys
from tests.collector.wire import otlp_factory
from tests.collector.wire.test_refusals import mutated
from tests.fuzz.guarded import Guarded, Side
from weft_collector.errors import MalformedBody
from weft_collector.wire import otlp_protobuf

area = Guarded(64 << 10)
decoder = otlp_protobuf.Decoder()
decoder.warm()
draw = random.Random(3)
bodies = list(otlp_factory.realistic(10, 4, 3))
done = 0
for round in range(int(sys.argv[1])):
    body = draw.choice(bodies)
    body = body[: draw.randrange(1, len(body) + 1)] if round % 2 else mutated(draw, body)
    for side in Side:
        try:
            decoder.decode(area.place(body, side), otlp_factory.NOW)
        except MalformedBody:
            pass
    done += 1
print("done", done)
"""


def run_guarded(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", GUARDED, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_no_read_leaves_the_body():
    ran = run_guarded("3000")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "done 3000\n"
