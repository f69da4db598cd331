"""The OpenTelemetry JS SDK, as npm has it: traces arrive whole, in JSON and in protobuf."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.weft_command import calls, collector, free_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PACKAGES = (
    "@opentelemetry/api@1.9.0",
    "@opentelemetry/sdk-trace-base@2.0.1",
    "@opentelemetry/resources@2.0.1",
    "@opentelemetry/exporter-trace-otlp-http@0.203.0",
    "@opentelemetry/exporter-trace-otlp-proto@0.203.0",
)
PROGRAM = """
const { BasicTracerProvider, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { OTLPTraceExporter } = require(process.argv[2]);
const { trace, context, SpanKind, SpanStatusCode } = require("@opentelemetry/api");

const providerOf = (service) => new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": service }),
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: process.argv[3] + "/v1/traces" }))],
});
const front = providerOf("js-front-" + process.argv[4]), back = providerOf("js-back-" + process.argv[4]);
const within = (span) => trace.setSpan(context.active(), span);
const root = front.getTracer("t", "1.0").startSpan("GET /", { kind: SpanKind.SERVER });
const call = front.getTracer("t").startSpan("GET", { kind: SpanKind.CLIENT }, within(root));
const served = back.getTracer("t").startSpan("GET /x", {
  kind: SpanKind.SERVER, links: [{ context: root.spanContext(), attributes: { why: "test" } }],
  attributes: { text: "größe", whole: 7, broken: 0.5, yes: true, list: ["a", "b"] },
}, within(call));
served.addEvent("happened", { n: 1 });
served.setStatus({ code: SpanStatusCode.ERROR, message: "on purpose" });
[served, call, root].forEach((span) => span.end());
Promise.all([front.forceFlush(), back.forceFlush()]).then(() => console.log(root.spanContext().traceId));
"""


def tool(name):
    """Node and npm as the nodejs wheel installs them beside this Python."""
    return str(Path(sys.executable).with_name(name))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("javascript")
    (folder / "program.js").write_text(PROGRAM)
    (folder / "package.json").write_text('{"private": true}')
    npm = [
        tool("npm"),
        "install",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
    ]
    subprocess.run([*npm, *PACKAGES], cwd=folder, check=True, timeout=300, capture_output=True)
    return folder / "program.js"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with collector(tmp_path_factory.mktemp("collector"), free_port()) as address:
        yield address


def run(program: Path, *arguments):
    node = [tool("node"), str(program), *arguments]
    return subprocess.run(
        node, cwd=program.parent, check=True, timeout=60, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("kind", ["http", "proto"])
def test_a_trace_arrives_whole(program, url, kind):
    trace = run(program, f"@opentelemetry/exporter-trace-otlp-{kind}", url, kind).strip()
    wait_until(lambda: calls(url).get(f"service:js-front-{kind}->service:js-back-{kind}") == 1)
    shown = httpx.get(f"{url}/api/v1/traces/{trace}").json()
    spans = {
        span["name"]: span
        for group in shown["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    }
    assert set(spans) == {"GET /", "GET", "GET /x"}
    served = spans["GET /x"]
    assert served["parentSpanId"] == spans["GET"]["spanId"]
    assert served["status"] == {"code": 2, "message": "on purpose"}
    assert served["events"][0]["name"] == "happened"
    assert served["links"][0]["spanId"] == spans["GET /"]["spanId"]
    values = {one["key"]: one["value"] for one in served["attributes"]}
    assert values["text"] == {"stringValue": "größe"}
    assert values["broken"] == {"doubleValue": 0.5}
    assert values["list"] == {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}}
