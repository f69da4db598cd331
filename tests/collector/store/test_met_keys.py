"""Keys that meet: those of a plain reading of the spans, whatever the encoding, and nothing denied that is not known."""

from itertools import combinations_with_replacement
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collector.store import token_oracle
from tests.collector.store.test_tokens import block
from tests.collector.wire import odd_requests
from tests.collector.wire.otlp_factory import body, request, resource_spans, span
from weft_collector.errors import CorruptLog
from weft_collector.store.block_tokens import BlockTokens
from weft_collector.store.met_keys import MetKeys
from weft_collector.wire import key_pairs

SAMPLE = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
SALT, RESOURCE = 0x27D4EB2F165667C5, 0x3C79AC492BA7B653
WORD = (1 << 64) - 1


def met_in(*inflated: bytes) -> MetKeys:
    blocks = BlockTokens()
    for one in inflated:
        blocks.tokens(one)
    return blocks.met_keys()


def pair(one: int, other: int) -> int:
    return token_oracle.fold(one + other & WORD, (one ^ other) + SALT & WORD) >> 32


def numbers(attributes) -> list[int]:
    """The numbers of the keys that have a value which can be searched for."""
    keys = {key for key, _ in token_oracle.attributes(attributes)}
    return sorted(token_oracle.token(key, "") for key in keys)


def pairs_in(message) -> set[int]:
    resource_number = token_oracle.fold(token_oracle.FACTOR, RESOURCE)
    found: set[int] = set()
    for group in message.resource_spans:
        spans = [numbers(one.attributes) for scope in group.scope_spans for one in scope.spans]
        found |= {pair(*two) for keys in spans for two in combinations_with_replacement(keys, 2)}
        resource = numbers(group.resource.attributes)
        found |= {pair(key, resource_number) for key in (*resource, resource_number) if resource}
    return found


@SAMPLE
@given(st.lists(odd_requests.requests(), max_size=3))
def test_the_pairs_of_blocks_are_those_of_a_plain_reading(requests):
    met = met_in(*(block(one.SerializeToString()) for one in requests))
    assert met.whole
    assert met.pairs.tolist() == sorted({two for one in requests for two in pairs_in(one)})


@SAMPLE
@given(odd_requests.requests(), st.integers(0, 2**32))
def test_an_odd_encoding_hides_no_pair(request_, seed):
    met = met_in(block(odd_requests.reencoded(request_, Random(seed))))
    assert set(met.pairs.tolist()) >= pairs_in(request_)


def has(attributes, group) -> bool:
    return bool({key for key, _ in token_oracle.attributes(attributes)} & set(group))


KEYS = st.sampled_from(["a", "b", "c", "d"])
GROUPS = st.lists(st.lists(KEYS, min_size=1, max_size=2).map(tuple), max_size=3).map(tuple)
HELD = st.dictionaries(KEYS, st.sampled_from(["v", 1, 0.5, True, ["x"], b"no token"]), max_size=3)


@SAMPLE
@given(st.lists(st.tuples(HELD, HELD), max_size=4), GROUPS)
def test_no_span_with_all_keys_is_denied(spans, groups):
    parts = [
        resource_spans([span(id=n + 1, attributes=own)], "cart", of) for n, (own, of) in enumerate(spans)
    ]
    sent = body(parts)
    there = any(
        all(has(one.attributes, group) or has(part.resource.attributes, group) for group in groups)
        for part in parts
        for one in part.scope_spans[0].spans
    )
    met = met_in(block(sent))
    assert met.may_meet(groups) or not there
    for key in "abcd":
        own = any(has(one.attributes, [key]) for part in parts for one in part.scope_spans[0].spans)
        assert met.spans_have(key) is own


@pytest.mark.parametrize(
    ("groups", "meet"),
    [
        ((("queue",), ("topic",)), True),
        ((("queue",), ("table",)), False),
        ((("table", "topic"), ("queue",)), True),
        ((("zone",), ("table",)), True),
        ((("queue",), ("topic",), ("table",)), False),
        ((("queue",),), True),
        ((("never",),), True),
        ((("never",), ("queue",)), False),
        ((), True),
    ],
)
def test_keys_of_different_spans_never_met_and_those_of_a_resource_meet_all(groups, meet):
    spans = [span(id=1, attributes={"queue": 1, "topic": "t"}), span(id=2, attributes={"table": "t"})]
    met = met_in(block(body([resource_spans(spans, "cart", {"zone": "z"})])))
    again = MetKeys.from_bytes(met.to_bytes())
    assert met.may_meet(groups) is again.may_meet(groups) is meet


def one_block(*attributes) -> bytes:
    return block(request([span(id=n + 1, attributes=own) for n, own in enumerate(attributes)]))


@pytest.mark.parametrize(
    "inflated",
    [
        one_block({f"k{n}": n for n in range(key_pairs.MOST_KEYS + 1)}),
        one_block(*({f"k{n}": n} for n in range(key_pairs.MOST_SHAPES + 1))),
        one_block({f"k{n}": n for n in range(256)}, {f"l{n}": n for n in range(256)}),
        block(request([span()]), b"\x0a\xff\x7f"),
    ],
    ids=["keys", "shapes", "pairs", "damage"],
)
def test_what_is_not_known_denies_nothing(inflated):
    blocks = BlockTokens()
    blocks.tokens(one_block({"a": 1}))
    assert not blocks.met_keys().may_meet((("a",), ("b",)))
    blocks.tokens(inflated)
    assert blocks.met_keys().may_meet((("a",), ("b",)))
    assert MetKeys.from_bytes(blocks.met_keys().to_bytes()).may_meet((("a",), ("b",)))


def test_the_work_for_pairs_is_bounded_for_all_blocks_together():
    blocks = BlockTokens()
    many = [f"k{n}" for n in range(240)]
    for missing in range(160):
        blocks.tokens(one_block({key: 1 for at, key in enumerate(many) if at != missing}))
    assert not blocks.met_keys().whole


def test_as_many_keys_as_there_is_room_for_are_told_apart():
    met = met_in(one_block({f"k{n}": n for n in range(key_pairs.MOST_KEYS - 1)}))
    assert met.may_meet((("k0",), ("k254",)))
    assert not met.may_meet((("k0",), ("k255",)))


def test_an_index_without_the_section_denies_nothing():
    assert MetKeys.from_bytes(b"").may_meet((("a",), ("b",)))


@pytest.mark.parametrize(
    "damage", [lambda d: d[:10], lambda d: b"X" + d[1:], lambda d: d + b"\0", lambda d: d[:-4]]
)
def test_damaged_bytes_are_refused(damage):
    data = MetKeys(np.arange(3, dtype=np.uint32), whole=True).to_bytes()
    MetKeys.from_bytes(data)
    with pytest.raises(CorruptLog):
        MetKeys.from_bytes(damage(data))
