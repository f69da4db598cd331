"""Edge counts through the doors of a whole collector: kept, shown, refused one by one, and there after a restart."""

import asyncio
import gzip
import zlib

import grpc
import pytest
import zstandard
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from tests.collector.api import bodies
from tests.collector.api.test_grpc import Code, ask, no_poller_left, talk  # noqa: F401 - one is a fixture
from tests.collector.api.test_other_signals import logs
from tests.collector.wire import count_factory
from tests.collector.wire.count_factory import MINUTE, TO_CART, WEB, group, point, request
from weft_collector.api.grpc_methods import LOGS, METRICS
from weft_collector.api.schemas import EdgeCounts
from weft_collector.store.ports import RecordKind, Transport

PROTOBUF, JSON = "application/x-protobuf", "application/json"
ENCODINGS = {
    None: bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def start_of(collector):
    return collector.clock() // MINUTE * MINUTE


def counted(collector, *more, **how):
    """A request with three calls from web to cart."""
    start = start_of(collector)
    return request(group([point([10**6] * 3, start=start, time=start + MINUTE), *more], **how))


def post(collector, message, content_type=PROTOBUF, encoding=None, **options):
    content = (
        message.SerializeToString()
        if content_type == PROTOBUF
        else json_format.MessageToJson(message).encode()
    )
    headers = {"content-type": content_type, "user-agent": "sdk"} | options
    if encoding:
        headers["content-encoding"] = encoding
    body = ENCODINGS[encoding](content)
    return collector.request("POST", "/v1/metrics", content=body, headers=headers)


def rejected(response):
    partial = ExportMetricsServiceResponse.FromString(response.content).partial_success
    return partial.rejected_data_points, partial.error_message


def shown(collector, **params):
    return collector.get("/api/v1/edge-counts", window="1h", **params).json()


def records(collector):
    return [
        (record.kind, record.transport, record.limits, record.rejected)
        for _, record in collector.parts.log.replay()
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_counts_are_shown_row_by_row(collector, content_type, encoding):
    response = post(collector, counted(collector), content_type, encoding)
    assert (response.status_code, response.content) == (200, b"" if content_type == PROTOBUF else b"{}")
    answer = shown(collector)
    EdgeCounts.model_validate(answer)
    (row,) = answer["rows"]
    assert row["minute"] == "2026-11-23T10:07:00Z"
    assert row["caller"] == {"node": "service:prod//web", "instance": "web-1"}
    assert row["callee"] == {"node": "service:prod//cart", "instance": ""}
    assert [row[name] for name in ("side", "operation", "connection", "protocol", "outcome")] == [
        "caller", "GET /cart", "http", "http", "ok",
    ]  # fmt: skip
    assert (row["calls"], row["points"], row["complete"], answer["complete"]) == (3, 1, True, True)
    assert row["latency"]["samples"] == 3
    assert row["latency"]["p50_ms"] == pytest.approx(1, rel=0.03)
    transport = Transport.HTTP_JSON if content_type == JSON else Transport.HTTP_PROTOBUF
    assert records(collector) == [(RecordKind.EDGE_COUNTS, transport, 1, 0)]
    assert collector.parts.telemetry.value("edge_points_accepted", transport.name.lower()) == 1
    assert collector.parts.telemetry.value("parts_not_kept") == 0
    assert collector.get("/api/v1/graph").json()["edges"] == []


def test_other_metrics_of_the_body_are_acknowledged_as_ever(collector):
    told = []
    for number in range(3):
        message = counted(collector)
        message.resource_metrics[0].resource.attributes[1].value.string_value = f"web-{number}"
        metrics = message.resource_metrics[0].scope_metrics[0].metrics
        metrics.add(name="http.server.duration").histogram.data_points.add()
        told.append(rejected(post(collector, message)))
        collector.clock.advance(300)
    text = "Weft keeps traces and edge counts, not other metrics; this is said once in ten minutes."
    assert told == [(1, text), (0, ""), (1, text)]
    assert collector.parts.telemetry.value("parts_not_kept", "metrics") == 3
    assert sum(row["calls"] for row in shown(collector)["rows"]) == 9


def test_points_are_refused_one_by_one_every_time_and_the_body_is_kept(collector):
    bad = point(scale=3), point(scale=2), point(count=7)
    for _ in range(2):
        response = post(collector, counted(collector, *bad))
        assert rejected(response) == (3, "scale: 2, count: 1")
    assert collector.parts.telemetry.snapshot()["edge_points_rejected"] == {"scale": 4, "count": 2}
    assert collector.parts.telemetry.value("edge_points_left_out", "duplicate") == 1
    assert [record[3] for record in records(collector)] == [3, 3]
    assert shown(collector)["rows"][0]["calls"] == 3


def test_a_body_of_which_nothing_is_taken_is_not_kept(collector):
    assert rejected(post(collector, request(group([point(scale=3)])))) == (1, "scale: 1")
    assert records(collector) == []


@pytest.mark.parametrize(("content_type", "name"), [(PROTOBUF, b"GET /\xffart"), (JSON, b"GET /\xffart")])
def test_texts_that_are_not_utf8_refuse_the_whole_body(collector, content_type, name):
    message = counted(collector)
    content = (
        message.SerializeToString()
        if content_type == PROTOBUF
        else json_format.MessageToJson(message).encode()
    )
    response = collector.request(
        "POST",
        "/v1/metrics",
        content=content.replace(b"GET /cart", name),
        headers={"content-type": content_type},
    )
    assert (response.status_code, response.headers["content-type"]) == (400, content_type)
    assert collector.parts.telemetry.value("bodies_refused", "malformed") == 1
    assert records(collector) == []


def test_a_full_intake_says_when_to_come_again(make_collector):
    collector = make_collector(in_flight_bytes=1200, body_bytes=1200)
    response = post(collector, counted(collector))
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert collector.parts.telemetry.value("bodies_refused", "full") == 1


def test_a_storage_that_fails_takes_nothing(collector, monkeypatch):
    def fail():
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(collector.parts.log, "_sync_file", fail)
    assert post(collector, counted(collector)).status_code == 503
    monkeypatch.undo()
    assert shown(collector)["rows"] == []
    assert post(collector, counted(collector)).status_code == 200
    assert shown(collector)["rows"][0]["points"] == 1


def test_a_body_with_too_many_points_is_too_large(collector):
    response = post(collector, request(group([point()] * 4097)))
    assert response.status_code == 413
    assert collector.parts.telemetry.value("bodies_refused", "too_large") == 1


def test_counts_are_there_after_a_restart_and_do_not_count_again(make_collector):
    first = make_collector()
    for _ in range(2):
        post(first, counted(first))
    before = shown(first)
    first.parts.lifecycle.stop()
    first.parts.log.close()
    second = make_collector()
    assert shown(second) == before
    post(second, counted(second))
    assert shown(second) == before
    assert second.parts.telemetry.value("edge_points_left_out", "duplicate") == 2
    assert second.parts.telemetry.value("replay_differs") == 0


def test_rows_are_sorted_and_no_more_than_asked_for(collector):
    start = start_of(collector)
    made = [
        point(attributes=TO_CART | {"weft.operation": name}, start=start - age * MINUTE, time=start - age * MINUTE + 9)
        for age in (2, 1) for name in "cab"
    ]  # fmt: skip
    post(collector, request(group(made)))
    answer = shown(collector, limit=4)
    assert [row["operation"] for row in answer["rows"]] == ["a", "b", "c", "a"]
    assert answer["complete"] is False
    assert shown(collector, limit=6)["complete"] is True
    assert collector.get("/api/v1/edge-counts", limit=0).status_code == 400
    end = "2026-11-23T10:06:00Z"
    found = collector.get("/api/v1/edge-counts", start="2026-11-23T10:05:00Z", end=end).json()
    assert {row["minute"] for row in found["rows"]} == {"2026-11-23T10:05:00Z"}


class TestGrpc:
    @pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
    def test_counts_come_in(self, collector, compression):
        body = counted(collector, point(scale=1)).SerializeToString()
        code, answer = ask(collector, body, METRICS, compression=compression)
        partial = ExportMetricsServiceResponse.FromString(answer).partial_success
        assert (code, partial.rejected_data_points, partial.error_message) == (Code.OK, 1, "scale: 1")
        assert shown(collector)["rows"][0]["calls"] == 3
        assert records(collector) == [(RecordKind.EDGE_COUNTS, Transport.GRPC, 1, 1)]

    @pytest.mark.parametrize(("path", "signal", "count"), [(METRICS, "metrics", 6), (LOGS, "logs", 2)])
    def test_a_peer_is_told_once_in_ten_minutes_whatever_port_it_comes_from(
        self, collector, path, signal, count
    ):
        message = logs() if signal == "logs" else count_factory.everything()
        if signal == "metrics":
            for one in message.resource_metrics:
                one.scope_metrics[0].metrics.pop(0)
        told = []

        async def send(port):
            for seconds in (0, 1, 600):
                collector.clock.advance(seconds)
                async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                    told.append(await channel.unary_unary(path)(message.SerializeToString(), timeout=20))

        talk(collector, send)
        assert [bool(answer) for answer in told] == [True, False, True]
        partial = ExportMetricsServiceResponse.FromString(told[0]).partial_success
        assert partial.rejected_data_points == count
        assert "Weft keeps traces" in partial.error_message
        assert collector.parts.telemetry.value("parts_not_kept", signal) == 3 * count

    @pytest.mark.parametrize("path", [METRICS, LOGS])
    def test_bombs_and_garbage_are_refused_as_those_of_traces(self, make_collector, path):
        collector = make_collector(inflated_bytes=1 << 16)
        for body, expected in (
            (gzip.compress(bytes(1 << 20)), Code.RESOURCE_EXHAUSTED),
            (zlib.compress(bytes(1 << 20)), Code.RESOURCE_EXHAUSTED),
            (b"\xff" * 40, Code.INVALID_ARGUMENT),
            (b"\x78\x9c\x00", Code.INVALID_ARGUMENT),
        ):
            code, _ = ask(collector, body, path)
            assert code is expected
        assert collector.parts.telemetry.snapshot()["bodies_refused"] == {"too_large": 2, "malformed": 2}

    @pytest.mark.parametrize("path", [METRICS, LOGS])
    def test_before_the_start_the_peer_is_told_to_come_again(self, make_collector, path):
        code, _ = ask(make_collector(start=False), b"", path)
        assert code is Code.UNAVAILABLE


def test_bodies_of_counts_and_spans_share_groups_and_order(collector):
    spans = bodies.shop(collector.clock() - MINUTE)

    async def send(client):
        sent = [
            client.post("/v1/traces", content=spans, headers={"content-type": PROTOBUF}),
            *(
                client.post(
                    "/v1/metrics",
                    content=counted(
                        collector, sender=WEB | {"service.instance.id": str(n)}
                    ).SerializeToString(),
                    headers={"content-type": PROTOBUF},
                )
                for n in range(20)
            ),
        ]
        return await asyncio.gather(*sent)

    assert {response.status_code for response in collector.run(send)} == {200}
    assert len(shown(collector)["rows"]) == 20
    assert len(collector.get("/api/v1/graph").json()["edges"]) == 3
    assert collector.parts.telemetry.value("spans_accepted") == 19
