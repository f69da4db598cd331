"""Where upb parses a body, the columns say the same, field by field."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.wire import odd_requests, otlp_factory, upb_oracle
from tests.collector.wire.otlp_factory import NOW, SECOND
from weft_collector.wire.otlp_protobuf import Decoder

DAY = 24 * 3600 * SECOND

# How quickly a loaded machine makes examples says nothing about them.
LENIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SAMPLE = settings(LENIENT, max_examples=50, derandomize=True)
CAMPAIGN = settings(LENIENT, max_examples=2_000)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


def assert_equal(decoder: Decoder, body: bytes, arrived: int = NOW + DAY) -> None:
    message = upb_oracle.parse(body)
    assert message is not None
    expected = upb_oracle.expected(message, arrived)
    decoded = decoder.decode(body, arrived)
    assert upb_oracle.rows(decoded, decoder.strings, body) == expected.spans
    assert dict(decoded.rejected) == expected.rejected


@pytest.mark.parametrize("spans", [1, 17, 512, 3000])
def test_realistic_requests(decoder, spans):
    for body in otlp_factory.realistic(2, spans, seed=spans):
        assert_equal(decoder, body)


def test_an_empty_body_has_no_spans(decoder):
    decoded = decoder.decode(b"", NOW)
    assert len(decoded.spans.name) == len(decoded.resources.service) == len(decoded.scopes.offset) == 0
    assert decoded.rejected == ()


@SAMPLE
@given(odd_requests.requests())
def test_generated_requests(request_):
    assert_equal(SHARED, request_.SerializeToString())


@pytest.mark.long
@pytest.mark.timeout(3600)
@CAMPAIGN
@given(odd_requests.requests())
def test_generated_requests_at_length(request_):
    assert_equal(SHARED, request_.SerializeToString())


@SAMPLE
@given(odd_requests.requests(), st.integers(0, 2**32))
def test_generated_requests_in_odd_encodings(request_, seed):
    assert_equal_but_for_sizes(odd_requests.reencoded(request_, Random(seed)))


@pytest.mark.long
@pytest.mark.timeout(3600)
@CAMPAIGN
@given(odd_requests.requests(), st.integers(0, 2**32))
def test_generated_requests_in_odd_encodings_at_length(request_, seed):
    assert_equal_but_for_sizes(odd_requests.reencoded(request_, Random(seed)))


SHARED = Decoder()


def assert_equal_but_for_sizes(body: bytes) -> None:
    """Odd encodings are longer than upb's own, so whether a span counts as too short may differ."""
    message = upb_oracle.parse(body)
    assert message is not None
    expected = upb_oracle.expected(message, NOW)
    decoded = SHARED.decode(body, NOW)
    rows, wanted = upb_oracle.rows(decoded, SHARED.strings, body), expected.spans
    assert [comparable(row) for row in rows] == [comparable(row) for row in wanted]
    assert sum(dict(decoded.rejected).values()) == sum(expected.rejected.values())


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its scope: of a scope in several pieces the bytes are those of the last one."""
    return {name: value for name, value in row.items() if name != "scope"}


def test_the_odd_encodings_mean_the_same_to_upb():
    body = next(otlp_factory.realistic(1, 50))
    message = ExportTraceServiceRequest.FromString(body)
    odd = odd_requests.reencoded(message, Random(1))
    assert odd != body
    again = upb_oracle.parse(odd)
    assert again is not None
    for odd_row, row in zip(
        upb_oracle.expected(again, NOW).spans, upb_oracle.expected(message, NOW).spans, strict=True
    ):
        assert {**comparable(odd_row), "span": None} == {**comparable(row), "span": None}
