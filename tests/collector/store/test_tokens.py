"""Tokens of a block: none that upb would find is missing, whatever the encoding, and damage is harmless."""

import contextlib
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.collector.store import token_oracle
from tests.collector.wire import odd_requests, otlp_factory, wire_bytes
from tests.collector.wire.otlp_factory import NOW, request, span
from weft_collector.store.block_tokens import MOST_TOKENS, BlockTokens
from weft_collector.store.blocks import BlockBuilder, inflate_block, parse_header
from weft_collector.store.bloom import may_hold
from weft_collector.store.ports import Record, RecordKind
from weft_collector.store.tokens import tokens_of

# How quickly a loaded machine makes examples says nothing about them.
SAMPLE = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
BLOCKS = BlockTokens()


def block(*bodies: bytes, kind: int = RecordKind.SPANS) -> bytes:
    """An inflated block of these bodies."""
    builder = BlockBuilder()
    for body in bodies:
        builder.add(Record(kind, NOW, 1, body))
    made = builder.finish(1)
    header = parse_header(made[:40])
    assert header is not None
    return inflate_block(header, made[40:]) if bodies else b""


def tokens(inflated: bytes) -> set[int]:
    found = BLOCKS.tokens(inflated)
    assert found is not None
    assert len(found) == len(set(found.tolist()))
    return set(found.tolist())


def wanted(*messages: ExportTraceServiceRequest) -> set[int]:
    return {token_oracle.token(*pair) for message in messages for pair in token_oracle.searchable(message)}


@SAMPLE
@given(st.lists(odd_requests.requests(), max_size=3))
def test_a_block_has_exactly_the_tokens_of_its_requests(requests):
    inflated = block(*(one.SerializeToString() for one in requests))
    assert tokens(inflated) == wanted(*requests)


@SAMPLE
@given(odd_requests.requests(), st.integers(0, 2**32))
def test_an_odd_encoding_hides_no_token(request_, seed):
    odd = odd_requests.reencoded(request_, Random(seed))
    assert tokens(block(odd)) >= wanted(request_)


@SAMPLE
@given(odd_requests.requests())
def test_the_filter_of_a_block_denies_no_attribute_of_its_spans(request_):
    filter_ = BLOCKS.filter(block(request_.SerializeToString()))
    for key, value in token_oracle.searchable(request_):
        asked = tokens_of(key, value if isinstance(value, str) else repr(value))
        assert any(may_hold(filter_, int(token)) for token in asked)


@SAMPLE
@given(odd_requests.texts, odd_requests.texts | st.floats().map(repr))
def test_a_search_asks_for_the_text_and_for_the_double_that_it_spells(key, value):
    expected = [token_oracle.token(key, value)]
    with contextlib.suppress(ValueError):
        expected.append(token_oracle.token(key, float(value)))
    assert tokens_of(key, value).tolist() == expected


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("GET", "GET"),
        ("größe", "größe"),
        ("", ""),
        (200, "200"),
        (0, "0"),
        (-(2**63), "-9223372036854775808"),
        (2**63 - 1, "9223372036854775807"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        (1.5, "15e-1"),
        (1000.0, "1000"),
        (-0.0, "0"),
        (0.0, "-0.0"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (["a", "b"], "b"),
        ([1, True, 2.5], "2.5"),
    ],
)
def test_a_value_is_found_by_its_text(value, asked):
    filter_ = BLOCKS.filter(block(request([span(attributes={"k": value})])))
    assert any(may_hold(filter_, int(token)) for token in tokens_of("k", asked))
    assert not any(may_hold(filter_, int(token)) for token in tokens_of("other", asked))


@pytest.mark.parametrize(
    "value", [b"bytes", {"a": "map"}, [["nested"]], [{"k": "v"}], [b"bytes"], AnyValue()]
)
def test_what_is_no_scalar_has_no_token(value):
    with_it = tokens(block(request([span("n", attributes={"k": value})])))
    assert with_it == tokens(block(request([span("n")])))


def test_surrogates_are_asked_for_in_vain():
    assert len(tokens_of("\ud800", "\udfff")) == 1


def test_pieces_of_a_value_all_have_tokens():
    text = wire_bytes.message
    pieces = [text(2, text(1, b"first")), text(1, b"k"), text(2, text(1, b"last")), text(2)]
    body = text(1, text(2, text(2, wire_bytes.IDS + text(9, *pieces))))
    assert tokens(block(body)) == {token_oracle.token("k", value) for value in ("first", "last")}


def test_records_of_other_kinds_have_no_tokens():
    body = request([span(attributes={"k": "v"})])
    assert tokens(block(body, kind=7)) == set()
    assert tokens(b"") == set()
    assert not BLOCKS.filter(b"").any()


def test_every_truncation_and_every_changed_byte_is_walked_or_given_up():
    whole = block(request([span(attributes={"k": ["v", 1, True, 2.5], "port": 8080})]), b"")
    for length in range(len(whole)):
        found = BLOCKS.tokens(whole[:length])
        assert found is None or len(found) < 12
    for at in range(len(whole)):
        for byte in (0, 0x0B, 0x7F, 0x80, 0xFF):
            BLOCKS.tokens(whole[:at] + bytes([byte]) + whole[at + 1 :])


def test_a_block_that_cannot_be_walked_denies_nothing():
    damaged = block(request([span()]), b"\x0a\xff\x7f")
    assert BLOCKS.tokens(damaged) is None
    assert may_hold(BLOCKS.filter(damaged), 1)


def test_more_tokens_than_usual_are_all_found():
    spans = [span(attributes={"k": f"value {i}"}) for i in range(10_000)]
    inflated = block(request(spans), request([span("last")]))
    found = tokens(inflated)
    assert len(found) == 10_003
    assert {token_oracle.token("k", f"value {i}") for i in range(0, 10_000, 97)} < found
    assert token_oracle.token("name", "last") in found


def test_too_many_tokens_deny_nothing():
    attribute = wire_bytes.message(9, wire_bytes.message(1, b"key"), b"\x12\x02\x10\x01")
    spans = np.tile(np.frombuffer(attribute, np.uint8), (MOST_TOKENS + 1, 1))
    spans[:, 4:7] = np.arange(MOST_TOKENS + 1, dtype="<u4").view(np.uint8).reshape(-1, 4)[:, :3]
    body = wire_bytes.message(1, wire_bytes.message(2, wire_bytes.message(2, spans.tobytes())))
    assert BLOCKS.tokens(block(body)) is None


def test_few_blocks_seem_to_have_what_they_have_not():
    body = b"".join(otlp_factory.realistic(1, 2048))
    filter_ = BLOCKS.filter(block(body))
    asked = np.concatenate([tokens_of("app.user.id", f"absent{i}") for i in range(20_000)])
    assert sum(may_hold(filter_, int(token)) for token in asked) <= 26
    assert filter_.nbytes <= 10 * 2048
