"""`weft import` and unmodified Zipkin clients against a real collector."""

import gzip
import json
import secrets
import subprocess
import time

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from py_zipkin import Encoding, Kind
from py_zipkin.zipkin import zipkin_client_span, zipkin_server_span

from tests.collector.api import bodies
from tests.collector.wire import json_oracle
from tests.end_to_end.weft_command import calls, collector, environment, free_port, weft

pytestmark = pytest.mark.timeout(300)  # a first start compiles the collector's kernels


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with collector(tmp_path_factory.mktemp("collector"), free_port()) as address:
        yield address


def imported(url, folder, *arguments, given=None):
    command = weft("import", "--collector", url, *map(str, arguments))
    return subprocess.run(
        command,
        input=given,
        capture_output=True,
        check=False,
        timeout=100,
        env=environment(folder),
        cwd=folder,
    )


def shop():
    return ExportTraceServiceRequest.FromString(bodies.shop(time.time_ns() - 60_000_000_000))


def of_shop(url):
    return {edge: calls(url).get(edge) for edge in bodies.SHOP_EDGES}


WANTED = {edge: count for edge, (count, _) in bodies.SHOP_EDGES.items()}


def test_the_same_spans_in_any_format_and_again_change_nothing(url, tmp_path):
    message = shop()
    protobuf, lines = tmp_path / "spans.bin", tmp_path / "lines.json.gz"
    protobuf.write_bytes(message.SerializeToString())
    lines.write_bytes(gzip.compress(json_oracle.to_json(message) + b"\n" + json_oracle.to_json(message)))
    trace = message.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    seen = []
    for file in (protobuf, protobuf, lines):
        done = imported(url, tmp_path, file)
        assert done.returncode == 0, done.stderr
        seen.append((of_shop(url), httpx.get(f"{url}/api/v1/traces/{trace}").json()))
    assert b"38 spans accepted" in done.stderr
    assert seen[0][0] == WANTED
    assert seen[0] == seen[1] == seen[2]


def test_standard_input_and_jaeger_downloads(url, tmp_path):
    now, trace = time.time_ns() // 1000 - 60_000_000, secrets.token_hex(16)
    spans = [
        {"traceID": trace, "spanID": "1", "processID": "a", "tags": [{"key": "span.kind", "value": "client"}]},
        {
            "traceID": trace, "spanID": "2", "processID": "b", "tags": [{"key": "span.kind", "value": "server"}],
            "references": [{"refType": "CHILD_OF", "traceID": trace, "spanID": "1"}],
        },
    ]  # fmt: skip
    processes = {"a": {"serviceName": "jaeger-a"}, "b": {"serviceName": "jaeger-b"}}
    for span in spans:
        span |= {"startTime": now, "duration": 5}
    download = json.dumps({"data": [{"traceID": trace, "spans": spans, "processes": processes}]})
    done = imported(url, tmp_path, "-", given=download.encode())
    assert (done.returncode, b"2 spans accepted" in done.stderr) == (0, True), done.stderr
    assert calls(url)["service:jaeger-a->service:jaeger-b"] == 1


def test_refused_spans_and_broken_files_are_told(url, tmp_path):
    message = shop()
    message.resource_spans[0].scope_spans[0].spans[0].trace_id = bytes(16)
    file = tmp_path / "bad.json"
    file.write_bytes(json_oracle.to_json(message))
    done = imported(url, tmp_path, file)
    assert done.returncode == 1
    assert b"1 refused: trace_id" in done.stderr
    file.write_bytes(b'{"resourceSpans":[{"resource":[]}]}')
    done = imported(url, tmp_path, file)
    assert done.returncode == 1
    assert b"bad.json: No OTLP JSON" in done.stderr
    assert imported(url, tmp_path, tmp_path / "absent.json").returncode == 1


def test_without_a_collector_the_exit_code_says_so(tmp_path):
    file = tmp_path / "spans.bin"
    file.write_bytes(shop().SerializeToString())
    assert imported("http://127.0.0.1:1", tmp_path, file).returncode == 3


def test_py_zipkin_unmodified(url):
    with httpx.Client() as client:

        def report(encoded):
            sent = client.post(
                f"{url}/api/v2/spans", content=encoded, headers={"content-type": "application/json"}
            )
            assert sent.status_code == 202, sent.text

        how = {"transport_handler": report, "encoding": Encoding.V2_JSON, "sample_rate": 100.0}
        with zipkin_server_span(service_name="zipkin-front", span_name="home", port=1234, **how) as front:
            with zipkin_client_span(service_name="zipkin-front", span_name="get") as call:
                inside = call.zipkin_attrs
            called = inside._replace(span_id=secrets.token_hex(8), parent_span_id=inside.span_id)
            with zipkin_server_span(
                service_name="zipkin-back",
                span_name="get",
                zipkin_attrs=called,
                binary_annotations={"error": "x"},
                **how,
            ):
                pass
            trace = front.zipkin_attrs.trace_id
    shown = httpx.get(f"{url}/api/v1/traces/{trace.zfill(32)}").json()
    kinds = {
        span["kind"]
        for group in shown["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    }
    assert kinds == {2, 3}
    assert Kind.CLIENT.value == "CLIENT"
    assert calls(url)["service:zipkin-front->service:zipkin-back"] == 1
