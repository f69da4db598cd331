import asyncio
import gzip

import pytest
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.collector.api import bodies

HEADERS = {"content-type": "application/x-protobuf"}
INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE = 3, 4, 8, 12, 14


def refusal(response):
    """The google.rpc.Status of a refused body."""
    assert response.headers["content-type"] == "application/x-protobuf"
    return Status.FromString(response.content)


def still_works(collector):
    collector.ingest_shop()
    return len(collector.get("/api/v1/graph").json()["edges"]) == 3


def test_success_is_an_empty_otlp_response(collector):
    response = collector.post(bodies.shop(collector.clock()))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-protobuf"
    assert not ExportTraceServiceResponse.FromString(response.content).HasField("partial_success")


def test_rejected_spans_are_a_partial_success(collector):
    request = bodies.ExportTraceServiceRequest.FromString(bodies.shop(collector.clock()))
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = bytes(16)
    response = collector.post(request.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert response.status_code == 200
    assert partial.rejected_spans == 1
    assert partial.error_message


def test_an_empty_body_is_fine(collector):
    assert collector.post(b"").status_code == 200


@pytest.mark.parametrize("parameter", ["", "; charset=utf-8"])
def test_a_gzip_body_is_taken(collector, parameter):
    body = gzip.compress(bodies.shop(collector.clock() - 60_000_000_000))
    response = collector.post(
        body, content_encoding="gzip", content_type=f"application/x-protobuf{parameter}"
    )
    assert response.status_code == 200
    assert len(collector.get("/api/v1/graph").json()["edges"]) == 3


@pytest.mark.parametrize("body", [b"\xff" * 40, b"hello, world", b'{"resourceSpans": []}'])
def test_a_malformed_body_is_refused_with_a_reason(collector, body):
    response = collector.post(body)
    assert response.status_code == 400
    status = refusal(response)
    assert status.code == INVALID_ARGUMENT
    assert len(status.message.split()) > 4
    assert still_works(collector)


def reference_parses(body):
    try:
        bodies.ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return False
    return True


def test_a_truncated_body_is_refused_wherever_the_reference_refuses_it(collector):
    whole = bodies.body(bodies.Call("web", "cart", 1, collector.clock()))
    cut = [whole[:size] for size in range(1, len(whole))]

    async def main(client):
        return [(await client.post("/v1/traces", content=body, headers=HEADERS)).status_code for body in cut]

    expected = [200 if reference_parses(body) else 400 for body in cut]
    assert collector.run(main) == expected
    assert expected.count(400) > 100
    assert still_works(collector)


@pytest.mark.parametrize(
    ("encoding", "body", "code"),
    [
        ("br", b"x", 415),
        ("gzip", b"not gzip", 400),
        ("gzip, gzip", b"x", 415),
        ("gzip", gzip.compress(b"a" * 9)[:-4], 400),
    ],
)
def test_a_bad_encoding_is_refused(collector, encoding, body, code):
    response = collector.post(body, content_encoding=encoding)
    assert response.status_code == code
    assert refusal(response).message
    assert still_works(collector)


def test_a_body_that_inflates_beyond_the_limit_is_refused(make_collector):
    collector = make_collector(inflated_bytes=1 << 16)
    response = collector.post(gzip.compress(bytes(1 << 20)), content_encoding="gzip")
    assert response.status_code == 413
    assert refusal(response).code == RESOURCE_EXHAUSTED


@pytest.mark.parametrize("content_type", ["text/plain", "application/grpc", ""])
def test_another_content_type_is_refused_with_the_one_that_is_taken(collector, content_type):
    response = collector.post(b"x", content_type=content_type)
    assert response.status_code == 415
    assert response.headers["content-type"] == "application/problem+json"
    assert "application/x-protobuf" in response.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_spans_come_by_post_only(collector, method):
    response = collector.request(method, "/v1/traces")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


def test_an_announced_size_beyond_the_limit_is_refused_before_a_byte_is_read(make_collector):
    collector = make_collector(body_bytes=2048)
    asked = []

    async def main():
        async def receive():
            asked.append(1)
            return {"type": "http.request", "body": b"x" * 4096}

        sent = []

        async def send(message):
            sent.append(message)

        headers = [
            (b"host", b"localhost"),
            (b"content-type", b"application/x-protobuf"),
            (b"content-length", b"4096"),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/traces",
            "headers": headers,
            "query_string": b"",
        }
        await collector.app(scope, receive, send)
        return sent[0]["status"]

    assert asyncio.run(main()) == 413
    assert not asked


def test_a_chunked_body_beyond_the_limit_is_cut_off(make_collector):
    collector = make_collector(body_bytes=2048)

    async def main(client):
        sent = 0

        async def chunks():
            nonlocal sent
            for _ in range(1000):
                sent += 512
                yield bytes(512)

        response = await client.post("/v1/traces", content=chunks(), headers=HEADERS)
        return response.status_code

    assert collector.run(main) == 413
    assert collector.parts.telemetry.value("bodies_refused", "too_large") == 1


def ask_raw(collector, receive, *headers):
    """A request whose body comes from `receive`; the status, or None if there was no answer."""

    async def main():
        status = []

        async def send(message):
            if message["type"] == "http.response.start":
                status.append(message["status"])

        named = [(b"host", b"localhost"), (b"content-type", b"application/x-protobuf"), *headers]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/traces",
            "headers": named,
            "query_string": b"",
        }
        await collector.app(scope, receive, send)
        return status[0] if status else None

    return asyncio.run(main())


