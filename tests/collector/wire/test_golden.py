"""The agent's golden bytes: what it sends is what upb reads and what the columns say."""

from pathlib import Path

import pytest

from tests.collector.wire import upb_oracle
from weft_collector.wire.otlp_protobuf import Decoder

GOLDEN = sorted((Path(__file__).parents[2] / "wire" / "golden").glob("*.bin"))
LATE = 2**62


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


def test_there_are_golden_files():
    assert GOLDEN


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_decoder_reads_a_golden_file_as_upb_does(decoder, path):
    body = path.read_bytes()
    message = upb_oracle.parse(body)
    assert message is not None
    expected = upb_oracle.expected(message, LATE)
    decoded = decoder.decode(body, LATE)
    assert expected.spans
    assert upb_oracle.rows(decoded, decoder.strings, body) == expected.spans
    assert dict(decoded.rejected) == expected.rejected == {}
