import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from weft.reply import MAX_PAUSE, read_partial_success, retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        (" 0 ", 0.0),
        ("999999", MAX_PAUSE),
        ("Wed, 21 Oct 2015 07:28:10 GMT", 10.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after(header, seconds):
    assert retry_after(header, now=1445412480.0) == seconds


@given(st.integers(0, 2**63 - 1), st.text(st.characters(codec="utf-8"), max_size=200))
def test_partial_success_is_read(rejected, message):
    partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    body = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    assert read_partial_success(body) == (rejected, message)


@given(st.binary())
def test_no_answer_makes_reading_fail(body):
    rejected, message = read_partial_success(body)
    assert isinstance(rejected, int)
    assert isinstance(message, str)


def test_an_empty_answer_is_full_success():
    assert read_partial_success(b"") == (0, "")