def test_a_body_that_trickles_is_given_up(make_collector):
    collector = make_collector(body_seconds=0.2)

    async def receive():
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    assert ask_raw(collector, receive) == 408
    assert collector.parts.telemetry.value("bodies_refused", "too_slow") == 1


def test_a_sender_that_goes_away_gets_no_answer_and_is_counted(collector):
    async def receive():
        return {"type": "http.disconnect"}

    assert ask_raw(collector, receive) is None
    assert collector.parts.telemetry.value("bodies_abandoned", "incomplete") == 1


def test_all_bodies_together_are_bounded_and_what_was_taken_is_given_back(make_collector):
    collector = make_collector(body_bytes=4096, in_flight_bytes=6000)

    async def main(client):
        hold = asyncio.Event()

        async def slow():
            yield bytes(4000)
            await hold.wait()

        first = asyncio.create_task(client.post("/v1/traces", content=slow(), headers=HEADERS))
        await asyncio.sleep(0)
        refused = None
        while refused is None or refused.status_code != 503:
            refused = await client.post("/v1/traces", content=bytes(4000), headers=HEADERS)
        hold.set()
        await first
        again = await client.post("/v1/traces", content=b"", headers=HEADERS)
        return refused, again.status_code

    refused, again = collector.run(main)
    assert int(refused.headers["retry-after"]) >= 1
    assert refusal(refused).code == UNAVAILABLE
    assert again == 200


def test_a_collector_that_is_not_ready_asks_to_come_back(make_collector):
    collector = make_collector(start=False)
    response = collector.post(bodies.shop(collector.clock()))
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert "starting" in refusal(response).message


def test_parallel_senders_are_all_counted(collector):
    async def main(client):
        async def send(first):
            calls = [bodies.Call("web", "cart", 1000 * first + n, collector.clock()) for n in range(20)]
            responses = [
                await client.post("/v1/traces", content=bodies.body(*calls[i : i + 5]), headers=HEADERS)
                for i in range(0, 20, 5)
            ]
            return [response.status_code for response in responses]

        return await asyncio.gather(*(send(n + 1) for n in range(4)))

    assert {code for codes in collector.run(main) for code in codes} == {200}
    (edge,) = collector.get("/api/v1/graph").json()["edges"]
    assert edge["calls"] == 80


def test_the_same_body_twice_counts_once(collector):
    collector.ingest_shop()
    collector.ingest_shop()
    graph = collector.get("/api/v1/graph").json()
    assert graph["totals"]["calls"] == 12


def test_a_defect_is_a_problem_that_tells_nothing_of_the_inside(collector, monkeypatch):
    async def submit(*_arguments):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(collector.parts.intake, "submit", submit)
    response = collector.post(b"")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in response.text
