"""The page names the numbers that the code is made of; other tests hold the code to plain versions of the page."""

import re
from pathlib import Path

from tests.collector.store import token_oracle
from weft_collector.store import block_tokens, bloom
from weft_collector.wire import key_pairs, token_sink

PAGE = (Path(__file__).parents[3] / "docs/segments.md").read_text()
WORD = (1 << 64) - 1


def test_the_numbers_of_the_page_are_those_of_the_code():
    named = {int(number, 16) for number in re.findall(r"\b[0-9A-F]{16}\b", PAGE)}
    in_code = {bloom._SALT, bloom._FACTOR, bloom._SECOND_SALT, bloom._SECOND_FACTOR}
    in_code |= {token_sink.KEY_SEED, token_sink._FACTOR, token_sink.DOUBLE, 0x7FF8000000000000}
    in_code |= {key_pairs.RESOURCE_KEY, key_pairs._PAIR_SALT}
    assert key_pairs._KEY_FACTOR == token_sink._FACTOR
    assert named == {int(number) & WORD for number in in_code}
    assert {token_oracle.KEY_SEED, token_oracle.FACTOR, token_oracle.DOUBLE} <= named
    assert f"{block_tokens.MOST_TOKENS:,} tokens" in PAGE
    bounds = f"{key_pairs.MOST_KEYS} keys, {key_pairs.MOST_SHAPES:,} sets of keys or {key_pairs.MOST_PAIRS:,} pairs"
    assert bounds in PAGE
    assert f"{block_tokens.BITS_PER_TOKEN} bits a token" in PAGE
