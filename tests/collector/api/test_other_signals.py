"""Metrics and logs are acknowledged, counted and not kept; a client is told so now and then."""

import gzip
import json

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from weft_collector.api.signals import Reminder
from weft_collector.testing import ManualClock


def metrics():
    """Five points of five kinds."""
    request = ExportMetricsServiceRequest()
    found = request.resource_metrics.add().scope_metrics.add().metrics
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        getattr(found.add(name=kind), kind).data_points.add()
    found.add(name="nothing")
    return request


def logs():
    request = ExportLogsServiceRequest()
    for text in ("a", "b"):
        request.resource_logs.add().scope_logs.add().log_records.add().body.string_value = text
    return request


SENT = {"metrics": (metrics, 5, "rejectedDataPoints"), "logs": (logs, 2, "rejectedLogRecords")}
RESPONSES = {"metrics": ExportMetricsServiceResponse, "logs": ExportLogsServiceResponse}


def post(collector, signal, content, content_type="application/x-protobuf", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {"content-type": content_type, "user-agent": "sdk", **named}
    return collector.request("POST", f"/v1/{signal}", content=content, headers=named)


@pytest.mark.parametrize("signal", SENT)
def test_protobuf_is_acknowledged_with_the_number_that_is_not_kept(collector, signal):
    make, count, name = SENT[signal]
    response = post(collector, signal, gzip.compress(make().SerializeToString()), content_encoding="gzip")
    assert response.status_code == 200
    partial = json_format.MessageToDict(RESPONSES[signal].FromString(response.content))["partialSuccess"]
    assert partial[name] == str(count)
    assert "keeps traces" in partial["errorMessage"]
    assert collector.parts.telemetry.value("parts_not_kept", signal) == count


@pytest.mark.parametrize("snake", [False, True])
@pytest.mark.parametrize("signal", SENT)
def test_json_is_acknowledged_likewise(collector, signal, snake):
    make, count, name = SENT[signal]
    body = json_format.MessageToJson(make(), preserving_proto_field_name=snake).encode()
    response = post(collector, signal, body, "application/json")
    assert response.status_code == 200
    assert response.json()["partialSuccess"][name] == str(count)
    assert RESPONSES[signal]() != json_format.Parse(response.content, RESPONSES[signal]())


@pytest.mark.parametrize("signal", SENT)
def test_a_client_is_told_once_in_ten_minutes(collector, clock, signal):
    make, _, _ = SENT[signal]
    body = make().SerializeToString()
    told = []
    for seconds, agent in ((0, "sdk"), (1, "sdk"), (1, "other"), (597, "sdk"), (2, "sdk"), (1, "sdk")):
        clock.advance(seconds)
        told.append(bool(post(collector, signal, body, user_agent=agent).content))
    assert told == [True, False, True, False, True, False]


def test_nothing_is_said_about_nothing(collector):
    assert post(collector, "logs", b"").content == b""
    assert post(collector, "metrics", b"{}", "application/json").json() == {}


@pytest.mark.parametrize("signal", SENT)
@pytest.mark.parametrize(
    ("body", "kind"), [(b"\xff" * 9, "application/x-protobuf"), (b"[", "application/json")]
)
def test_a_malformed_body_is_refused(collector, signal, body, kind):
    response = post(collector, signal, body, kind)
    assert response.status_code == 400
    assert response.headers["content-type"] == kind
    assert collector.parts.telemetry.value("bodies_refused", "malformed") == 1


def test_a_bomb_is_refused(make_collector):
    collector = make_collector(inflated_bytes=1 << 16)
    body = gzip.compress(bytes(1 << 20))
    assert post(collector, "logs", body, content_encoding="gzip").status_code == 413


def test_other_content_types_and_methods_are_refused(collector):
    assert post(collector, "logs", b"", "text/plain").status_code == 415
    response = collector.request("GET", "/v1/metrics")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_the_count_is_part_of_the_status(collector):
    post(
        collector,
        "logs",
        json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {}, {}]}]}]}),
        "application/json",
    )
    assert collector.get("/api/v1/status").json()["counters"]["parts_not_kept"] == {"logs": 3}


def test_the_table_of_clients_is_bounded_and_forgets_the_one_told_longest_ago():
    reminder = Reminder(ManualClock())
    clients = [(str(number),) for number in range(4097)]
    assert all(reminder.is_due(client) for client in clients)
    assert not reminder.is_due(clients[-1])
    assert reminder.is_due(clients[0])
