import httpx
import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.collector.wire.otlp_factory import request, span
from weft_collector.cli.collector import Found
from weft_collector.cli.exits import CollectorRefused, NotReachable
from weft_collector.cli.import_sending import Sender

BODY = request([span(id=n + 1) for n in range(5)])
FOUND = Found("http://127.0.0.1:1", "a test")


def sender(*answers):
    """A sender whose collector gives these answers; what it asked and how long it slept."""
    waiting, asked, slept = list(answers), [], []

    def handle(sent):
        asked.append(sent)
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Sender(FOUND, slept.append, httpx.MockTransport(handle)), asked, slept


def taken(rejected=0, message=""):
    answer = ExportTraceServiceResponse()
    if rejected:
        answer.partial_success.rejected_spans = rejected
        answer.partial_success.error_message = message
    return httpx.Response(200, content=answer.SerializeToString())


def test_spans_are_sent_compressed_and_counted():
    to, asked, _ = sender(taken(), taken(3, "trace_id: 2, future_start: 1"))
    to.send(BODY)
    to.send(BODY)
    to.close()
    assert zstandard.decompress(asked[0].content) == BODY
    assert (to.sent, to.accepted) == (10, 7)
    assert to.refused == {"trace_id": 2, "future_start": 1}


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_collector_is_asked_again_after_the_time_it_names(status):
    to, asked, slept = sender(
        httpx.Response(status, headers={"retry-after": "7"}), httpx.Response(status), taken()
    )
    to.send(BODY)
    assert slept == [7, 1]
    assert len(asked) == 3
    assert to.accepted == 5


def test_patience_ends():
    to, _, slept = sender(*[httpx.Response(503, headers={"retry-after": "999"})] * 5)
    with pytest.raises(CollectorRefused, match="503"):
        to.send(BODY)
    assert slept == [30, 30, 30, 30]


def test_a_refusal_says_why():
    to, _, slept = sender(httpx.Response(400, content=b"\x08\x03\x12\x0bno protobuf"))
    with pytest.raises(CollectorRefused, match="no protobuf"):
        to.send(BODY)
    assert slept == []


def test_nobody_there_is_told_apart_from_a_broken_connection():
    with pytest.raises(NotReachable, match="weft serve"):
        sender(httpx.ConnectError("refused"))[0].send(BODY)
    with pytest.raises(CollectorRefused, match="Import again"):
        sender(httpx.ReadError("reset"))[0].send(BODY)
