"""Bodies of other signals are weighed before they become objects."""

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.collector.wire import count_factory
from tests.collector.wire.count_factory import group, point, request
from weft_collector.errors import BodyTooLarge, MalformedBody
from weft_collector.wire import metrics, metrics_json
from weft_collector.wire.other_signals import count_log_records
from weft_collector.wire.weight import HEAVIEST, check_json, check_protobuf

REQUESTS = {"metrics": ExportMetricsServiceRequest, "logs": ExportLogsServiceRequest}


def paths(descriptor, before=(), deepest=9):
    """Every way from a request down to a repeated or packed field: the numbers of its fields."""
    for one in descriptor.fields:
        way = (*before, one)
        if one.is_repeated:
            yield way
        if one.message_type is not None and one.message_type not in {f.containing_type for f in before[1:]}:
            yield from paths(one.message_type, way, deepest)


def delimited(number, content):
    length, digits = len(content), bytearray()
    while length > 127:
        digits.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2]) + bytes([*digits, length]) + content


def bomb(way):
    """A body in which the last field of a way occurs a million times in as few bytes as can be."""
    last = way[-1]
    packed = last.message_type is None and last.type not in {
        FieldDescriptor.TYPE_STRING,
        FieldDescriptor.TYPE_BYTES,
    }
    content = delimited(last.number, bytes(16 << 20)) if packed else delimited(last.number, b"") * 1_000_000
    for one in reversed(way[:-1]):
        content = delimited(one.number, content)
    return content


WAYS = [(signal, way) for signal, made in REQUESTS.items() for way in paths(made.DESCRIPTOR)]


@pytest.mark.parametrize(
    ("signal", "way"), WAYS, ids=["/".join([signal, *(one.name for one in way)]) for signal, way in WAYS]
)
def test_a_million_parts_of_two_bytes_are_refused_wherever_they_stand(signal, way):
    with pytest.raises(BodyTooLarge, match="memory"):
        check_protobuf(bomb(way), signal)


def test_every_way_was_tried():
    assert len(WAYS) > 40


@pytest.mark.parametrize("signal", REQUESTS)
def test_a_body_of_one_text_weighs_little_however_long_it_is(signal):
    made = REQUESTS[signal]()
    resource = getattr(made, f"resource_{signal}").add().resource
    resource.attributes.add(key="a").value.string_value = "x" * (32 << 20)
    check_protobuf(made.SerializeToString(), signal)


def test_usual_bodies_pass():
    check_protobuf(count_factory.everything().SerializeToString(), "metrics")
    many = request(*[group([point(range(1, 40))] * 16)] * 250)
    check_protobuf(many.SerializeToString(), "metrics")
    check_json(json_format.MessageToJson(many).encode())
    check_protobuf(b"", "logs")


def test_json_is_weighed_by_its_braces_and_commas():
    check_json(b'{"a":"' + b"x" * HEAVIEST + b'"}')
    for content in (b'{"resourceMetrics":[' + b"{}," * 600_000 + b"{}]}", b"[" + b"0," * (5 << 20) + b"0]"):
        with pytest.raises(BodyTooLarge, match="memory"):
            metrics_json.sort_out(content)
        with pytest.raises(BodyTooLarge, match="memory"):
            count_log_records(content, is_json=True)


def test_what_is_malformed_is_for_the_parser_to_say():
    sound = count_factory.everything().SerializeToString()
    for length in range(1, len(sound), 7):
        with pytest.raises(MalformedBody):
            metrics.sort_out(sound[:length] + b"\xff")
    with pytest.raises(MalformedBody):
        count_log_records(b"\x0b" * 200, is_json=False)
