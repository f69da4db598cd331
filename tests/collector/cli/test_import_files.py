"""Files of spans, cut into requests: nothing is lost, whatever the size of the pieces they are read in."""

import gzip
import io
import json
import random

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.wire import json_oracle, otlp_factory
from weft_collector.cli import import_files
from weft_collector.cli.import_files import batches, detect, inflated
from weft_collector.errors import BodyTooLarge, MalformedBody

MESSAGES = [ExportTraceServiceRequest.FromString(body) for body in otlp_factory.realistic(3, 40)]
ZIPKIN = [{"traceId": "1", "id": f"{n + 1:x}", "name": 'a"]}\\', "tags": {"{": "[\\"}} for n in range(30)]
JAEGER = {
    "data": [
        {
            "traceID": "1",
            "spans": [{"traceID": "1", "spanID": f"{n + 1:x}", "processID": "p"}],
            "processes": {"p": {"serviceName": "a"}},
        }
        for n in range(30)
    ],
    "errors": None,
}


def span_ids(bodies):
    return [
        span.span_id
        for body in bodies
        for group in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


ALL = span_ids(message.SerializeToString() for message in MESSAGES)
THIRTY = [number.to_bytes(8, "big") for number in range(1, 31)]


def prefixed(body):
    return len(body).to_bytes(4, "big") + body


FILES = {
    "lines": (b"\n".join(json_oracle.to_json(m) for m in MESSAGES) + b"\n", "otlp-json", ALL),
    "snake": (b"".join(json_oracle.to_json(m, snake=True) for m in MESSAGES), "otlp-json", ALL),
    "indented": (json.dumps(json_oracle.to_dict(MESSAGES[0]), indent=2).encode(), "otlp-json", ALL[:40]),
    "protobuf": (b"".join(m.SerializeToString() for m in MESSAGES), "otlp-protobuf", ALL),
    "prefixed": (b"".join(prefixed(m.SerializeToString()) for m in MESSAGES), "otlp-protobuf", ALL),
    "zipkin": (json.dumps(ZIPKIN).encode(), "zipkin-json", THIRTY),
    "jaeger": (json.dumps(JAEGER, indent=1).encode(), "jaeger-json", THIRTY),
}


def pieces(content, seed):
    dice, at = random.Random(seed), 0
    while at < len(content):
        size = dice.choice((1, 7, 500, 20_000))
        yield content[at : at + size]
        at += size


@pytest.mark.parametrize("batch", [1, 5_000, 4 << 20])
@pytest.mark.parametrize("kind", FILES)
def test_every_span_comes_out_once_and_in_order(monkeypatch, kind, batch):
    monkeypatch.setattr(import_files, "BATCH", batch)
    content, name, wanted = FILES[kind]
    for seed in range(3):
        assert span_ids(batches(pieces(content, seed), name)) == wanted


@pytest.mark.parametrize("kind", FILES)
def test_the_format_is_seen(kind):
    content, name, wanted = FILES[kind]
    assert detect(content[:4096]) == name
    assert span_ids(batches([content], None)) == wanted


@pytest.mark.parametrize("kind", FILES)
def test_gzip_files_are_inflated_whatever_their_members(kind):
    content, name, wanted = FILES[kind]
    half = len(content) // 2
    packed = io.BytesIO(gzip.compress(content[:half]) + gzip.compress(content[half:]))
    assert span_ids(batches(inflated(packed), name)) == wanted


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_breaks_off_is_refused(kind):
    content, name, _ = FILES[kind]
    for size in (len(content) - 3, len(content) // 2):
        with pytest.raises(MalformedBody):
            list(batches([content[:size]], name))


def test_large_documents_are_never_held_whole(monkeypatch):
    monkeypatch.setattr(import_files, "BATCH", 10_000)
    line = json_oracle.to_json(MESSAGES[0])
    taken = []

    def endless():
        for _ in range(200):
            taken.append(len(line))
            yield line

    read_ahead = [sum(taken) - 0 for _ in batches(endless(), "otlp-json")]
    assert read_ahead[0] <= 2 * len(line)
    assert len(read_ahead) >= 200


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'{"resourceSpans":[{"x":"' + b"y" * 4000, "otlp-json"),
        (b"\x0a\xff\xff\xff\xff\x07", "otlp-protobuf"),
    ],
)
def test_a_single_object_is_bounded(monkeypatch, content, name):
    monkeypatch.setattr(import_files, "LARGEST", 2000)
    with pytest.raises(BodyTooLarge):
        list(batches([content], name))


@pytest.mark.parametrize("content", [b"hello", b"<xml/>", b"\x89PNG"])
def test_what_is_none_of_the_formats_is_refused_with_their_names(content):
    with pytest.raises(MalformedBody, match="otlp-json"):
        list(batches([content], None))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"]", "zipkin-json"),
        (b"\x12\x00", "otlp-protobuf"),
        (b'{"resourceSpans":[{"resource":5}]}', "otlp-json"),
    ],
)
def test_wrong_content_is_refused(content, name):
    with pytest.raises(MalformedBody):
        list(batches([content], name))


def test_an_empty_file_has_no_spans():
    assert list(batches([], None)) == []
    assert list(batches(inflated(io.BytesIO()), None)) == []


def test_a_damaged_gzip_file_is_refused():
    packed = bytearray(gzip.compress(FILES["zipkin"][0]))
    packed[20] ^= 0xFF
    with pytest.raises(MalformedBody):
        list(batches(inflated(io.BytesIO(bytes(packed))), "zipkin-json"))
