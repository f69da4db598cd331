"""The collector as a process. A start costs seconds, so most looks share one life."""

import csv
import json
import re
import signal
import socket
import subprocess
import sys
import time
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.collector.api import bodies
from tests.collector.cli.process import Serving, environment, serving, weft
from tests.waiting import wait_until
from weft_collector.cli import running
from weft_collector.config import SERVERS
from weft_collector.errors import MissingLibrary

HEADERS = {"content-type": "application/x-protobuf"}


def ingest(url):
    body = bodies.shop(time.time_ns() - 60_000_000_000)
    assert httpx.post(f"{url}/v1/traces", content=body, headers=HEADERS).status_code == 200


def counts(graph):
    return {edge["id"]: (edge["calls"], edge["errors"]) for edge in graph["edges"]}


def graph_of(folder):
    """The graph as `weft graph` writes it."""
    return json.loads(weft(folder, "graph", "--format", "json", "--window", "1h").stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def shop(folder):
    """A collector on a free port that has the shop's spans."""
    with serving(folder, "--port", "0") as process:
        process.url = process.await_ready()
        ingest(process.url)
        yield process


def test_it_tells_where_it_is_and_what_to_paste(shop, folder):
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT={shop.url}" in shop.out
    assert f"--collector {shop.url}" in shop.out
    assert str(folder / "data") in shop.out
    wait_until(lambda: "ready after" in shop.out)
    assert "preparing kernels" in shop.err


def test_the_run_file_names_it(shop, folder):
    note = json.loads((folder / "collector.json").read_text())
    assert note == {"url": shop.url, "pid": shop.process.pid, "data": str(folder / "data")}


def test_the_dashboard_is_at_the_root(shop):
    assert "<title>Weft</title>" in httpx.get(shop.url).text


def test_the_graph_command_finds_it_and_shows_what_the_api_shows(shop, folder):
    graph = graph_of(folder)
    assert counts(graph) == bodies.SHOP_EDGES
    shown = httpx.get(f"{shop.url}/api/v1/graph", params={"window": "1h"}).json()
    assert (graph["nodes"], graph["edges"]) == (shown["nodes"], shown["edges"])


def test_the_graph_is_drawn_into_files_by_their_suffix(shop, folder):
    for name, magic in (
        ("shop.svg", b"<"),
        ("shop.dot", b"digraph"),
        ("shop.png", b"\x89PNG"),
        ("shop.pdf", b"%PDF"),
    ):
        result = weft(folder, "graph", "-o", name)
        assert result.returncode == 0, result.stderr
        assert (folder / name).read_bytes().startswith(magic)
    ET.parse(folder / "shop.svg")


def test_a_picture_can_be_piped(shop, folder):
    assert weft(folder, "graph", "--format", "png").stdout.startswith(b"\x89PNG")


def drawn_centres(svg, box):
    """Node id -> centre of its box in a picture."""
    corners = re.findall(r'data-node="([^"]+)" transform="translate\((\S+) (\S+)\)"', svg)
    return {
        node: {"x": float(x) + box["width"] / 2, "y": float(y) + box["height"] / 2} for node, x, y in corners
    }


def test_the_picture_and_the_browser_have_the_same_positions(shop, folder):
    layout = httpx.get(f"{shop.url}/api/v1/graph/layout").json()
    svg = weft(folder, "graph", "--format", "svg").stdout.decode()
    assert drawn_centres(svg, layout["box"]) == layout["nodes"]
    assert len(layout["nodes"]) == 4


def test_calls_are_exported(shop, folder):
    result = weft(folder, "export", "calls", "-o", "calls.csv")
    assert result.returncode == 0, result.stderr
    with (folder / "calls.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 12
    piped = weft(folder, "export", "calls", "--format", "json").stdout.splitlines()
    assert len(piped) == 12


def test_a_window_that_cannot_be_read_fails_with_the_collectors_words(shop, folder):
    result = weft(folder, "graph", "--window", "soon")
    assert result.returncode == 1
    assert b"window='soon'" in result.stderr


def test_a_port_that_is_taken_is_told_with_the_next_free_one(shop, folder):
    port = shop.url.rpartition(":")[2]
    result = weft(folder, "serve", "--port", port, "--data", "other")
    assert result.returncode == 1
    assert f"Port {port}".encode() in result.stderr
    assert b"weft serve --port" in result.stderr


def test_a_port_of_grpc_that_is_taken_is_told_with_the_way_out(shop, folder):
    port = shop.grpc.rpartition(":")[2]
    result = weft(folder, "serve", "--port", "0", "--grpc-port", port, "--data", "other")
    assert result.returncode == 1
    assert f"Port {port}".encode() in result.stderr
    assert b"-1 goes without gRPC" in result.stderr


def test_a_data_folder_that_is_in_use_is_told(shop, folder):
    result = weft(folder, "serve", "--port", "0", "--data", folder / "data")
    assert result.returncode == 1
    assert str(shop.process.pid).encode() in result.stderr


def test_a_data_folder_that_is_a_file_is_told(folder):
    (folder / "file").write_text("x")
    result = weft(folder, "serve", "--port", "0", "--data", folder / "file")
    assert result.returncode == 2
    assert b"cannot be used as a folder" in result.stderr
    assert b"Traceback" not in result.stderr


def test_listening_beyond_this_machine_is_refused_with_an_explanation(folder):
    result = weft(folder, "serve", "--host", "0.0.0.0")
    assert result.returncode == 2
    assert b"--insecure" in result.stderr


def request_head(url, length):
    host = url.partition("//")[2]
    return (
        f"POST /v1/traces HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-protobuf\r\n"
        f"content-length: {length}\r\n\r\n"
    ).encode()


def test_a_body_announced_too_large_is_answered_at_once(shop):
    port = int(shop.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request_head(shop.url, 1 << 40))
        assert client.recv(100).startswith(b"HTTP/1.1 413")


def test_a_large_body_sent_anyway_gets_its_answer(shop):
    response = httpx.post(f"{shop.url}/v1/traces", content=bytes(17 << 20), headers=HEADERS)
    assert response.status_code == 413
    assert b"At most 16777216 bytes" in response.content


def test_a_hostile_host_gets_nothing_over_the_socket(shop):
    assert httpx.get(shop.url, headers={"host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("server", SERVERS)
def test_a_dashboard_that_is_open_does_not_hold_the_stop_and_a_restart_has_the_same_graph(tmp_path, server):
    with serving(tmp_path, "--port", "0", "--server", server) as process:
        url = process.await_ready()
        ingest(url)
        with httpx.stream("GET", f"{url}/api/v1/graph/live") as stream:
            lines = stream.iter_lines()
            assert any(line.startswith("data: ") for line in lines)
            before = graph_of(tmp_path)
            assert process.stop() == 0
        assert not (tmp_path / "collector.json").exists()
    with serving(tmp_path, "--port", "0", "--server", server) as process:
        process.await_ready()
        after = graph_of(tmp_path)
        assert counts(after) == counts(before) == bodies.SHOP_EDGES
        assert "19 spans read from the log" in process.out
        process.process.send_signal(signal.SIGKILL)
        process.process.wait(10)
    assert weft(tmp_path, "graph", "--format", "json", "--collector", url).returncode == 3
    with serving(tmp_path, "--port", "0", "--server", server) as process:
        process.await_ready()
        assert counts(graph_of(tmp_path)) == bodies.SHOP_EDGES
        assert process.stop(signal.SIGINT) == 0


def test_a_server_that_is_not_installed_is_told_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "weft_collector.cli.granian_server", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'weft\[fast\]'"):
        running._SERVERS["granian"]()


@pytest.mark.parametrize("server", SERVERS)
def test_a_start_can_be_ended(tmp_path, server):
    process = Serving(tmp_path, "--port", "0", "--server", server)
    wait_until(lambda: process.err or process.out or process.process.poll() is not None, 60)
    assert process.stop() in {0, 130}


SENDER = """
import sys
from opentelemetry.exporter.otlp.proto.{module}.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

def provider(service):
    made = TracerProvider(resource=Resource.create({{"service.name": service}}))
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made

web, cart = provider("web"), provider("cart")
with web.get_tracer("t").start_as_current_span("GET /", kind=SpanKind.SERVER):
    with web.get_tracer("t").start_as_current_span("GET", kind=SpanKind.CLIENT):
        with cart.get_tracer("t").start_as_current_span("GET /cart", kind=SpanKind.SERVER):
            pass
web.shutdown()
cart.shutdown()
"""


@pytest.mark.parametrize("compression", [{}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}])
@pytest.mark.parametrize("module", ["http", "grpc"])
def test_an_unmodified_opentelemetry_program_appears_in_the_graph(tmp_path, module, compression):
    with serving(tmp_path, "--port", "0") as process:
        url = process.await_ready()
        endpoint = url if module == "http" else f"http://{process.grpc}"
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **compression}
        command = [sys.executable, "-c", SENDER.format(module=module)]
        sent = subprocess.run(
            command, capture_output=True, check=False, env=environment(tmp_path, **settings), timeout=60
        )
        assert sent.returncode == 0, sent.stderr
        assert not sent.stderr
        expected = {"client:->service:web": (1, 0), "service:web->service:cart": (1, 0)}
        assert counts(graph_of(tmp_path)) == expected
        assert process.stop() == 0
        assert (tmp_path / "data").is_dir()
